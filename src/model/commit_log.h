#pragma once

#include <span>

#include "model/event_batch.h"

namespace tickpipe::internal {

/// Makes batches durable. One thread.
class CommitLog {
 public:
  virtual ~CommitLog() = default;
  /// Stores all of `batches` or nothing. Throws Error when it cannot, or cannot tell whether it did; the same call may
  /// then be repeated and stores nothing twice.
  virtual void commit(Position position, std::span<const EventBatch* const> batches) = 0;
  /// Prepares for another try after a failure. Throws Error when that is of no use yet.
  virtual void resume() = 0;
};

}  // namespace tickpipe::internal
