#!/usr/bin/env python3
"""How long random ranges of stored history take to read while a server takes in live quotes.

    bench/read_ranges.py --program build/release/src/app/tickpipe [--days 30] [--rate 100000] [--seconds 20]

Loads `--days` days of quotes of the simulator's fifty symbols, `--every` seconds apart on average, up to a minute ago,
into a new folder, starts `tickpipe serve` on it with the simulator at `--rate`, and asks on one connection, in turn, for
1,000 one-minute bars and for 10,000 quotes at random places of the whole time. Prints one JSON object. What an answer
holds is checked: as many items as were asked for, ascending, within the range.
"""

import argparse
import json
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone

BARS = 1000
TICKS = 10000


def write_history(path, symbols, first, last, every, seed):
    """One CSV, ascending by time as a recording is."""
    rng = random.Random(seed)
    gap = every / len(symbols)
    prices = {symbol: price for symbol, price in symbols}
    names = list(prices)
    count = 0
    with open(path, "w", encoding="ascii") as out:
        out.write("timestamp,symbol,bid,ask\n")
        now = first
        while now < last:
            name = names[rng.randrange(len(names))]
            prices[name] *= 1 + rng.uniform(-1e-4, 1e-4)
            bid = prices[name]
            out.write(f"{int(now * 1000)},{name},{bid:.6f},{bid * 1.0001:.6f}\n")
            now += rng.uniform(0, 2 * gap)
            count += 1
    return count


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))

    def get(self, target):
        self.socket.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.socket.recv(1 << 20)
        head, body = data.split(b"\r\n\r\n", 1)
        length = int(re.search(rb"content-length: (\d+)", head, re.I).group(1))
        parts = [body]
        got = len(body)
        while got < length:
            part = self.socket.recv(1 << 20)
            parts.append(part)
            got += len(part)
        if b" 200 " not in head.split(b"\r\n")[0]:
            sys.exit(f"{target}: {head.decode()}\n{b''.join(parts).decode()}")
        return b"".join(parts)


def iso(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def summary(times):
    times.sort()
    return {"requests": len(times), **{f"p{p}_ms": round(1000 * times[min(len(times) - 1, len(times) * p // 100)], 2)
                                       for p in (50, 90, 99)}, "max_ms": round(1000 * times[-1], 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--every", type=float, default=15, help="seconds between quotes of a symbol")
    parser.add_argument("--rate", type=int, default=100000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    folder = tempfile.mkdtemp(prefix="tickpipe-read-")
    try:
        run(options, folder)
    finally:
        shutil.rmtree(folder)


def start(options, folder, rate):
    config = f"{folder}/pipeline.json"
    with open(config, "w", encoding="utf-8") as out:
        json.dump({"feeds": [{"type": "sim", "rate": rate}] if rate else [{"type": "none"}]}, out)
    log = open(f"{folder}/log", "w+", encoding="utf-8")
    server = subprocess.Popen([options.program, "serve", "--config", config, "--data-dir", f"{folder}/data", "--port", "0"],
                              stderr=log, stdout=subprocess.DEVNULL)
    while True:
        time.sleep(0.05)
        with open(f"{folder}/log", encoding="utf-8") as text:
            found = re.search(r"Listening on http://127\.0\.0\.1:(\d+)", text.read())
        if found:
            return server, int(found.group(1))
        if server.poll() is not None:
            sys.exit("the server has ended: " + open(f"{folder}/log", encoding="utf-8").read())


def run(options, folder):
    server, port = start(options, folder, 1000)  # to learn the simulator's symbols and prices
    time.sleep(2)
    client = Client(port)
    names = list(json.loads(client.get("/api/pipeline/feed-health")))
    symbols = []
    for name in names:
        symbols.append((name, float(json.loads(client.get(f"/api/quotes/latest/{name}"))["bid"])))
    server.terminate()
    server.wait()
    shutil.rmtree(f"{folder}/data")

    last = time.time() - 60
    first = last - options.days * 86400
    count = write_history(f"{folder}/history.csv", symbols, first, last, options.every, options.seed)
    begin = time.monotonic()
    subprocess.run([options.program, "backfill", f"{folder}/history.csv", "--data-dir", f"{folder}/data"], check=True,
                   stdout=subprocess.DEVNULL)
    loaded = time.monotonic() - begin
    server, port = start(options, folder, options.rate)
    time.sleep(2)
    client = Client(port)
    before = json.loads(client.get("/api/pipeline/stats"))
    rng = random.Random(options.seed + 1)
    times = {"bars": [], "ticks": []}
    end = time.monotonic() + options.seconds
    begin = time.monotonic()
    while time.monotonic() < end:
        name = rng.choice(names)
        at = rng.uniform(first + 86400, last)
        asked = time.monotonic()
        body = client.get(f"/api/ohlc/{name}?timeframe=1m&to={iso(at)}&limit={BARS}")
        times["bars"].append(time.monotonic() - asked)
        bars = json.loads(body)
        starts = [bar["open_time"] for bar in bars]
        assert len(bars) == BARS and starts == sorted(set(starts)) and starts[-1] < iso(at), (name, len(bars))

        at = rng.uniform(first + 3 * 86400, last)
        asked = time.monotonic()
        body = client.get(f"/api/quotes/history/{name}?to={iso(at)}&limit={TICKS}")
        times["ticks"].append(time.monotonic() - asked)
        quotes = json.loads(body)
        assert len(quotes) == TICKS, (name, len(quotes))
    elapsed = time.monotonic() - begin
    after = json.loads(client.get("/api/pipeline/stats"))
    server.terminate()
    server.wait()
    print(json.dumps({
        "stored_ticks": count, "symbols": len(names), "load_seconds": round(loaded, 1),
        "live_ticks_per_second": round((after["ticks_processed"] - before["ticks_processed"]) / elapsed),
        "dropped": after["ticks_dropped"],
        "bars_1000": summary(times["bars"]), "quotes_10000": summary(times["ticks"])}, indent=1))


if __name__ == "__main__":
    main()
