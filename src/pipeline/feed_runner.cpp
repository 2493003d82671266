#include "pipeline/feed_runner.h"

#include <pthread.h>

#include "core/safe_text.h"

namespace tickpipe::internal {

class FeedRunner::Output final : public FeedOutput {
 public:
  explicit Output(FeedRunner& runner)
      : runner_(runner), producer_(runner.pipeline_.intake(), runner.default_lp_, QuoteProducer::WhenFull::kWait) {
    for (const SymbolActivity& symbol : runner.market_.activity()) {
      for (const LpActivity& lp : symbol.lps) newest_[{lp.lp, symbol.symbol}] = lp.last_event;
    }
  }

  void submit(const RawQuote& quote, std::optional<Reason> fault, QuoteOrigin origin) override {
    const Name& lp = quote.lp ? *quote.lp : runner_.default_lp_;
    if (!fault && !(lp == last_lp_)) {
      last_lp_ = lp;
      const std::lock_guard lock(runner_.lps_mutex_);
      runner_.lps_.emplace(lp.view());
    }
    producer_.submit(quote, fault, origin);
  }
  void refuse(Reason reason) override { producer_.refuse(reason); }
  void take_time() override { producer_.take_time(); }
  void flush() override { producer_.flush(); }

  [[nodiscard]] std::optional<UnixNanos> newest_stored(const Name& lp, const Name& symbol) const override {
    const auto lp_id = runner_.pipeline_.lps().find(lp);
    const auto symbol_id = runner_.pipeline_.symbols().find(symbol);
    if (!lp_id || !symbol_id) return std::nullopt;
    const auto it = newest_.find({*lp_id, *symbol_id});
    if (it == newest_.end() || it->second == kNoTime) return std::nullopt;
    return it->second;
  }

 private:
  FeedRunner& runner_;
  QuoteProducer producer_;
  Name last_lp_;
  std::map<std::pair<LpId, SymbolId>, UnixNanos> newest_;
};

FeedRunner::FeedRunner(std::unique_ptr<Feed> feed, const Name& default_lp, Pipeline& pipeline, const MarketData& market,
                       Log& log)
    : feed_(std::move(feed)), default_lp_(default_lp), pipeline_(pipeline), market_(market), log_(log) {}

FeedRunner::~FeedRunner() {
  request_stop();
  join();
}

void FeedRunner::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) {
    pthread_setname_np(pthread_self(), "feed");
    log_.info("Feed", safe_text(status().name, 256) + ": started");
    Output output(*this);
    feed_->run(stop, output);
    output.flush();
    const FeedStatus ended = status();
    std::string line = safe_text(ended.name, 256) + ": ";
    line += stop.stop_requested() ? "stopped" : std::string(to_string(ended.state));
    if (!ended.detail.empty()) line += ", " + safe_text(ended.detail, 256);
    log_.write(ended.state == FeedState::kFailed ? LogLevel::kError : LogLevel::kInfo, "Feed", line);
  });
}

void FeedRunner::join() {
  if (thread_.joinable()) thread_.join();
}

bool FeedRunner::has_sent(const Name& lp) const {
  const std::lock_guard lock(lps_mutex_);
  return lps_.contains(lp.view());
}

}  // namespace tickpipe::internal
