#!/usr/bin/env bash
# The trading engine of examples/, before and after tickpipe: built as its CMake files say, against the installed
# library, started, asked, stopped; the difference is a small patch that goes in and out again.
set -euo pipefail
# shellcheck source=tests/package/lib.sh
source "$SOURCE/tests/package/lib.sh"

engine="$SOURCE/examples/trading_engine"
most_changed_lines=59

step "the patch"
cp -r -- "$engine" "$work/engine"
patch="$work/tickpipe.patch"
(cd -- "$work/engine" && diff -u before after) >"$patch" || [[ $? == 1 ]]
changed="$(grep -cE '^[+-]([^+-]|$)' "$patch")"
printf '%s lines change\n' "$changed"
((changed > 0 && changed <= most_changed_lines)) || die "$changed lines change, more than $most_changed_lines"
(cd -- "$work/engine/before" && quietly patch -p1 <"$patch")
quietly diff -r "$work/engine/before" "$engine/after"
(cd -- "$work/engine/before" && quietly patch -R -p1 <"$patch") # the full rollback
quietly diff -r "$work/engine/before" "$engine/before"

if ! pkg-config --exists cpp-httplib; then
  printf 'SKIPPED: no cpp-httplib here (libcpp-httplib-dev), the engine is not built\n'
  exit 77
fi
step "build"
quietly cmake --install "$BUILD" --prefix "$work/prefix" --component development
for variant in before after; do
  configure "$work/$variant" -S "$engine/$variant" "-DCMAKE_PREFIX_PATH=$work/prefix"
  quietly cmake --build "$work/$variant"
done

# start VARIANT ARGUMENT...: sets $engine_pid, $http and $hub.
start() {
  local variant="$1" line=
  shift
  "$work/$variant/trading_engine" --http-port=0 --hub-port=0 "$@" >"$work/engine.out" 2>"$work/engine.err" &
  engine_pid=$!
  pids=("$engine_pid")
  for ((i = 0; i < 600; ++i)); do
    line="$(head -n 1 -- "$work/engine.out")"
    [[ -z "$line" ]] || break
    kill -0 "$engine_pid" 2>/dev/null || die "the engine ended: $(cat -- "$work/engine.err")"
    sleep 0.1
  done
  [[ "$line" =~ ^engine:\ http\ ([0-9]+),\ hub\ ([0-9]+)$ ]] || die "the engine said: $line"
  http="http://127.0.0.1:${BASH_REMATCH[1]}"
  hub="${BASH_REMATCH[2]}"
}
stop() {
  kill -TERM "$engine_pid"
  wait "$engine_pid" || die "the engine ended with status $?: $(cat -- "$work/engine.err")"
  pids=()
  grep -q '^engine: [0-9]* quotes, ended$' "$work/engine.out" || die "the engine did not end in order"
}
# get PATH: the status goes to $status, the body to $body.
get() {
  status="$(curl --silent --show-error --max-time 60 --output "$work/body" --write-out '%{http_code}' "$http$1")"
  body="$(cat -- "$work/body")"
}
expect() { # expect PATH STATUS PATTERN
  get "$1"
  [[ "$status" == "$2" ]] || die "$1 answered $status instead of $2: $body"
  [[ "$body" =~ $3 ]] || die "$1 answered: $body"
}
until_is() { # until_is PATH STATUS
  for ((i = 0; i < 600; ++i)); do
    get "$1"
    [[ "$status" != "$2" ]] || return 0
    sleep 0.1
  done
  die "$1 does not answer $2, but $status"
}

