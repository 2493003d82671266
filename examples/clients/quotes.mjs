// Prints quotes as they come and loses none of them: node quotes.mjs [--url URL] [--mode all] [--count N] SYMBOL...
// Needs the package `ws` (npm install ws, or Debian's node-ws).
import { parseArgs } from "node:util";
import WebSocket from "ws";

const { values: options, positionals: symbols } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: "string", default: "ws://127.0.0.1:7999/ws" },
    mode: { type: "string", default: "conflate" }, // or all: every quote instead of the newest
    count: { type: "string", default: "Infinity" }, // end after so many
  },
});
if (symbols.length === 0) throw new Error("name the symbols, or '*' for all");

const OUR_FAULT = [1002, 1003, 1007, 1009, 4003, 4009]; // the same again would end the same way
let epoch = ""; // which seqs belong together
let lastSeq = {}; // by symbol
let left = Number(options.count);
let failures = 0;

function onTick(tick) {
  const last = lastSeq[tick.symbol];
  const skipped = tick.skipped ?? 0; // quotes between this one and the last that were left out on purpose
  // A snapshot is where a symbol starts, at first and after a gap that the server cannot fill.
  if (!tick.snapshot && tick.seq !== last + 1 + skipped) throw new Error(`hole: ${tick.symbol} ${last}, ${tick.seq}`);
  lastSeq[tick.symbol] = tick.seq;
  console.log(tick.symbol, tick.seq, tick.bid, tick.ask, tick.snapshot ? "snapshot" : `skipped=${skipped}`);
  return --left > 0;
}

function connect() {
  const ws = new WebSocket(options.url, "tickpipe.v1.json");
  let silence;
  const alive = (ms) => {
    clearTimeout(silence);
    silence = setTimeout(() => ws.terminate(), ms); // not even a ping came: the connection is dead
  };
  let patience = 10_000;
  alive(patience);
  ws.on("ping", () => alive(patience)); // `ws` answers pings by itself
  ws.on("message", (data) => {
    alive(patience);
    const message = JSON.parse(data);
    switch (message.type) {
      case "welcome": {
        patience = message.heartbeat_ms + 10_000;
        if (message.epoch !== epoch) lastSeq = {}; // another history: the seqs we have mean nothing there
        epoch = message.epoch;
        const request = { op: "subscribe", channel: "quotes", symbols, mode: options.mode };
        if (Object.keys(lastSeq).length > 0) request.resume = { epoch, seq: lastSeq };
        return ws.send(JSON.stringify(request));
      }
      case "subscribed":
        failures = 0;
        for (const { symbol, code } of message.errors) console.error(`${symbol}: ${code}`);
        if (message.recovered === false) console.error("missed more than can be sent again");
        return;
      case "tick":
        if (!onTick(message)) process.exit(0);
        return;
      case "error":
        console.error(`${message.code}: ${message.message}`);
        return ws.close();
    }
  });
  ws.on("error", (error) => console.error(error.message)); // `close` follows
  ws.on("close", (code, reason) => {
    clearTimeout(silence);
    if (OUR_FAULT.includes(code)) throw new Error(`closed: ${code} ${reason}`);
    const wait = Math.min(30_000, 250 * 2 ** failures++) * (0.5 + Math.random() / 2);
    console.error(`closed: ${code} ${reason}; again in ${Math.round(wait)} ms`);
    setTimeout(connect, wait);
  });
}
connect();
