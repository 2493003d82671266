#!/usr/bin/env bash
# scripts/acceptance.sh [--no-load] [--seconds N] [--symbols N] [--markdown] URL
#
# Goes through the REST interface of a running server, or of an engine that has it on its own port, as an integration
# engineer would, and prints `check | target | actual | PASS or FAIL`; with --markdown as the table that is signed off.
# CPU and memory are those of the whole process. Needs bash, curl and awk.
#
# The throughput check posts generated ticks of one symbol, `ACCEPT.TEST<time>`, as history for some seconds: they are
# stored like any others. `--no-load` leaves it out. With authentication on, TICKPIPE_API_KEY is sent as X-API-Key.
#
# Exit status: 0 all passed, 1 something failed, 2 bad usage.

set -euo pipefail
export LC_ALL=C

usage() {
  sed -n '2,12s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

whole_number() { [[ "$1" =~ ^[1-9][0-9]{0,3}$ ]]; }

load=1
markdown=0
seconds=5
max_symbols=10
url=
while (($# > 0)); do
  case "$1" in
    --no-load) load=0 ;;
    --markdown) markdown=1 ;;
    --seconds | --symbols)
      (($# > 1)) && whole_number "$2" || usage
      if [[ "$1" == --seconds ]]; then seconds="$2"; else max_symbols="$2"; fi
      shift
      ;;
    -*) usage ;;
    *)
      [[ -z "$url" ]] || usage
      url="${1%/}"
      ;;
  esac
  shift
