# shellcheck shell=bash
# What the scripts share: packages, configuring, building. Sourced; expects `set -euo pipefail`.
# Everything here reports to stderr, so that stdout belongs to the program that a script runs.

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
export CMAKE_BUILD_PARALLEL_LEVEL="${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc 2>/dev/null || echo 2)}"

# shellcheck disable=SC2034 # the lists are used by the scripts that source this file
build_packages=(
  g++ cmake ninja-build ccache pkg-config
  librocksdb-dev libsimdjson-dev nlohmann-json3-dev libcli11-dev
  libhowardhinnant-date-dev tzdata libspdlog-dev libfmt-dev libboost1.81-dev zlib1g-dev libssl-dev libhiredis-dev
)
# shellcheck disable=SC2034
test_packages=(
  libgtest-dev libgmock-dev nodejs node-ws python3-websockets nginx-light chromium-headless-shell
  libcpp-httplib-dev dpkg-dev file lintian curl patch python3 redis-server openssl
)
# shellcheck disable=SC2034
tidy_packages=(clang-tidy-16 clang-format-16)
# shellcheck disable=SC2034
fuzz_packages=(clang-16 libclang-rt-16-dev)
# shellcheck disable=SC2034
bench_packages=(libbenchmark-dev)

note() { printf '[%s] %s\n' "$(basename -- "$0")" "$*" >&2; }

die() {
  note "$*"
  exit 1
}

# Prints those of the named Debian packages that are not installed, one a line.
missing_packages() {
  local known package
  known="$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)"
  for package in "$@"; do
    grep -qxF "installed $package" <<<"$known" || printf '%s\n' "$package"
  done
}

# Installs what is missing of the named packages. With nothing missing it runs no apt-get and needs no rights.
ensure_packages() {
  local missing as_root=()
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} > 0)) || return 0
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    die "this is not a Debian system; install what these Debian packages hold: ${missing[*]}"
  fi
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "neither root nor sudo; install these packages first: ${missing[*]}"
    as_root=(sudo)
  fi
  note "installing ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0)
  "${apt[@]}" update >&2 || note "apt-get update failed; trying with the package lists at hand"
  "${apt[@]}" install --yes --no-install-recommends "${missing[@]}" >&2 ||
    die "apt-get failed; install these packages first: ${missing[*]}"
}

# configure PRESET TESTS(ON|OFF): creates the build folder. An existing one is left to `cmake --build`, which
# reconfigures by itself when a CMake file has changed, unless it was made without the tests that are wanted now.
configure() {
  local preset="$1" tests="$2" build="$root/build/$1"
  if [[ -f "$build/build.ninja" ]]; then
    if [[ "$tests" == OFF ]] || grep -qx 'TICKPIPE_BUILD_TESTS:BOOL=ON' "$build/CMakeCache.txt"; then
      return 0
    fi
  fi
  note "configuring $preset"
  cmake -S "$root" --preset "$preset" "-DTICKPIPE_BUILD_TESTS=$tests" >&2
}

# build PRESET [TARGET]; under the prefix command `run_under`, as a build starts test binaries to list their tests.
run_under=()
build() {
  note "building $1"
  "${run_under[@]}" cmake --build "$root/build/$1" --target "${2:-all}" >&2
}
