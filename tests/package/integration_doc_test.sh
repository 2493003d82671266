#!/usr/bin/env bash
# Runs the commands of docs/integration.md, in order, in one shell, as a reader does. Blocks marked `root` are not run:
# of these it is checked that the packages they name exist, and are those that the build needs.
set -euo pipefail
# shellcheck source=tests/package/lib.sh
source "$SOURCE/tests/package/lib.sh"
page="$SOURCE/docs/integration.md"

# blocks INFO: the content of the code blocks with exactly this info string.
blocks() { awk -v info="\`\`\`$1" '$0 == info { on = 1; next } /^```/ { on = 0 } on' "$page"; }

step "code"
# What the page shows of the example is in it.
while IFS= read -r line; do
  grep -qxF -- "$line" "$SOURCE/examples/trading_engine/after/main.cpp" || die "not in after/main.cpp: $line"
done < <(blocks "cpp after/main.cpp")
changed="$( (diff -u "$SOURCE/examples/trading_engine/before" "$SOURCE/examples/trading_engine/after" || true) |
  grep -cE '^[+-]([^+-]|$)')"
grep -q " $changed lines\.$" "$page" || die "the page does not say that $changed lines change"
for path in $(grep -oE '\]\([^)#:]+\)' "$page" | tr -d '])('); do
  [[ -e "$SOURCE/docs/$path" ]] || die "a link to $path"
done

step "what is for root"
# shellcheck disable=SC1091
needed="$(source "$SOURCE/scripts/lib.sh" && printf '%s\n' "${build_packages[@]}" | sort)"
named="$(blocks "sh root" | sed -e 's/#.*//' -e ':a;/\\$/{N;s/\\\n//;ba}' | grep '^apt-get install g++' |
  sed 's/apt-get install//' | tr -s ' ' '\n' | sed '/^$/d' | sort)"
[[ "$named" == "$needed" ]] || die "the page names other packages than scripts/lib.sh: $(diff <(printf '%s' "$named") <(printf '%s' "$needed"))"
grep -q '^ExecStart=' "$SOURCE/packaging/tickpipe.service"
bash -n <(blocks "sh root") || die "a block for root is no shell"

if ! pkg-config --exists cpp-httplib; then
  printf 'SKIPPED: no cpp-httplib here (libcpp-httplib-dev), the commands are not run\n'
  exit 77
fi

free_ports() { # two that nobody has at the moment
  python3 - <<'PYTHON'
import socket
sockets = [socket.socket() for _ in range(2)]
for each in sockets:
    each.bind(("127.0.0.1", 0))
print(*[each.getsockname()[1] for each in sockets])
PYTHON
}

step "commands"
[[ "$(blocks "sh settings" | sed -n 's/^export \([A-Z_]*\)=.*/\1/p' | tr '\n' ' ')" == "TICKPIPE BUILD PREFIX ENGINE HTTP_PORT " ]] ||
  die "the settings have changed"
read -r http_port hub_port < <(free_ports)
builds+=("$nested-doc")
export TICKPIPE="$SOURCE" BUILD="$nested-doc" PREFIX="$work/prefix" ENGINE="$work/engine"
export HTTP_PORT="$http_port" HUB_PORT="$hub_port"
blocks sh >"$work/commands.sh"
# `set -m` gives the shell jobs, as a terminal has; pipes into head end the command before them. A slow machine takes
# longer than a reader waits for the engine.
{
  printf 'set -em\nsleep() { command sleep "$((10#$1 + 3))"; }\n'
  printf 'trap "kill \\$(jobs -p) 2>/dev/null || true" EXIT\n'
  cat -- "$work/commands.sh"
} >"$work/run.sh"
timeout 1500 bash "$work/run.sh" >"$work/said" 2>&1 || {
  cat -- "$work/said" >&2
  die "a command of the page failed"
}
grep -q '^tickpipe ' "$work/said" || die "no version"
grep -q '"symbol":"BTCUSD","bid"' "$work/said" || die "no latest quote"
grep -q '^event: tick' "$work/said" || die "no event stream"
grep -q '^| nothing is lost .* PASS |$' "$work/said" || die "no sign-off table"
failed="$(grep ' FAIL |$' "$work/said" | grep -vE '^\| (average latency|CPU|throughput)' || true)"
[[ -z "$failed" ]] || die "$failed"