done
[[ "$url" =~ ^https?://[^/]+ ]] || usage
for tool in curl awk; do
  command -v "$tool" >/dev/null || { echo "acceptance.sh: $tool is not installed" >&2; exit 2; }
done

work="$(mktemp -d)"
pids=()
cleanup() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf -- "$work"
}
trap cleanup EXIT

# The key goes through a file, as arguments can be seen by other users.
curl_config="$work/curl.conf"
: >"$curl_config"
if [[ -n "${TICKPIPE_API_KEY:-}" ]]; then printf 'header = "X-API-Key: %s"\n' "$TICKPIPE_API_KEY" >"$curl_config"; fi

failures=0
row() {
  local form='%-34s | %-32s | %-38s | %s\n'
  ((markdown == 0)) || form='| %s | %s | %s | %s |\n'
  # shellcheck disable=SC2059
  printf "$form" "$1" "$2" "$3" "$4"
}

# check NAME TARGET ACTUAL CONDITION...: a row that passes if the condition, a command, succeeds.
check() {
  local name="$1" target="$2" actual="$3"
  shift 3
  if "$@"; then
    row "$name" "$target" "$actual" PASS
  else
    row "$name" "$target" "$actual" FAIL
    failures=$((failures + 1))
  fi
}

# request METHOD PATH: the answer's status, content type and body go to $status, $type and $body.
request() {
  local answer
  if answer="$(curl --config "$curl_config" --silent --show-error --max-time 20 --request "$1" \
    --output "$work/body" --write-out '%{http_code} %{content_type}' "$url$2" 2>"$work/error")"; then
    status="${answer%% *}"
    type="${answer#* }"
    body="$(tr -d '\0' <"$work/body")"
  else
    status=000
    type=
    body=
  fi
}

# Values of flat JSON, which is on stdin: number NAME, text NAME. Nothing if there is none.
number() { grep -oE "\"$1\"[[:space:]]*:[[:space:]]*-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?" | head -n 1 | sed 's/.*:[[:space:]]*//' || true; }
text() { grep -oE "\"$1\"[[:space:]]*:[[:space:]]*\"[^\"]*\"" | head -n 1 | sed 's/.*:[[:space:]]*"//; s/"$//' || true; }

# compare EXPRESSION [NAME=VALUE...]: whether an awk expression over numbers is true; an empty value makes it false.
compare() {
  local expression="$1" arguments=() pair
  shift
  for pair in "$@"; do
    [[ -n "${pair#*=}" ]] || return 1
    arguments+=(-v "$pair")
  done
  awk "${arguments[@]}" "BEGIN { exit !($expression) }"
}

percent_encode() { printf '%s' "$1" | sed 's/%/%25/g; s,/,%2F,g; s/:/%3A/g'; }

if ((markdown)); then
  request GET /api/pipeline/stats
  printf '## Sign-off\n\ntickpipe %s at %s, %s\n\n' "$(text version <<<"$body")" "$url" "$(date -u +%FT%TZ)"
  row check target actual result
  row --- --- --- ---
else
  row check target actual result
  row "$(printf '%.0s-' {1..34})" "$(printf '%.0s-' {1..32})" "$(printf '%.0s-' {1..38})" ------
fi

# --- health and statistics -------------------------------------------------------------------------------------------

request GET /api/pipeline/health
health="$(text overall_status <<<"$body")"
check "health" "200, healthy or degraded" "$status ${health:-no overall_status}" \
  eval '[[ "$status" == 200 && ( "$health" == healthy || "$health" == degraded ) ]]'
if [[ "$status" == 000 ]]; then
  echo "acceptance.sh: no answer from $url: $(<"$work/error")" >&2
  exit 1
fi

request GET /readyz
check "readiness" "200" "$status" eval '[[ "$status" == 200 ]]'
request GET /metrics
check "metrics" "200, tickpipe_… lines" "$status, $(grep -c '^tickpipe_' <<<"$body" || true) lines" \
  eval '[[ "$status" == 200 && "$body" == *tickpipe_* ]]'

request GET /api/pipeline/stats
stats="$body"
missing=()
for name in ticks_received ticks_processed ticks_dropped ticks_duplicate ticks_out_of_order ticks_invalid \
  ticks_in_flight ohlc_bars_generated quotes_distributed clients_connected avg_tick_latency_ms avg_ohlc_latency_ms \
  avg_distribution_latency_ms stale_feeds_detected abnormal_spikes_detected last_tick_time; do
  grep -q "\"$name\"[[:space:]]*:" <<<"$stats" || missing+=("$name")
done
check "statistics are complete" "200, 16 names" "$status, missing: ${missing[*]:-none}" \
  eval '[[ "$status" == 200 && ${#missing[@]} -eq 0 ]]'

# Duplicates and invalid ticks are all that was refused.
sum='r == p + d + i + x + f'
counters=()
for pair in r=ticks_received p=ticks_processed d=ticks_duplicate i=ticks_invalid x=ticks_dropped f=ticks_in_flight; do
  counters+=("${pair%%=*}=$(number "${pair#*=}" <<<"$stats")")
done
check "nothing is lost" "received = all outcomes" "${counters[*]}" compare "$sum" "${counters[@]}"

for stage in tick ohlc distribution; do
  latency="$(number "avg_${stage}_latency_ms" <<<"$stats")"
  check "average latency, $stage" "< 10 ms" "${latency:-none} ms" compare 'l < 10' "l=$latency"
done

# --- quotes, bars, feed health ---------------------------------------------------------------------------------------

request GET /api/symbols
mapfile -t symbols < <(grep -oE '"symbol"[[:space:]]*:[[:space:]]*"[^"]*"' <<<"$body" | sed 's/.*:[[:space:]]*"//; s/"$//' | sort -u)
check "symbols" "200, at least one" "$status, ${#symbols[@]} known" eval '[[ "$status" == 200 && ${#symbols[@]} -gt 0 ]]'

request GET /api/pipeline/feed-health
feed_health="$body"
absent=()
for symbol in "${symbols[@]}"; do
  grep -qF "\"$symbol\"" <<<"$feed_health" || absent+=("$symbol")
done
check "feed health lists each symbol" "200, none missing" "$status, missing: ${absent[*]:-none}" \
  eval '[[ "$status" == 200 && ${#absent[@]} -eq 0 ]]'

# A bar is well-formed if low <= open, close <= high; prints the number of bars and of bad ones.
count_bars() {
  tr '{' '\n' | awk '
    function value(name,   at) {
      at = match($0, "\"" name "\"[ \t]*:[ \t]*-?[0-9.]+")
      if (!at) { missing = 1; return 0 }
      at = substr($0, RSTART, RLENGTH); sub(/.*:[ \t]*/, "", at); return at + 0
    }
    /"open_time"/ {
      missing = 0; bars++
      o = value("open"); h = value("high"); l = value("low"); c = value("close")
      if (missing || l > o || l > c || h < o || h < c) bad++
    }
    END { print bars + 0, bad + 0 }'
}

bars_seen=0
bars_bad=0
quotes_bad=()
bars_failed=()
checked=("${symbols[@]:0:max_symbols}")
for symbol in "${checked[@]}"; do
  encoded="$(percent_encode "$symbol")"
  request GET "/api/quotes/latest/$encoded"
  bid="$(number bid <<<"$body")"
  ask="$(number ask <<<"$body")"
  [[ "$status" == 200 ]] && compare 'b > 0 && b <= a' "b=$bid" "a=$ask" || quotes_bad+=("$symbol")
  request GET "/api/ohlc/$encoded?timeframe=1m&limit=100"
  read -r seen bad < <(count_bars <<<"$body")
  [[ "$status" == 200 ]] && ((seen > 0)) || bars_failed+=("$symbol")
  bars_seen=$((bars_seen + seen))
  bars_bad=$((bars_bad + bad))
done
check "latest quotes" "200, 0 < bid <= ask" "${#checked[@]} symbols, bad: ${quotes_bad[*]:-none}" \
  eval '[[ ${#checked[@]} -gt 0 && ${#quotes_bad[@]} -eq 0 ]]'
check "1m bars" "200, low <= open, close <= high" "$bars_seen bars, $bars_bad bad, none: ${bars_failed[*]:--}" \
  eval '[[ ${#checked[@]} -gt 0 && $bars_bad -eq 0 && ${#bars_failed[@]} -eq 0 ]]'

# An event stream begins with the latest quote of its symbol, or waits for the first.
if ((${#checked[@]} > 0)); then
  events="$(curl --config "$curl_config" --silent --no-buffer --max-time 3 \
    "$url/api/quotes/stream?symbol=$(percent_encode "${checked[0]}")" 2>/dev/null | grep -c '^event: ' || true)"
  check "event stream, ${checked[0]}" "at least one event in 3 s" "$events events" eval '((events > 0))'
fi

# --- errors ----------------------------------------------------------------------------------------------------------

request GET /api/quotes/latest/NO.SUCH.SYMBOL.HERE
check "unknown symbol" "404 application/problem+json" "$status ${type:-no type}" \
  eval '[[ "$status" == 404 && "$type" == application/problem+json* ]]'
request DELETE /api/pipeline/stats
check "wrong method" "405 application/problem+json" "$status ${type:-no type}" \
  eval '[[ "$status" == 405 && "$type" == application/problem+json* ]]'

# --- load ------------------------------------------------------------------------------------------------------------

ticks_per_batch=20000
connections=4

# One connection posts batches until it is stopped. Each has later times than all before, so that none is a duplicate:
# a batch is a copy of the lane's first with the middle digits of its times replaced, which is cheaper than to print it.
post_batches() {
  local lane="$1" round
  awk -v n="$ticks_per_batch" -v symbol="$test_symbol" -v lane="$lane" 'BEGIN {
    for (i = 0; i < n; i++) {
      printf "{\"lp\":\"ACCEPT%d\",\"symbol\":\"%s\",\"bid\":1.%05d,\"ask\":1.%05d,\"timestamp_us\":17@%08d}\n",
        lane, symbol, 10000 + i % 50, 10002 + i % 50, i * 100
    }
  }' >"$work/template.$lane"
  for ((round = 0; ; ++round)); do
    sed "s/@/$(printf '%06d' $((round * connections + lane)))/" "$work/template.$lane" >"$work/batch.$lane"
    while [[ ! -e "$work/stop" ]]; do
      curl --config "$curl_config" --silent --max-time 60 --output "$work/answer.$lane" --write-out '%{http_code}\n' \
        --header 'Content-Type: application/x-ndjson' --header 'Expect:' \
        --data-binary "@$work/batch.$lane" "$url/api/ingest?historical=true" >"$work/code.$lane" || true
      cat "$work/code.$lane" >>"$work/codes"
      [[ "$(<"$work/code.$lane")" == 429 ]] || break
      sleep 0.2
    done
    [[ ! -e "$work/stop" ]] || return 0
  done
}

# reading: processed, CPU seconds and the time of this machine, in $processed, $cpu and $now.
reading() {
  request GET /api/pipeline/stats
  now="$(date +%s.%N)"
  processed="$(number ticks_processed <<<"$body")"
  cpu="$(number cpu_seconds <<<"$body")"
}

if ((load)); then
  test_symbol="ACCEPT.TEST$(date +%s)"
  : >"$work/codes"
  for ((lane = 0; lane < connections; ++lane)); do
    post_batches "$lane" &
    pids+=("$!")
  done
  sleep 1
fi
reading
first=("p=$processed" "c=$cpu" "t=$now")
sleep "$seconds"
reading
last=("P=$processed" "C=$cpu" "T=$now")
resident="$(number memory_bytes <<<"$body")"
if ((load)); then
  touch "$work/stop"
  wait "${pids[@]}" || true
  pids=()
  rate="$(awk -v "${first[0]}" -v "${first[2]}" -v "${last[0]}" -v "${last[2]}" 'BEGIN { printf "%.0f", (P - p) / (T - t) }')"
  refused="$(grep -cvx -e 200 -e 429 "$work/codes" || true)"
  check "throughput" "> 100000 ticks/s" "$rate ticks/s, $refused failed posts" \
    eval '((rate > 100000 && refused == 0))'
fi
cores="$(awk -v "${first[1]}" -v "${first[2]}" -v "${last[1]}" -v "${last[2]}" 'BEGIN { printf "%.2f", (C - c) / (T - t) }')"
check "CPU" "< 2 cores (half of 4 workers)" "$cores cores" \
  compare 'n < 2 && c >= 0 && C >= c' "n=$cores" "${first[1]}" "${last[1]}"
check "memory" "< 1 GB" "$(awk -v "b=${resident:-0}" 'BEGIN { printf "%.0f MB", b / 1e6 }')" \
  compare 'b > 0 && b < 1e9' "b=$resident"

if ((markdown)); then printf '\nChecked by, date: \n\nAccepted by, date: \n\n'; fi
if ((failures > 0)); then
  echo "$failures failed"
  exit 1
fi
echo "all passed"
