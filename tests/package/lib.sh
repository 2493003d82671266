# shellcheck shell=bash
# What the package tests share. Sourced; expects `set -euo pipefail`, and SOURCE, BUILD and BUILD_TYPE in the environment.

: "${SOURCE:?}" "${BUILD:?}" "${BUILD_TYPE:?}" "${VERSION:?}"
here="$SOURCE/tests/package"
# Builds of the whole tree lie where those of the presets lie, so that ccache knows their files again.
nested="$(dirname -- "$BUILD")/package-$(basename -- "$BUILD")"
work="$(mktemp -d "${TMPDIR:-/tmp}/tickpipe-package-XXXXXX")"
builds=() # to be removed
pids=()   # to be ended
cleanup() {
  local pid
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  rm -rf -- "$work" "${builds[@]}"
}
trap cleanup EXIT

step() { printf -- '--- %s\n' "$*"; }
die() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# quietly COMMAND...: shows its output only if it fails.
quietly() {
  "$@" >"$work/output" 2>&1 || {
    cat -- "$work/output" >&2
    die "$*"
  }
}

# configure FOLDER ARGUMENT...: with the compiler and the kind of build of the build under test.
configure() {
  local folder="$1"
  shift
  quietly cmake -G Ninja -B "$folder" "-DCMAKE_BUILD_TYPE=$BUILD_TYPE" "$@"
}

# run_consumer PROGRAM: it must say that it works.
run_consumer() {
  local data said
  data="$(mktemp -d "$work/data-XXXXXX")"
  said="$("$1" "$data/data")" || die "$1 ended with an error"
  [[ "$said" == "tickpipe $VERSION works" ]] || die "$1 said: $said"
}

# check_consumers PREFIX LIBDIR: builds and runs one by find_package and one by pkg-config.
check_consumers() {
  local prefix="$1" libdir="$2" flags=()
  step "find_package in $prefix"
  configure "$work/by-package" -S "$here/consumer" -DTICKPIPE_HOW=package "-DCMAKE_PREFIX_PATH=$prefix"
  quietly cmake --build "$work/by-package"
  run_consumer "$work/by-package/consumer"
  rm -rf -- "$work/by-package"
  step "pkg-config in $libdir"
  [[ "$(PKG_CONFIG_PATH="$libdir/pkgconfig" pkg-config --modversion tickpipe)" == "$VERSION" ]] || die "the version"
  read -r -a flags <<<"$(PKG_CONFIG_PATH="$libdir/pkgconfig" pkg-config --cflags --libs tickpipe)"
  quietly c++ -std=c++20 -Wall -Wextra -Werror "$here/consumer/main.cpp" -o "$work/by-pkg-config" "${flags[@]}"
  LD_LIBRARY_PATH="$libdir" run_consumer "$work/by-pkg-config"
}

# check_headers FOLDER: they include themselves and the standard library, and nothing else.
check_headers() {
  local foreign
  [[ -f "$1/tickpipe/tickpipe.h" ]] || die "no headers in $1"
  foreign="$(grep -rhE '^ *# *include' "$1/tickpipe" | grep -vE '#include ("tickpipe/[a-z_]+\.h"|<[a-z_]+>)' || true)"
  [[ -z "$foreign" ]] || die "public headers include: $foreign"
  for header in "$1"/tickpipe/*.h; do
    printf '#include <tickpipe/%s>\n' "$(basename -- "$header")" >"$work/alone.cpp"
    quietly c++ -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only -I"$1" "$work/alone.cpp"
  done
}
