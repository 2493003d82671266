#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "model/event_batch.h"
#include "model/name_registry.h"
#include "model/timeframe.h"

namespace tickpipe::internal {

/// Notes bars that close now, so that the log can tell of them: not those of history. A log may be slow, the thread
/// that commits must not be; so what it notes is written by flush(), on another thread.
class BarLog final : public BatchListener {
 public:
  BarLog(const SymbolRegistry& symbols, std::vector<Timeframe> timeframes, const Clock& clock);

  void on_committed(const EventBatch& batch, Position position) override;
  /// Writes what closed since the last call, at most kMaxLines lines. Call it once a second.
  void flush(Log& log);

 private:
  static constexpr std::size_t kMaxLines = 100;
  const SymbolRegistry& symbols_;
  const std::vector<Timeframe> timeframes_;
  const Clock& clock_;
  std::mutex mutex_;
  std::vector<BarEvent> closed_;
  std::uint64_t further_ = 0;
};

}  // namespace tickpipe::internal
