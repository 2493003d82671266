#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "model/ingest_door.h"
#include "model/market_data.h"
#include "model/name_registry.h"
#include "model/system_status.h"
#include "serve/history_cursor.h"
#include "serve/http.h"
#include "serve/router.h"

namespace tickpipe::internal {

class StreamHub;

/// What the API stands on. Everything outlives the Api.
struct ApiParts {
  const MarketData& market;
  const SystemStatus& status;
  IngestDoor& ingest;
  Maintenance& maintenance;
  const SymbolRegistry& symbols;
  const LpRegistry& lps;
  const Clock& clock;
  std::string epoch;                        ///< of the data directory; cursors of another one are refused
  std::chrono::nanoseconds stale_after{0};  ///< age from which a latest quote is stale
  /// Runs work that may read the disk or take long, on another thread or, in tests, at once. Never blocks.
  std::function<void(std::function<void()>)> run_in_background;
  StreamHub* streams = nullptr;  ///< null: no streams are served
};

/// The REST API: request in, response out, without a socket.
///
/// Place:    transport -> [api] -> MarketData, SystemStatus, IngestDoor, Maintenance.
/// Threads:  handle() from any thread. What is in memory is answered on the calling thread, the rest from
///           run_in_background or from the ingest door's thread.
/// Lifetime: work in the background and ingests under way refer to it: they end before it does.
/// Errors:   what a part throws becomes a problem of status 503 (Error) or 500; nothing leaves handle().
class Api final : public HttpHandler {
 public:
  explicit Api(ApiParts parts);

  void handle(HttpRequest&& request, Respond respond) override;
  void shut_down_streams(const IoLoop& loop) override;
  void close_streams(const IoLoop& loop) override;

  /// The JSON objects of /api/pipeline/stats and /api/pipeline/health. Any thread.
  [[nodiscard]] std::string stats_json() const;
  [[nodiscard]] std::string health_json() const { return health_json(parts_.status.health()); }

  /// Any thread, at any time.
  void set_stale_after(std::chrono::nanoseconds age) noexcept {
    stale_after_ns_.store(age.count(), std::memory_order_relaxed);
  }

  /// Quotes that were put into answers since start.
  [[nodiscard]] std::uint64_t quotes_served() const noexcept { return quotes_served_.load(std::memory_order_relaxed); }

  /// Everything the API answers to; what docs/openapi.yaml describes.
  [[nodiscard]] static std::span<const Route> routes() noexcept;

 private:
  friend struct ApiRoutes;

  struct KnownSymbol {
    SymbolId id;
    Name name;
  };
  struct KnownTimeframe {
    Timeframe timeframe;
    std::string name;
  };
  struct BarsRequest;
  struct HistoryRequest;
  class BarEncoder;
  class QuoteEncoder;

  // Quotes, in api_quotes.cpp.
  Outcome latest_quotes(const Call& call);
  Outcome latest_quote(const Call& call);
  Outcome quote_history(const Call& call);
  Outcome ticks(const Call& call);
  Outcome ticks_by_parameter(const Call& call);
  Outcome symbols(const Call& call);
  Outcome history(const Call& call, std::size_t default_limit);
  [[nodiscard]] HttpResponse history_page(const HistoryRequest& request) const;

  // Bars, in api_bars.cpp.
  Outcome bars(const Call& call);
  Outcome active_bar(const Call& call);
  [[nodiscard]] const KnownTimeframe* timeframe_of(const Query& query, ParameterReader& in) const;

  // The system itself, in api_status.cpp.
  Outcome health(const Call& call);
  Outcome stats(const Call& call);
  Outcome feed_health(const Call& call);
  Outcome liveness(const Call& call);
  Outcome readiness(const Call& call);
  Outcome metrics(const Call& call);
  Outcome openapi(const Call& call);
  Outcome docs(const Call& call);
  Outcome root(const Call& call);

  [[nodiscard]] std::string health_json(const HealthReport& report) const;

  // Streams, in api_stream.cpp.
  Outcome websocket(const Call& call);
  Outcome websocket_ingest(const Call& call);
  Outcome quote_stream(const Call& call);
  [[nodiscard]] std::optional<Problem> stream_problem() const;

  // What changes something, in api_ingest.cpp.
  Outcome ingest(const Call& call);
  Outcome cleanup(const Call& call);

  [[nodiscard]] Outcome outcome_of(HttpRequest& request);
  /// The symbol of the path or, where that has none, of the parameter `symbol`.
  [[nodiscard]] std::optional<KnownSymbol> symbol_of(const Call& call, ParameterReader& in) const;
  /// All symbols, by name.
  [[nodiscard]] std::vector<KnownSymbol> sorted_symbols() const;
  /// Does `work` now if it handles few items, else in the background.
  [[nodiscard]] static Outcome now_or_later(std::size_t items, std::function<HttpResponse()> work);

  const ApiParts parts_;
  const std::vector<KnownTimeframe> timeframes_;  ///< the configured ones, ascending
  std::atomic<std::int64_t> stale_after_ns_;
  mutable std::atomic<std::uint64_t> quotes_served_{0};
};

}  // namespace tickpipe::internal
