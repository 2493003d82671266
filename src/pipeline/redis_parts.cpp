#include "pipeline/redis_parts.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/safe_text.h"
#include "store/embedded_store.h"

namespace tickpipe::internal {
namespace {

constexpr std::string_view kSinkName = "redis";
/// Reading the log takes longer than writing all keys again when there is more than this.
constexpr std::uint64_t kMostReadAgain = 4'000'000;

RedisEndpoint endpoint_of(const std::string& text, const char* key) {
  const auto endpoint = parse_redis_endpoint(text);
  if (!endpoint) throw ConfigError(std::string(key) + ": \"" + safe_text(text) + "\" is not host:port");
  return *endpoint;
}

/// Collects what commits changed.
class ChangeCollector final : public LogVisitor {
 public:
  struct TooMuch {};

  explicit ChangeCollector(const std::vector<Timeframe>& timeframes) : timeframes_(timeframes) {}

  void on_removed(Position /*position*/) override { throw TooMuch{}; }
  void on_tick(const Tick& tick, Position /*position*/) override { touch(tick.symbol); }
  void on_close(const CloseMark& /*mark*/, Position /*position*/) override {}
  void on_amended(const Tick& tick, Position /*position*/) override { touch(tick.symbol); }
  void on_bar(const keys::BarKey& key, const StoredBar& stored) override {
    const auto at = std::find(timeframes_.begin(), timeframes_.end(), key.timeframe);
    if (at == timeframes_.end()) return;  // of a timeframe that was configured once
    changes_.bars.push_back({key.symbol, static_cast<std::uint32_t>(at - timeframes_.begin()), stored.bar});
    count();
  }

  ChangesSince take() {
    changes_.symbols.assign(symbols_.begin(), symbols_.end());
    return std::move(changes_);
  }

 private:
  void touch(SymbolId symbol) {
    symbols_.insert(symbol);
    count();
  }
  void count() {
    if (++seen_ > kMostReadAgain) throw TooMuch{};
  }

  const std::vector<Timeframe>& timeframes_;
  std::set<SymbolId> symbols_;
  ChangesSince changes_;
  std::uint64_t seen_ = 0;
};

}  // namespace

std::optional<ChangesSince> changes_since(const EmbeddedStore& store, const std::vector<Timeframe>& timeframes,
                                          Position position) {
  ChangeCollector collector(timeframes);
  try {
    store.read_after(position, collector);
  } catch (const ChangeCollector::TooMuch&) {
    return std::nullopt;
  }
  return collector.take();
}

RedisSettings redis_settings(const PipelineConfig& config) {
  RedisSettings settings;
  if (!config.redis_addr.empty()) settings.address = endpoint_of(config.redis_addr, "redis_addr");
  settings.username = config.redis_username;
  settings.password = config.redis_password;
  settings.database = config.redis_db;
  for (const std::string& sentinel : config.redis_sentinels) {
    settings.sentinels.push_back(endpoint_of(sentinel, "redis_sentinels"));
  }
  settings.master_name = config.redis_master;
  settings.connection.uses_tls = config.redis_tls;
  settings.connection.ca_file = config.redis_tls_ca;
  return settings;
}

std::unique_ptr<RedisSink> make_redis_sink(const PipelineConfig& config, Pipeline& pipeline, const MarketData& market,
                                           Log& log) {
  if (!config.has_redis()) return nullptr;
  RedisSink::Options options;
  options.redis = redis_settings(config);
  for (const std::string& text : config.redis_symbols) {
    const auto symbol = parse_symbol(text);
    if (!symbol) throw ConfigError("redis_symbols: \"" + safe_text(text) + "\" is not a symbol");
    options.symbols.push_back(*symbol);
  }
  options.kept_ticks = config.hot_data_retention;
  options.live_tick_age = config.live_tick_age;
  EmbeddedStore* const store = pipeline.store();
  return std::make_unique<RedisSink>(
      RedisSink::Parts{.market = market,
                       .symbols = pipeline.symbols(),
                       .lps = pipeline.lps(),
                       .log = log,
                       .epoch = pipeline.epoch(),
                       .start = store != nullptr ? store->newest_position() : Position{},
                       .changes_since = [store, &pipeline](Position position) -> std::optional<ChangesSince> {
                         if (store == nullptr) return std::nullopt;
                         return changes_since(*store, pipeline.timeframes(), position);
                       },
                       .load_position = [store]() -> std::optional<Position> {
                         return store != nullptr ? store->sink_position(kSinkName) : std::nullopt;
                       },
                       .save_position =
                           [store](Position position) {
                             if (store != nullptr) store->set_sink_position(kSinkName, position);
                           }},
      std::move(options));
}

}  // namespace tickpipe::internal
