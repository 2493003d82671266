#!/usr/bin/env bash
# Checks formatting (clang-format) and runs clang-tidy over what the dev preset compiles. Changes no file.
#
#   scripts/tidy.sh                             the whole tree
#   scripts/tidy.sh src/shard/bar_builder.cpp   only the named files
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

case "${1:-}" in
  -h | --help)
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac

ensure_packages "${build_packages[@]}" "${test_packages[@]}" "${tidy_packages[@]}"
configure dev ON

if (($# > 0)); then
  mapfile -t sources < <(realpath -e -- "$@")
else
  mapfile -t sources < <(cd -- "$root" && git ls-files --cached --others --exclude-standard '*.h' '*.cpp' |
    sed "s|^|$root/|" | sort)
fi

status=0
note "formatting of ${#sources[@]} files"
clang-format-16 --dry-run --Werror -- "${sources[@]}" || status=1

# Headers are checked through the sources that include them.
database="$root/build/dev/compile_commands.json"
mapfile -t units < <(comm -12 <(printf '%s\n' "${sources[@]}" | sort -u) \
  <(sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$database" | sort -u))
note "clang-tidy on ${#units[@]} files"
if ((${#units[@]} > 0)); then
  printf '%s\0' "${units[@]}" |
    xargs -0 -n 1 -P "$CMAKE_BUILD_PARALLEL_LEVEL" clang-tidy-16 --quiet -p "$root/build/dev" \
      --extra-arg=-Wno-unknown-warning-option || status=1 # the options are those of g++
fi
exit "$status"
