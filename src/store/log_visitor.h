#pragma once

#include "model/event_batch.h"
#include "model/history.h"
#include "store/keys.h"

namespace tickpipe::internal {

/// What read_after() hands over: for each commit in order, per symbol the ticks and close marks in the order in which
/// they happened, then the bars whose newest state is of that commit.
class LogVisitor {
 public:
  virtual ~LogVisitor() = default;
  /// Some of what the commit wrote is not there any more: retention removed it. Comes before the rest of the commit.
  virtual void on_removed(Position /*position*/) {}
  virtual void on_tick(const Tick& tick, Position position) = 0;
  virtual void on_close(const CloseMark& mark, Position position) = 0;
  /// A quote of an earlier commit that this one folded into its bars: symbol, LP, seq, time and prices.
  virtual void on_amended(const Tick& tick, Position position) = 0;
  virtual void on_bar(const keys::BarKey& key, const StoredBar& bar) = 0;
};

}  // namespace tickpipe::internal
