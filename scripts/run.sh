#!/usr/bin/env bash
# Builds tickpipe, installing what is missing on Debian, and runs it.
#
#   scripts/run.sh                              serves a simulated market on http://127.0.0.1:7999, data in data/
#   scripts/run.sh bench --ticks 100000         runs `tickpipe bench --ticks 100000`
#   scripts/run.sh -- --help                    runs `tickpipe --help`; -- is needed before an option only
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

case "${1:-}" in
  --) shift ;;
  -h | --help)
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  -*)
    note "unknown option $1; options for tickpipe follow a --"
    exit 2
    ;;
esac

ensure_packages "${build_packages[@]}"
configure release OFF
build release tickpipe

tickpipe="$root/build/release/src/app/tickpipe"
if (($# > 0)); then
  exec "$tickpipe" "$@"
fi

cd -- "$root"
note "starting tickpipe serve; Ctrl-C stops it"
exec "$tickpipe" serve
