#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "feed/feed_spec.h"
#include "model/name_registry.h"
#include "model/names.h"
#include "pipeline/pipeline_config.h"
#include "serve/stream/local_streams.h"

namespace tickpipe::internal {

/// A feed as it is configured. Two with the same text are the same feed.
struct ConfiguredFeed {
  FeedSpec spec;
  std::string text;
};

class HttpHandler;
class Intake;
class MarketData;
class SystemStatus;
class VerdictLedger;

/// A whole running system: pipeline, feeds, read side, monitor, HTTP.
///
/// Life: construct (opens and recovers the data), start(), stop(). Threads: start(), stop() and reload() from one
/// thread.
class Server {
 public:
  struct Options {
    std::filesystem::path data_dir = "data";  ///< not touched with StoreType::kNone
    std::vector<ConfiguredFeed> feeds;
    std::string version;
    std::chrono::nanoseconds stats_interval = std::chrono::seconds{30};  ///< 0 = only by write_stats()
    bool listens = true;  ///< false: no socket; requests come through api()
  };

  /// `log` and `clock` outlive it. Throws Error, or ConfigError when the configuration does not fit the stored data.
  Server(const PipelineConfig& config, Options options, Log& log, const Clock& clock);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Throws ConfigError or Error, naming the remedy, when it cannot listen. Nothing was taken in then.
  void start();
  /// Stops intake, works off what was accepted, commits it, closes. Tells each step in the log. Idempotent. Throws
  /// Error when something that was accepted could not be stored.
  void stop();

  /// Takes over what of the configuration may change while it runs; `changed` feeds are started and stopped. The rest
  /// stays as it is until the next start.
  void reload(const PipelineConfig& config, std::vector<ConfiguredFeed> feeds);

  /// Writes log lines that wait. To be called about once a second.
  void tick();

  /// Quotes to a function of this process; see LocalStreams. Any thread, between construction and stop(), which gives
  /// handlers what is committed before it ends them.
  [[nodiscard]] std::unique_ptr<LocalSubscription> subscribe(std::vector<Name> symbols, const QuoteOptions& options,
                                                             QuoteHandler handler);

  /// 0 before start(), and for one that does not listen.
  [[nodiscard]] std::uint16_t port() const;

  /// Writes the line of statistics. Any thread.
  void write_stats();

  // The parts, for a program that embeds it. Valid as long as the server; requests through api() end
  // before it does.
  [[nodiscard]] HttpHandler& api() noexcept;
  [[nodiscard]] Intake& intake() noexcept;
  [[nodiscard]] VerdictLedger& ledger() noexcept;
  [[nodiscard]] const MarketData& market() const noexcept;
  [[nodiscard]] const SystemStatus& status() const noexcept;
  [[nodiscard]] const SymbolRegistry& symbols() const noexcept;
  [[nodiscard]] const LpRegistry& lps() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tickpipe::internal
