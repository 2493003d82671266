#!/usr/bin/env bash
# Builds the libFuzzer targets, installing what is missing on Debian, and runs each for its share of the time. The seeds
# in fuzz/corpus/ are read, not written. A finding ends in exit status 1, with the file that shows it.
#
#   scripts/fuzz.sh                             all targets, 180 s together
#   scripts/fuzz.sh --seconds 3600              longer
#   scripts/fuzz.sh decimal csv                 only these
#   scripts/fuzz.sh --keep DIR                  inputs found are kept in DIR/TARGET and taken up again by the next run
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  note "$*; see scripts/fuzz.sh --help"
  exit 2
}

seconds=180
keep=
targets=()
while (($# > 0)); do
  case "$1" in
    --seconds | --keep)
      (($# > 1)) || usage "$1 needs a value"
      if [[ "$1" == --keep ]]; then keep="$2"; else seconds="$2"; fi
      shift
      ;;
    --seconds=*) seconds="${1#*=}" ;;
    --keep=*) keep="${1#*=}" ;;
    -h | --help)
      sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    -*) usage "unknown option '$1'" ;;
    *) targets+=("$1") ;;
  esac
  shift
done
[[ "$seconds" =~ ^[1-9][0-9]*$ ]] || usage "--seconds takes a whole number above 0, not '$seconds'"

mapfile -t known < <(cd -- "$root/fuzz" && printf '%s\n' *_fuzz.cpp | sed 's/_fuzz\.cpp$//')
((${#targets[@]} > 0)) || targets=("${known[@]}")
for target in "${targets[@]}"; do
  [[ -f "$root/fuzz/${target}_fuzz.cpp" ]] || usage "no target '$target'; there are ${known[*]}"
done

ensure_packages "${build_packages[@]}" "${fuzz_packages[@]}"
configure fuzz OFF
build fuzz fuzzers

export ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:${UBSAN_OPTIONS:-}"

# Without it stack traces have no names; it comes with llvm-16, which is not needed for anything else.
for symbolizer in llvm-symbolizer-16 llvm-symbolizer; do
  if [[ -z "${ASAN_SYMBOLIZER_PATH:-}" ]] && command -v "$symbolizer" >/dev/null; then
    ASAN_SYMBOLIZER_PATH="$(command -v "$symbolizer")"
    export ASAN_SYMBOLIZER_PATH
  fi
done

work="$(mktemp -d "${TMPDIR:-/tmp}/tickpipe-fuzz-XXXXXX")"
# Reproducers outlive the run, the inputs that were found do not.
findings="$root/build/fuzz/findings"
trap 'rm -rf -- "$work"' EXIT
mkdir -p -- "$findings"
share=$((seconds / ${#targets[@]}))
((share > 0)) || share=1

# fuzz TARGET: returns its status.
fuzz() {
  local target="$1" binary="$root/build/fuzz/fuzz/fuzz_$1" seeds="$root/fuzz/corpus/$1"
  local grown="${keep:-$work}/$1" log="$work/$1.log" options=() status=0
  mkdir -p -- "$grown"
  options=(-max_total_time="$share" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1
    -artifact_prefix="$findings/$target-")
  [[ ! -f "$root/fuzz/$target.dict" ]] || options+=(-dict="$root/fuzz/$target.dict")
  "$binary" "${options[@]}" "$grown" "$seeds" >"$log" 2>&1 || status=$?
  summarize "$target" "$log" "$status"
  return "$status"
}

# The closing line of a target, and after a finding its report and the way to see it again.
summarize() {
  local target="$1" log="$2" status="$3" executions coverage file
  executions="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  coverage="$(grep -o 'cov: [0-9]* ft: [0-9]*' "$log" | tail -n 1)"
  note "$target: ${executions:-0} executions, ${coverage:-no coverage}, $([[ $status == 0 ]] && echo ok || echo FAILED)"
  ((status != 0)) || return 0
  tail -n 60 -- "$log" >&2
  file="$(sed -n 's/^.*Test unit written to //p' "$log" | tail -n 1)"
  if [[ -n "$file" ]]; then
    note "$target: the input that shows it is $file; again:"
    note "  build/fuzz/fuzz/fuzz_$target $file"
    note "  once fixed, put it into fuzz/corpus/$target/ under a name that says what it shows"
  fi
}

failed=()
for target in "${targets[@]}"; do
  fuzz "$target" || failed+=("$target")
done
if ((${#failed[@]} > 0)); then
  note "findings in ${failed[*]}"
  exit 1
fi
note "no findings in ${#targets[@]} targets, $share s each"
