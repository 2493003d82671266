#!/usr/bin/env bash
# Builds tickpipe with its tests, installing what is missing on Debian, and runs them.
#
#   scripts/test.sh                             the release build
#   scripts/test.sh --preset asan               another preset: release, dev, asan, tsan
#   scripts/test.sh -R BarBuilder -j 1          everything else goes to ctest
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

preset=release
ctest_arguments=()
while (($# > 0)); do
  case "$1" in
    --preset)
      preset="${2:-}"
      shift
      ;;
    --preset=*) preset="${1#*=}" ;;
    -h | --help)
      sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *) ctest_arguments+=("$1") ;;
  esac
  shift || break
done

case "$preset" in
  release | dev) ;;
  asan)
    export ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:${ASAN_OPTIONS:-}"
    export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:${UBSAN_OPTIONS:-}"
    ;;
  tsan)
    export TSAN_OPTIONS="suppressions='$root/tests/tsan.supp':halt_on_error=1:second_deadlock_stack=1:${TSAN_OPTIONS:-}"
    # TSan of g++ 12 cannot start under the strongest address-space randomisation of newer kernels.
    if setarch "$(uname -m)" -R true 2>/dev/null; then
      run_under=(setarch "$(uname -m)" -R)
    fi
    ;;
  *)
    note "unknown preset '$preset'; there are release, dev, asan, tsan"
    exit 2
    ;;
esac

# Real recordings of quotes, kept beside the repository; tests that need them say so when they are absent.
if [[ -z "${TICKPIPE_RECORDINGS+set}" && -d "$root/../shared/data" ]]; then
  TICKPIPE_RECORDINGS="$(cd -- "$root/../shared/data" && pwd)"
  export TICKPIPE_RECORDINGS
fi

ensure_packages "${build_packages[@]}" "${test_packages[@]}"
SECONDS=0
configure "$preset" ON
build "$preset" all
note "$preset: built in $SECONDS s"

cd -- "$root"
exec "${run_under[@]}" ctest --preset "$preset" --parallel 2 "${ctest_arguments[@]}"
