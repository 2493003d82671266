#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "core/log.h"
#include "ingest/quote_producer.h"
#include "model/feed.h"
#include "model/market_data.h"
#include "pipeline/pipeline.h"

namespace tickpipe::internal {

/// One feed, its thread and its door into the pipeline.
class FeedRunner {
 public:
  /// `default_lp` is for quotes that name none. The references outlive it.
  FeedRunner(std::unique_ptr<Feed> feed, const Name& default_lp, Pipeline& pipeline, const MarketData& market,
             Log& log);
  ~FeedRunner();
  FeedRunner(const FeedRunner&) = delete;
  FeedRunner& operator=(const FeedRunner&) = delete;

  void start();
  /// Returns at once; the feed ends soon.
  void request_stop() { thread_.request_stop(); }
  /// Waits for its end.
  void join();

  [[nodiscard]] FeedStatus status() const { return feed_->status(); }
  /// Whether quotes of this LP came from it.
  [[nodiscard]] bool has_sent(const Name& lp) const;

 private:
  class Output;

  const std::unique_ptr<Feed> feed_;
  const Name default_lp_;
  Pipeline& pipeline_;
  const MarketData& market_;
  Log& log_;
  mutable std::mutex lps_mutex_;
  std::set<std::string, std::less<>> lps_;
  std::jthread thread_;
};

}  // namespace tickpipe::internal
