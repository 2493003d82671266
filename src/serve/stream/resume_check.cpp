#include "serve/stream/resume_check.h"

#include "core/error.h"
#include "serve/stream/catch_up.h"
#include "serve/stream/stream_hub.h"

namespace tickpipe::internal {
namespace {

/// Whether a client has more than there is here, by no more than may be on its way.
bool is_ahead(const MarketData& market, SymbolId symbol, std::uint64_t seq) {
  const std::uint64_t newest = market.snapshot(symbol).newest_seq;
  return seq > newest && seq - newest <= kMaxCatchUpTicks;
}

std::vector<bool> recoverable(const MarketData& market, const ResumePoints& points, std::chrono::nanoseconds age,
                              bool may_lag) {
  std::vector<bool> found;
  std::size_t total = 0;
  for (const auto& [symbol, seq] : points) {
    if (may_lag && is_ahead(market, symbol, seq)) {
      found.push_back(true);
      continue;
    }
    bool is_complete = false;
    try {
      const CatchUp missed = read_missed(market, symbol, seq, age);
      is_complete = missed.is_complete && total + missed.ticks.size() <= kMaxResumeTicks;
      if (is_complete) total += missed.ticks.size();
    } catch (const Error&) {  // the store cannot be read: a snapshot is what there is
    }
    found.push_back(is_complete);
  }
  return found;
}

}  // namespace

void check_resume(StreamGroup& group, const std::shared_ptr<StreamReceiver>& client, ResumePoints points,
                  std::function<void(const std::vector<bool>&)> done) {
  group.parts().run_in_background([points = std::move(points), done = std::move(done), loop = group.loop(),
                                   weak = std::weak_ptr(client), age = group.hub().live_tick_age(),
                                   may_lag = group.parts().may_lag, &market = group.parts().market]() mutable {
    auto answers = recoverable(market, points, age, may_lag);
    loop->post([weak, done = std::move(done), answers = std::move(answers)] {
      const auto there = weak.lock();
      if (there && !there->is_closed()) done(answers);
    });
  });
}

}  // namespace tickpipe::internal
