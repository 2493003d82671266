#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "serve/stream/stream_group.h"

namespace tickpipe::internal {

/// At most so many quotes are read for a client that comes back, of all symbols together.
inline constexpr std::size_t kMaxResumeTicks = 200'000;

/// What a client has last seen: symbols with their seq.
using ResumePoints = std::vector<std::pair<SymbolId, std::uint64_t>>;

/// Finds out, on another thread, for which of `points` everything missed is at hand, and calls `done` with the answers
/// on the client's thread; not if the client has gone. Nothing is kept in memory: it is read again when it is sent.
/// Throws when too much is being read already.
void check_resume(StreamGroup& group, const std::shared_ptr<StreamReceiver>& client, ResumePoints points,
                  std::function<void(const std::vector<bool>&)> done);

}  // namespace tickpipe::internal
