#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model/feed.h"
#include "model/reason.h"

namespace tickpipe::internal {

struct IngestError {
  std::uint64_t line = 0;  ///< of a body in lines, or the number of the element; from 1
  Reason reason = Reason::kMalformed;
  const char* detail = "";  ///< a static text, may be empty
};

struct IngestAnswer {
  enum class Outcome : std::uint8_t {
    kDone,              ///< everything accepted is committed
    kNotWellFormed,     ///< an array that is no JSON: nothing was taken; `detail` says where
    kBusy,              ///< no room within the time to wait: nothing was taken
    kStoreUnavailable,  ///< some of it could not be stored; `detail` says why
    kStopping,          ///< nothing was taken: the system is shutting down
  };
  Outcome outcome = Outcome::kDone;
  std::uint64_t received = 0;
  std::uint64_t accepted = 0;  ///< accepted and committed
  std::uint64_t rejected = 0;
  std::uint64_t pending = 0;        ///< accepted, but not committed when the answer was made
  std::vector<IngestError> errors;  ///< the first 100, ascending by line
  std::string detail;
};

/// Takes bodies full of raw quotes, and answers when their fate is known. Threads: any.
class IngestDoor {
 public:
  virtual ~IngestDoor() = default;
  /// `body` is one JSON object, an array of them, or JSON lines. Calls `done` exactly once, from any thread, maybe
  /// before it returns. Never blocks.
  virtual void ingest(std::string body, QuoteOrigin origin, std::function<void(IngestAnswer)> done) = 0;
};

/// What /admin may do. Threads: any; may take long.
class Maintenance {
 public:
  struct CleanupResult {
    std::uint64_t removed_ticks = 0;
    std::uint64_t removed_bars = 0;
  };
  virtual ~Maintenance() = default;
  /// Applies retention now. Throws Error when the store fails.
  virtual CleanupResult cleanup() = 0;
};

}  // namespace tickpipe::internal
