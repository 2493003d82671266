#include "library/conversions.h"

namespace tickpipe::internal {
namespace {

tickpipe::Decimal decimal(Price price) { return tickpipe::Decimal::from_units(price.units); }

std::optional<tickpipe::Decimal> size(Quantity quantity) {
  if (quantity == kNoQuantity) return std::nullopt;
  return tickpipe::Decimal::from_units(quantity.units);
}

Timestamp moment(UnixNanos time) { return time == kNoTime ? Timestamp::none() : Timestamp::from_nanos(time.ns); }

tickpipe::LatencySummary latency(const LatencySummary& from) {
  return {from.count, from.average, from.p50, from.p99, from.max};
}

}  // namespace

void convert(const Tick& tick, const SymbolRegistry& symbols, const LpRegistry& lps, tickpipe::Tick& out) {
  out.symbol = symbols.name(tick.symbol).view();
  out.lp = lps.name(tick.lp).view();
  out.bid = decimal(tick.bid);
  out.ask = decimal(tick.ask);
  out.bid_size = size(tick.bid_size);
  out.ask_size = size(tick.ask_size);
  out.timestamp = moment(tick.ts_event);
  out.received = moment(tick.ts_recv);
  out.seq = tick.seq;
  out.out_of_order = (tick.flags & kOutOfOrder) != 0;
  out.spike = (tick.flags & kSpike) != 0;
  out.late_for_bars = (tick.flags & kLateForBars) != 0;
  out.unselected = (tick.flags & kUnselected) != 0;
}

tickpipe::Bar convert(const Bar& bar, std::string_view symbol, std::string_view timeframe) {
  tickpipe::Bar out;
  out.symbol = symbol;
  out.timeframe = timeframe;
  out.open_time = moment(bar.open_time);
  out.close_time = moment(bar.close_time);
  out.open = decimal(bar.open);
  out.high = decimal(bar.high);
  out.low = decimal(bar.low);
  out.close = decimal(bar.close);
  out.tick_count = bar.tick_count;
  out.volume = static_cast<double>(bar.volume()) / static_cast<double>(kUnitsPerOne);
  out.revision = bar.revision;
  out.is_closed = bar.is_closed;
  return out;
}

Statistics convert(const SystemStats& stats) {
  Statistics out;
  out.ticks_received = stats.received;
  out.ticks_processed = stats.processed;
  out.ticks_dropped = stats.dropped;
  out.ticks_in_flight = stats.in_flight;
  out.ticks_refused = stats.refused_total();
  out.ticks_duplicate = stats.duplicates();
  out.ticks_invalid = stats.invalid();
  out.ticks_out_of_order = stats.out_of_order;
  out.ticks_late_for_bars = stats.late_for_bars;
  out.abnormal_spikes_detected = stats.spikes;
  out.ohlc_bars_generated = stats.bars_generated;
  out.quotes_distributed = stats.quotes_distributed;
  out.clients_connected = stats.clients_connected;
  out.stale_feeds_detected = stats.stale_feeds_detected;
  out.symbols = stats.symbols;
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    if (stats.refused[i] != 0) out.refused_by_reason.emplace_back(static_cast<tickpipe::Reason>(i), stats.refused[i]);
  }
  out.tick_latency = latency(stats.tick);
  out.ohlc_latency = latency(stats.ohlc);
  out.distribution_latency = latency(stats.distribution);
  out.last_tick_time = moment(stats.last_tick_time);
  out.uptime = stats.uptime;
  return out;
}

Health convert(const HealthReport& report) {
  Health out;
  out.overall = static_cast<tickpipe::HealthState>(report.overall);
  out.uptime = report.uptime;
  for (const ComponentHealth& component : report.components) {
    out.components.push_back({component.name, static_cast<tickpipe::HealthState>(component.state), component.detail});
  }
  return out;
}

}  // namespace tickpipe::internal
