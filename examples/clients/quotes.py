#!/usr/bin/env python3
"""Prints quotes as they come and loses none of them: quotes.py [--url URL] [--mode all] [--count N] SYMBOL...

Needs the package `websockets`, 10 or newer (pip install websockets, or Debian's python3-websockets).
"""
import argparse
import asyncio
import json
import random
import sys
from decimal import Decimal

import websockets

OUR_FAULT = {1002, 1003, 1007, 1009, 4003, 4009}  # the same again would end the same way


class Quotes:
    def __init__(self, options):
        self.options = options
        self.epoch = ""  # which seqs belong together
        self.last_seq = {}  # by symbol
        self.left = options.count
        self.failures = 0

    def on_tick(self, tick):
        symbol, seq = tick["symbol"], tick["seq"]
        skipped = tick.get("skipped", 0)  # quotes between this one and the last that were left out on purpose
        snapshot = tick.get("snapshot", False)  # where a symbol starts, also after a gap that cannot be filled
        if not snapshot and seq != self.last_seq[symbol] + 1 + skipped:
            raise RuntimeError(f"hole: {symbol} {self.last_seq[symbol]}, {seq}")
        self.last_seq[symbol] = seq
        print(symbol, seq, tick["bid"], tick["ask"], "snapshot" if snapshot else f"skipped={skipped}", flush=True)
        self.left -= 1

    def request(self, welcome):
        if welcome["epoch"] != self.epoch:
            self.last_seq = {}  # another history: the seqs we have mean nothing there
        self.epoch = welcome["epoch"]
        request = {"op": "subscribe", "channel": "quotes", "symbols": self.options.symbols, "mode": self.options.mode}
        if self.last_seq:
            request["resume"] = {"epoch": self.epoch, "seq": self.last_seq}
        return json.dumps(request)

    async def follow(self, ws):
        async for text in ws:
            message = json.loads(text, parse_float=Decimal)  # prices are exact decimals
            if message["type"] == "welcome":
                await ws.send(self.request(message))
            elif message["type"] == "subscribed":
                self.failures = 0
                for error in message["errors"]:
                    print(f"{error['symbol']}: {error['code']}", file=sys.stderr)
                if message.get("recovered") is False:
                    print("missed more than can be sent again", file=sys.stderr)
            elif message["type"] == "tick":
                self.on_tick(message)
                if self.left <= 0:
                    return
            elif message["type"] == "error":
                raise RuntimeError(f"{message['code']}: {message['message']}")

    async def run(self):
        while True:
            try:
                # `websockets` sends pings of its own, so a dead connection ends within 40 s.
                # With quotes of all symbols under way an orderly close may have to wait for them; a second will do.
                async with websockets.connect(
                    self.options.url, subprotocols=["tickpipe.v1.json"], close_timeout=1
                ) as ws:
                    await self.follow(ws)
                    if self.left <= 0:
                        return
                why = f"closed: {ws.close_code} {ws.close_reason}"
            except websockets.ConnectionClosed as closed:
                if closed.rcvd is not None and closed.rcvd.code in OUR_FAULT:
                    raise
                why = str(closed)
            except (OSError, asyncio.TimeoutError, websockets.InvalidHandshake, websockets.InvalidMessage) as error:
                why = str(error)
            wait = min(30, 0.25 * 2**self.failures) * random.uniform(0.5, 1)
            self.failures += 1
            print(f"{why}; again in {wait:.1f} s", file=sys.stderr)
            await asyncio.sleep(wait)


parser = argparse.ArgumentParser()
parser.add_argument("--url", default="ws://127.0.0.1:7999/ws")
parser.add_argument("--mode", choices=["conflate", "all"], default="conflate", help="all: every quote, not the newest")
parser.add_argument("--count", type=float, default=float("inf"), help="end after so many")
parser.add_argument("symbols", nargs="+", metavar="SYMBOL", help="or '*' for all")
asyncio.run(Quotes(parser.parse_args()).run())
