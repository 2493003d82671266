#include "pipeline/bar_log.h"

#include <chrono>
#include <utility>

#include "core/timestamp_text.h"

namespace tickpipe::internal {
namespace {

/// A bar that ended longer ago than this is history.
constexpr std::chrono::seconds kClosesNow{15};

}  // namespace

BarLog::BarLog(const SymbolRegistry& symbols, std::vector<Timeframe> timeframes, const Clock& clock)
    : symbols_(symbols), timeframes_(std::move(timeframes)), clock_(clock) {}

void BarLog::on_committed(const EventBatch& batch, Position /*position*/) {
  if (batch.bars.empty()) return;
  const UnixNanos earliest = clock_.now() - kClosesNow;
  const std::lock_guard lock(mutex_);
  for (const BarEvent& event : batch.bars) {
    if (event.bar.revision != 0 || event.bar.close_time < earliest) continue;
    if (closed_.size() < kMaxLines) {
      closed_.push_back(event);
    } else {
      ++further_;
    }
  }
}

void BarLog::flush(Log& log) {
  std::vector<BarEvent> closed;
  std::uint64_t further = 0;
  {
    const std::lock_guard lock(mutex_);
    closed.swap(closed_);
    further = std::exchange(further_, 0);
  }
  for (const BarEvent& event : closed) {
    const Bar& bar = event.bar;
    std::string line = "Closing bar: ";
    line.append(symbols_.name(event.symbol).view()).append(" ").append(timeframes_[event.timeframe_index].name());
    line.append(" ").append(format_rfc3339(bar.open_time, 0));
    line.append(" O: ").append(decimal_to_string(bar.open.units));
    line.append(" H: ").append(decimal_to_string(bar.high.units));
    line.append(" L: ").append(decimal_to_string(bar.low.units));
    line.append(" C: ").append(decimal_to_string(bar.close.units));
    line.append(" V: ").append(decimal_to_string(bar.volume()));
    log.info("OHLCEngine", line);
  }
  if (further != 0) log.info("OHLCEngine", "Closing bars: and " + std::to_string(further) + " more");
}

}  // namespace tickpipe::internal
