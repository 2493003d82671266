#include <string>

#include "app/commands.h"
#include "app/output.h"
#include "core/decimal.h"
#include "core/error.h"
#include "core/safe_text.h"
#include "core/timestamp_text.h"
#include "pipeline/stored_data.h"

namespace tickpipe::internal {
namespace {

constexpr int kMillis = 3;

void append_decimal(std::string& out, Int128 units) {
  char buffer[kMaxDecimalChars];
  out.append(buffer, format_decimal(buffer, units));
}

void append_size(std::string& out, Quantity size, std::string_view absent) {
  if (size == kNoQuantity) {
    out += absent;
  } else {
    append_decimal(out, size.units);
  }
}

std::string_view bool_text(bool value) { return value ? "true" : "false"; }

void append_bar_csv(std::string& out, const Bar& bar) {
  out += std::to_string(bar.open_time.ns / kNanosPerMilli);
  for (const Price price : {bar.open, bar.high, bar.low, bar.close}) {
    out += ',';
    append_decimal(out, price.units);
  }
  out.append(",").append(std::to_string(bar.tick_count)).append(",");
  append_decimal(out, bar.volume());
  out.append(",").append(std::to_string(bar.revision)).append(",").append(bool_text(bar.is_closed)).append("\n");
}

void append_bar_json(std::string& out, std::string_view symbol, const std::string& timeframe, const Bar& bar) {
  out.append(R"({"symbol":)");
  append_json_string(out, symbol);
  out.append(R"(,"timeframe":")").append(timeframe);
  out.append(R"(","open_time":")").append(format_rfc3339(bar.open_time, kMillis));
  out.append(R"(","close_time":")").append(format_rfc3339(bar.close_time, kMillis));
  out.append(R"(","open":)");
  append_decimal(out, bar.open.units);
  out.append(R"(,"high":)");
  append_decimal(out, bar.high.units);
  out.append(R"(,"low":)");
  append_decimal(out, bar.low.units);
  out.append(R"(,"close":)");
  append_decimal(out, bar.close.units);
  out.append(R"(,"volume":)");
  append_decimal(out, bar.volume());
  out.append(R"(,"tick_count":)").append(std::to_string(bar.tick_count));
  out.append(R"(,"is_closed":)").append(bool_text(bar.is_closed));
  out.append(R"(,"revision":)").append(std::to_string(bar.revision)).append("}\n");
}

void append_tick_csv(std::string& out, std::string_view symbol, std::string_view lp, const Tick& tick) {
  out.append(std::to_string(tick.ts_event.ns)).append(",").append(symbol).append(",");
  append_decimal(out, tick.bid.units);
  out += ',';
  append_decimal(out, tick.ask.units);
  out.append(",").append(lp).append(",").append(std::to_string(tick.seq)).append(",");
  out.append(flags_to_string(tick.flags)).append(",").append(std::to_string(tick.ts_recv.ns)).append(",");
  append_size(out, tick.bid_size, "");
  out += ',';
  append_size(out, tick.ask_size, "");
  out += '\n';
}

void append_tick_json(std::string& out, std::string_view symbol, std::string_view lp, const Tick& tick) {
  out.append(R"({"timestamp_ns":)").append(std::to_string(tick.ts_event.ns)).append(R"(,"symbol":)");
  append_json_string(out, symbol);
  out.append(R"(,"bid":)");
  append_decimal(out, tick.bid.units);
  out.append(R"(,"ask":)");
  append_decimal(out, tick.ask.units);
  out.append(R"(,"lp":)");
  append_json_string(out, lp);
  out.append(R"(,"seq":)").append(std::to_string(tick.seq));
  out.append(R"(,"flags":")").append(flags_to_string(tick.flags));
  out.append(R"(","received_ns":)").append(std::to_string(tick.ts_recv.ns));
  out.append(R"(,"bid_size":)");
  append_size(out, tick.bid_size, "null");
  out.append(R"(,"ask_size":)");
  append_size(out, tick.ask_size, "null");
  out.append("}\n");
}

UnixNanos parse_bound(std::string_view option, const std::string& text, UnixNanos absent) {
  if (text.empty()) return absent;
  if (const auto time = parse_time_bound(text)) return *time;
  throw ConfigError(std::string(option) + " " + safe_text(text) +
                    " is not a time: write RFC 3339 (2026-01-15T22:00:00Z) or Unix seconds, ms, us or ns");
}

}  // namespace

int run_export(const ExportOptions& options) {
  const auto symbol_name = parse_symbol(options.symbol);
  if (!symbol_name) throw ConfigError("--symbol " + safe_text(options.symbol) + " is not a symbol");
  const auto timeframe = parse_timeframe(options.timeframe);
  if (!timeframe) {
    throw ConfigError("--timeframe " + safe_text(options.timeframe) + " is not one: write 1m, 4h, 1d or the like");
  }
  const UnixNanos from = parse_bound("--from", options.from, kNoTime);
  const UnixNanos to = parse_bound("--to", options.to, kEndOfTime);
  if (from > to) throw ConfigError("--from must not be after --to");
  const bool json = options.format == "jsonl";

  StoredData data(options.data_dir);
  const SymbolId symbol = data.symbol(*symbol_name);
  Output output;
  std::string line;
  if (options.what == "bars") {
    if (!json) output.write("open_time_ms,open,high,low,close,tick_count,volume,revision,is_closed\n");
    const std::string timeframe_name = timeframe->name();
    data.for_each_bar(symbol, *timeframe, from, to, [&](const Bar& bar) {
      line.clear();
      if (json) {
        append_bar_json(line, symbol_name->view(), timeframe_name, bar);
      } else {
        append_bar_csv(line, bar);
      }
      output.write(line);
    });
  } else {
    if (!json) output.write("timestamp_ns,symbol,bid,ask,lp,seq,flags,received_ns,bid_size,ask_size\n");
    data.for_each_tick(symbol, from, to, [&](const Tick& tick) {
      line.clear();
      const Name lp = data.lp_name(tick.lp);
      if (json) {
        append_tick_json(line, symbol_name->view(), lp.view(), tick);
      } else {
        append_tick_csv(line, symbol_name->view(), lp.view(), tick);
      }
      output.write(line);
    });
  }
  output.flush();
  return kExitSuccess;
}

}  // namespace tickpipe::internal