# The engine's own, which must be the same whatever tickpipe does.
check_old_ways() {
  until_is /price/BTCUSD 200
  expect /status 200 '^\{"engine":"running","quotes":[0-9]+,"clients":[0-9]+\}$'
  expect /price/BTCUSD 200 '^\{"type":"tick","symbol":"BTCUSD",'
  expect /price/NONE 404 ''
  exec 3<>"/dev/tcp/127.0.0.1/$hub"
  for ((i = 0; i < 20; ++i)); do
    read -r -t 60 line <&3 || die "the hub sends nothing"
    [[ "$line" =~ ^\{\"type\":\"tick\",\"symbol\":\"[A-Z]+\",\"bid\":[0-9.]+,\"ask\":[0-9.]+,\"lp\":\"LP[123]\",\"timestamp\":[0-9]+\}$ ]] ||
      die "the hub sent: $line"
  done
  exec 3>&-
}

step "before"
start before
check_old_ways
expect /api/quotes/latest/BTCUSD 404 ''
stop

step "after, --pipeline=off"
start after --pipeline=off "--data-dir=$work/off"
check_old_ways
expect /api/quotes/latest/BTCUSD 404 '^$'
stop
[[ ! -e "$work/off" ]] || die "it is off, but wrote something"
[[ ! -s "$work/engine.err" ]] || die "it is off, but logged: $(cat -- "$work/engine.err")"

step "after"
start after "--data-dir=$work/data"
check_old_ways
until_is /api/quotes/latest/BTCUSD 200
expect /api/quotes/latest/BTCUSD 200 '"symbol":"BTCUSD","bid":[0-9.]+,"ask":[0-9.]+,.*"source":"LP[123]"'
expect '/api/ohlc/BTCUSD?timeframe=1m&limit=10' 200 '"timeframe":"1m"'
expect /api/pipeline/health 200 '"overall_status":"healthy"'
expect /readyz 200 ''
expect '/api/ohlc/BTCUSD?timeframe=7m' 400 'problem|"status":400'
ingested="$(curl --silent --max-time 60 "$http/api/ingest?historical=true" --header 'Content-Type: application/json' \
  --data '{"symbol":"DEMO","bid":1.1,"ask":1.2,"lp":"FILE","timestamp":"2026-01-14T10:00:00Z"}')"
[[ "$ingested" == *'"accepted":1'* ]] || die "POST answered: $ingested"
# An event stream through a server that is not ours.
curl --silent --no-buffer --max-time 60 "$http/api/quotes/stream?symbol=BTCUSD" >"$work/events" 2>/dev/null &
stream=$!
for ((i = 0; i < 600; ++i)); do
  (($(grep -c '^event: tick' "$work/events" || true) < 20)) || break
  sleep 0.1
done
kill "$stream" 2>/dev/null || true
wait "$stream" 2>/dev/null || true
(($(grep -c '^event: tick' "$work/events" || true) >= 20)) || die "the event stream sent: $(cat -- "$work/events")"

step "acceptance"
# It checks rates and times too, which say nothing on a machine that builds something else: only its other rows count.
"$SOURCE/scripts/acceptance.sh" --no-load --seconds 2 "$http" | tee "$work/acceptance" || true
grep -q '^nothing is lost .* PASS$' "$work/acceptance" || die "no sign-off table"
failed="$(grep ' FAIL$' "$work/acceptance" | grep -vE '^(average latency|CPU|throughput)' || true)"
[[ -z "$failed" ]] || die "$failed"

step "a second run goes on"
get /api/quotes/latest/BTCUSD
first="$(sed -n 's/.*"seq":\([0-9]*\).*/\1/p' <<<"$body")"
stop
grep -q '^\[Pipeline Stats\] Received: ' "$work/engine.err" || die "no statistics in its log"
grep -q '^\[Pipeline\] Market data pipeline stopped' "$work/engine.err" || die "it did not stop in order"
start after "--data-dir=$work/data"
until_is /api/quotes/latest/BTCUSD 200
get /api/quotes/latest/BTCUSD
second="$(sed -n 's/.*"seq":\([0-9]*\).*/\1/p' <<<"$body")"
((second >= first)) || die "seq went back from $first to $second"
stop
