#include "model/market_json.h"

namespace tickpipe::internal {
namespace {

constexpr struct {
  TickFlag flag;
  std::string_view text;
} kFlagNames[] = {{kOutOfOrder, R"("out_of_order",)"},
                  {kSpike, R"("spike",)"},
                  {kLateForBars, R"("late_for_bars",)"},
                  {kUnselected, R"("unselected",)"},
                  {kAfterGap, R"("gap",)"}};
constexpr unsigned kShownFlags = kOutOfOrder | kSpike | kLateForBars | kUnselected | kAfterGap;

}  // namespace

void write_quote_members(JsonWriter& json, const Tick& tick, std::string_view symbol, std::string_view lp) {
  json.literal(R"("symbol":")");
  json.raw(symbol);
  json.literal(R"(","bid":)");
  json.decimal(tick.bid.units);
  json.literal(R"(,"ask":)");
  json.decimal(tick.ask.units);
  json.literal(R"(,"spread":)");
  json.decimal(static_cast<Int128>(tick.ask.units) - tick.bid.units);
  json.literal(R"(,"timestamp":)");
  json.time_ns(tick.ts_event);
  json.literal(R"(,"source":")");
  json.raw(lp);
  json.literal(R"(","tick_id":")");
  json.raw(symbol);
  json.literal("-");
  json.number(tick.seq);
  json.literal(R"(","seq":)");
  json.number(tick.seq);
  json.literal(R"(,"received_at":)");
  json.time_ns(tick.ts_recv);
  json.literal(",");
}

void write_size_members(JsonWriter& json, const Tick& tick) {
  if (tick.bid_size != kNoQuantity) {
    json.literal(R"("bid_size":)");
    json.decimal(tick.bid_size.units);
    json.literal(",");
  }
  if (tick.ask_size != kNoQuantity) {
    json.literal(R"("ask_size":)");
    json.decimal(tick.ask_size.units);
    json.literal(",");
  }
}

void write_flags_member(JsonWriter& json, const Tick& tick) {
  if ((tick.flags & kShownFlags) == 0) return;
  json.literal(R"("flags":[)");
  for (const auto& [flag, text] : kFlagNames) {
    if (tick.flags & flag) json.raw(text);
  }
  json.close(']');
  json.literal(",");
}

void write_bar_members(JsonWriter& json, const Bar& bar) {
  json.literal(R"("open_time":)");
  json.time_ms(bar.open_time);
  json.literal(R"(,"close_time":)");
  json.time_ms(bar.close_time);
  json.literal(R"(,"open":)");
  json.decimal(bar.open.units);
  json.literal(R"(,"high":)");
  json.decimal(bar.high.units);
  json.literal(R"(,"low":)");
  json.decimal(bar.low.units);
  json.literal(R"(,"close":)");
  json.decimal(bar.close.units);
  json.literal(R"(,"volume":)");
  json.decimal(bar.volume());
  json.literal(R"(,"tick_count":)");
  json.number(bar.tick_count);
  json.literal(R"(,"is_closed":)");
  json.boolean(bar.is_closed);
  json.literal(R"(,"revision":)");
  json.number(bar.revision);
  json.literal(",");
}

}  // namespace tickpipe::internal
