#!/usr/bin/env bash
# Builds the micro benchmarks, installing what is missing on Debian, and runs them. Each checks its result before it is
# timed; a wrong one ends in an exit status other than 0. The load generator is built with them (build/bench/bench/load).
#
#   scripts/bench.sh                                      all
#   scripts/bench.sh --benchmark_filter=ProcessLpQuote    everything goes to Google Benchmark
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

case "${1:-}" in
  -h | --help)
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac

ensure_packages "${build_packages[@]}" "${bench_packages[@]}"
configure bench OFF
build bench
exec "$root/build/bench/bench/tickpipe_bench" "$@"
