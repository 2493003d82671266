#include "serve/stream/stream_messages.h"

#include <array>
#include <charconv>
#include <cstddef>

#include "core/decimal.h"
#include "core/timestamp_text.h"
#include "model/market_json.h"
#include "serve/stream/msgpack_writer.h"
#include "serve/websocket_frame.h"

namespace tickpipe::internal {
namespace {

constexpr std::size_t kTypicalMessageBytes = 192;
constexpr std::int64_t kNanosPerMilli = 1'000'000;

constexpr struct {
  TickFlag flag;
  std::string_view text;
} kFlagNames[] = {{kOutOfOrder, "out_of_order"},
                  {kSpike, "spike"},
                  {kLateForBars, "late_for_bars"},
                  {kUnselected, "unselected"},
                  {kAfterGap, "gap"}};

/// Unix milliseconds; of before 1973 there is none.
std::uint64_t to_millis(UnixNanos time) { return static_cast<std::uint64_t>(time.ns / kNanosPerMilli); }

/// The double nearest to `units` * 1e-9.
double to_double(Int128 units) {
  constexpr Int128 kExact = Int128{1} << 53;  // up to here both sides of the division are exact
  if (units <= kExact && units >= -kExact) return static_cast<double>(static_cast<std::int64_t>(units)) / 1e9;
  std::array<char, kMaxDecimalChars> digits;
  double nearest = 0;
  std::from_chars(digits.data(), format_decimal(digits.data(), units), nearest);
  return nearest;
}

/// Of one of our own frames.
std::size_t header_bytes(std::string_view frame) {
  const unsigned length = static_cast<unsigned char>(frame[1]);
  return length < 126 ? 2 : length == 126 ? 4 : 10;
}

void append_json_extras(std::string& out, const MessageExtras& extras) {
  if (extras.skipped != 0) {
    char digits[20];
    out.append(R"(,"skipped":)");
    out.append(digits, std::to_chars(digits, digits + sizeof(digits), extras.skipped).ptr);
  }
  if (extras.is_snapshot) out.append(R"(,"snapshot":true)");
  if (extras.is_unrecovered) out.append(R"(,"recovered":false)");
}

std::size_t extra_members(const MessageExtras& extras) {
  return std::size_t{extras.skipped != 0} + std::size_t{extras.is_snapshot} + std::size_t{extras.is_unrecovered};
}

void append_msgpack_extras(std::string& out, const MessageExtras& extras) {
  MsgpackWriter writer(out);
  if (extras.skipped != 0) {
    writer.text("skipped");
    writer.number(extras.skipped);
  }
  if (extras.is_snapshot) {
    writer.text("snapshot");
    writer.boolean(true);
  }
  if (extras.is_unrecovered) {
    writer.text("recovered");
    writer.boolean(false);
  }
}

}  // namespace

void append_with_extras(std::string& out, std::string_view message, StreamFormat format, const MessageExtras& extras) {
  if (extras.empty()) {
    out.append(message);
    return;
  }
  if (format == StreamFormat::kSse) {
    out.append(message.substr(0, message.size() - 2));  // without `}` and the line break
    append_json_extras(out, extras);
    out.append("}\n");
    return;
  }
  const std::string_view payload = message.substr(header_bytes(message));
  std::string longer;
  if (format == StreamFormat::kJson) {
    longer.assign(payload.substr(0, payload.size() - 1));
    append_json_extras(longer, extras);
    longer.push_back('}');
    append_frame(out, WsOpcode::kText, longer);
  } else {
    longer.assign(payload);
    longer.front() = static_cast<char>(static_cast<unsigned char>(longer.front()) + extra_members(extras));
    append_msgpack_extras(longer, extras);
    append_frame(out, WsOpcode::kBinary, longer);
  }
}

MessageEncoder::MessageEncoder(const SymbolRegistry& symbols, const LpRegistry& lps,
                               const std::vector<Timeframe>& timeframes, Counters& counters)
    : symbols_(symbols), lps_(lps), counters_(counters), json_(4 * kTypicalMessageBytes) {
  for (const Timeframe timeframe : timeframes) timeframe_names_.push_back(timeframe.name());
}

void MessageEncoder::append_tick(const Tick& tick, StreamFormat format, std::string& out) {
  switch (format) {
    case StreamFormat::kJson:
      tick_json(tick);
      append_frame(out, WsOpcode::kText, json_.view());
      break;
    case StreamFormat::kMessagePack:
      tick_msgpack(tick);
      append_frame(out, WsOpcode::kBinary, payload_);
      break;
    case StreamFormat::kSse:
      tick_sse(tick);
      out.append("event: tick\ndata: ").append(json_.view()).append("\n");
      break;
  }
}

void MessageEncoder::bar(SymbolId symbol, std::size_t timeframe_index, const Bar& bar, StreamFormat format,
                         std::string& out) {
  counters_.bars.fetch_add(1, std::memory_order_relaxed);
  if (format == StreamFormat::kMessagePack) {
    bar_msgpack(symbol, timeframe_index, bar);
    append_frame(out, WsOpcode::kBinary, payload_);
  } else {
    bar_json(symbol, timeframe_index, bar);
    append_frame(out, WsOpcode::kText, json_.view());
  }
}

const MessageList& MessageEncoder::ticks_of(const StreamBatch& batch, StreamFormat format) {
  return batch.tick_messages(format, [&](MessageList& list) {
    list.reserve(batch.ticks.size(), batch.ticks.size() * kTypicalMessageBytes);
    for (const StreamTick& one : batch.ticks) {
      append_tick(one.tick, format, list.text());
      list.end_message();
    }
    counters_.ticks.fetch_add(batch.ticks.size(), std::memory_order_relaxed);
  });
}

void MessageEncoder::tick_json(const Tick& tick) {
  json_.clear();
  json_.literal(R"({"type":"tick","symbol":")");
  json_.raw(symbols_[tick.symbol].view());
  json_.literal(R"(","bid":)");
  json_.decimal(tick.bid.units);
  json_.literal(R"(,"ask":)");
  json_.decimal(tick.ask.units);
  json_.literal(R"(,"spread":)");
  json_.decimal(static_cast<Int128>(tick.ask.units) - tick.bid.units);
  json_.literal(R"(,"timestamp":)");
  json_.number(to_millis(tick.ts_event));
  json_.literal(R"(,"lp":")");
  json_.raw(lps_[tick.lp].view());
  json_.literal(R"(","seq":)");
  json_.number(tick.seq);
  json_.literal(",");
  write_size_members(json_, tick);
  write_flags_member(json_, tick);
  json_.close('}');
}

void MessageEncoder::tick_sse(const Tick& tick) {
  json_.clear();
  json_.literal("{");
  write_quote_members(json_, tick, symbols_[tick.symbol].view(), lps_[tick.lp].view());
  write_size_members(json_, tick);
  write_flags_member(json_, tick);
  json_.close('}');
}

void MessageEncoder::tick_msgpack(const Tick& tick) {
  payload_.clear();
  MsgpackWriter out(payload_);
  std::size_t flags = 0;
  for (const auto& [flag, text] : kFlagNames) flags += (tick.flags & flag) != 0 ? 1 : 0;
  const bool has_bid_size = tick.bid_size != kNoQuantity;
  const bool has_ask_size = tick.ask_size != kNoQuantity;
  out.small_map(std::size_t{8} + std::size_t{has_bid_size} + std::size_t{has_ask_size} + std::size_t{flags != 0});
  out.text("type");
  out.text("tick");
  out.text("symbol");
  out.text(symbols_[tick.symbol].view());
  out.text("bid");
  out.real(to_double(tick.bid.units));
  out.text("ask");
  out.real(to_double(tick.ask.units));
  out.text("spread");
  out.real(to_double(static_cast<Int128>(tick.ask.units) - tick.bid.units));
  out.text("timestamp");
  out.number(to_millis(tick.ts_event));
  out.text("lp");
  out.text(lps_[tick.lp].view());
  out.text("seq");
  out.number(tick.seq);
  if (has_bid_size) {
    out.text("bid_size");
    out.real(to_double(tick.bid_size.units));
  }
  if (has_ask_size) {
    out.text("ask_size");
    out.real(to_double(tick.ask_size.units));
  }
  if (flags == 0) return;
  out.text("flags");
  out.small_array(flags);
  for (const auto& [flag, text] : kFlagNames) {
    if ((tick.flags & flag) != 0) out.text(text);
  }
}

void MessageEncoder::bar_json(SymbolId symbol, std::size_t timeframe_index, const Bar& bar) {
  json_.clear();
  json_.literal(R"({"type":"bar","symbol":")");
  json_.raw(symbols_[symbol].view());
  json_.literal(R"(","timeframe":")");
  json_.raw(timeframe_names_[timeframe_index]);
  json_.literal(R"(",)");
  write_bar_members(json_, bar);
  json_.close('}');
}

void MessageEncoder::bar_msgpack(SymbolId symbol, std::size_t timeframe_index, const Bar& bar) {
  payload_.clear();
  MsgpackWriter out(payload_);
  out.small_map(13);
  out.text("type");
  out.text("bar");
  out.text("symbol");
  out.text(symbols_[symbol].view());
  out.text("timeframe");
  out.text(timeframe_names_[timeframe_index]);
  out.text("open_time");
  out.text(format_rfc3339(bar.open_time, 3));
  out.text("close_time");
  out.text(format_rfc3339(bar.close_time, 3));
  out.text("open");
  out.real(to_double(bar.open.units));
  out.text("high");
  out.real(to_double(bar.high.units));
  out.text("low");
  out.real(to_double(bar.low.units));
  out.text("close");
  out.real(to_double(bar.close.units));
  out.text("volume");
  out.real(to_double(bar.volume()));
  out.text("tick_count");
  out.number(bar.tick_count);
  out.text("is_closed");
  out.boolean(bar.is_closed);
  out.text("revision");
  out.number(bar.revision);
}

}  // namespace tickpipe::internal
