// Input: JSON of a quote or a bar as it is in Redis. What is taken, written and read again, is the same.

#include "redis/edge_json.h"

#include <string>

#include "core/json_writer.h"
#include "fuzz/fuzzing.h"
#include "model/market_json.h"

namespace tickpipe::internal::fuzzing {
namespace {

std::string written(const EdgeQuote& quote) {
  JsonWriter json(512);
  json.literal("{");
  write_quote_members(json, quote.tick, quote.symbol.view(), quote.lp.view());
  write_size_members(json, quote.tick);
  write_flags_member(json, quote.tick);
  json.close('}');
  return json.take();
}

std::string written(const EdgeBar& bar) {
  JsonWriter json(512);
  json.literal("{\"symbol\":\"");
  json.raw(bar.symbol.view());
  json.literal("\",\"timeframe\":\"");
  json.raw(bar.timeframe.name());
  json.literal("\",");
  write_bar_members(json, bar.bar);
  json.close('}');
  return json.take();
}

}  // namespace

void check(Input in) {
  const std::string_view input = in.rest();
  if (const auto quote = parse_edge_quote(input)) {
    const Tick& tick = quote->tick;
    require(tick.bid.units > 0 && tick.bid <= tick.ask && tick.seq != 0, "a quote is one that a node writes");
    const std::string text = written(*quote);
    const auto again = parse_edge_quote(text);
    require(again && again->tick == tick && again->symbol == quote->symbol && again->lp == quote->lp,
            "a quote that was written again is the same");
  }
  if (const auto bar = parse_edge_bar(input)) {
    require(bar->bar.low <= bar->bar.high && bar->bar.open_time < bar->bar.close_time,
            "a bar is one that a node writes");
    const std::string text = written(*bar);
    const auto again = parse_edge_bar(text);
    require(again && again->bar == bar->bar && again->symbol == bar->symbol && again->timeframe == bar->timeframe,
            "a bar that was written again is the same");
  }
}

}  // namespace tickpipe::internal::fuzzing
