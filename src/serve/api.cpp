#include "serve/api.h"

#include <algorithm>
#include <array>
#include <exception>
#include <memory>

#include "core/error.h"
#include "core/safe_text.h"
#include "serve/problem.h"

namespace tickpipe::internal {
namespace {

constexpr std::string_view kSymbol = "symbol";
constexpr std::array<std::string_view, 0> kNoParameters = {};
constexpr std::array<std::string_view, 5> kHistoryParameters = {"limit", "from", "to", "order", "cursor"};
constexpr std::array<std::string_view, 6> kTicksParameters = {kSymbol, "limit", "from", "to", "order", "cursor"};
constexpr std::array<std::string_view, 7> kBarsParameters = {"timeframe", "limit",  "from", "to",
                                                             "order",     "closed", "fill"};
constexpr std::array<std::string_view, 1> kTimeframeParameter = {"timeframe"};
constexpr std::array<std::string_view, 1> kStreamParameters = {"symbol*"};
constexpr std::array<std::string_view, 1> kSymbolsParameter = {"symbols"};
constexpr std::array<std::string_view, 1> kIngestParameters = {"historical"};

constexpr std::array kOk = {200, 400};
constexpr std::array kFound = {302, 400};
constexpr std::array kOkOrUnavailable = {200, 400, 503};
constexpr std::array kOkOrUnknown = {200, 400, 404};
constexpr std::array kOkUnknownOrUnavailable = {200, 400, 404, 503};
constexpr std::array kIngestStatuses = {200, 400, 415, 429, 503};
constexpr std::array kUpgradeStatuses = {101, 400, 404, 426, 503};
constexpr std::array kStreamStatuses = {200, 400, 404, 503};
constexpr std::array kCleanupStatuses = {200, 400, 415, 503};

/// Part of the interface, but not built yet.
constexpr std::array<std::string_view, 2> kAbsentPaths = {"/api/pipeline/alerts", "/api/ticket"};

constexpr std::size_t kFewItems = 256;

/// Calls the receiver of an answer at most once, however the work that makes it ends.
class OneAnswer {
 public:
  explicit OneAnswer(Respond respond) : state_(std::make_shared<State>(std::move(respond))) {}
  void operator()(HttpResponse response) const {
    if (!state_->is_given.exchange(true)) state_->respond(std::move(response));
  }

 private:
  struct State {
    explicit State(Respond receiver) : respond(std::move(receiver)) {}
    Respond respond;
    std::atomic<bool> is_given{false};
  };
  std::shared_ptr<State> state_;
};

/// Runs `work` and turns what it throws into an answer. Causes stay inside: they name paths of the machine.
template <typename Work>
auto guarded(const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const Error&) {
    return to_response({503, "store_unavailable", "the store cannot be read at the moment; ask again later"});
  } catch (const std::exception&) {
    return to_response({500, "internal_error", "the request could not be answered"});
  }
}

}  // namespace

struct ApiRoutes {
  static constexpr std::array kTable = {
      Route{HttpMethod::kGet, "/api/quotes/latest/{symbol}", kNoParameters, kOkOrUnknown, &Api::latest_quote},
      Route{HttpMethod::kGet, "/api/ohlc/{symbol}", kBarsParameters, kOkUnknownOrUnavailable, &Api::bars},
      Route{HttpMethod::kGet, "/api/ohlc/latest/{symbol}", kTimeframeParameter, kOkOrUnknown, &Api::active_bar},
      Route{HttpMethod::kPost, "/api/ingest", kIngestParameters, kIngestStatuses, &Api::ingest},
      Route{HttpMethod::kGet, "/api/quotes/history/{symbol}", kHistoryParameters, kOkUnknownOrUnavailable,
            &Api::quote_history},
      Route{HttpMethod::kGet, "/api/quotes/latest", kNoParameters, kOk, &Api::latest_quotes},
      Route{HttpMethod::kGet, "/api/ticks/", kTicksParameters, kOkUnknownOrUnavailable, &Api::ticks_by_parameter},
      Route{HttpMethod::kGet, "/api/ticks/{symbol}", kHistoryParameters, kOkUnknownOrUnavailable, &Api::ticks},
      Route{HttpMethod::kGet, "/api/quotes/stream", kStreamParameters, kStreamStatuses, &Api::quote_stream},
      Route{HttpMethod::kGet, "/ws", kSymbolsParameter, kUpgradeStatuses, &Api::websocket},
      Route{HttpMethod::kGet, "/ws/ingest", kNoParameters, kUpgradeStatuses, &Api::websocket_ingest},
      Route{HttpMethod::kGet, "/api/symbols", kNoParameters, kOk, &Api::symbols},
      Route{HttpMethod::kGet, "/api/pipeline/health", kNoParameters, kOkOrUnavailable, &Api::health},
      Route{HttpMethod::kGet, "/api/pipeline/stats", kNoParameters, kOk, &Api::stats},
      Route{HttpMethod::kGet, "/api/pipeline/feed-health", kNoParameters, kOk, &Api::feed_health},
      Route{HttpMethod::kPost, "/admin/pipeline/cleanup", kNoParameters, kCleanupStatuses, &Api::cleanup},
      Route{HttpMethod::kGet, "/healthz", kNoParameters, kOk, &Api::liveness},
      Route{HttpMethod::kGet, "/readyz", kNoParameters, kOkOrUnavailable, &Api::readiness},
      Route{HttpMethod::kGet, "/metrics", kNoParameters, kOk, &Api::metrics},
      Route{HttpMethod::kGet, "/openapi.yaml", kNoParameters, kOk, &Api::openapi},
      Route{HttpMethod::kGet, "/docs", kNoParameters, kOk, &Api::docs},
      Route{HttpMethod::kGet, "/", kNoParameters, kFound, &Api::root},
  };
};

std::span<const Route> Api::routes() noexcept { return ApiRoutes::kTable; }

Api::Api(ApiParts parts)
    : parts_(std::move(parts)),
      timeframes_([this] {
        std::vector<KnownTimeframe> known;
        for (const Timeframe timeframe : parts_.market.timeframes()) known.push_back({timeframe, timeframe.name()});
        return known;
      }()),
      stale_after_ns_(parts_.stale_after.count()) {}

void Api::handle(HttpRequest&& request, Respond respond) {
  Outcome outcome = guarded([&] { return outcome_of(request); });
  if (outcome.later) {
    const OneAnswer answer(std::move(respond));
    try {
      parts_.run_in_background([answer, work = std::move(outcome.later)] { answer(guarded(work)); });
    } catch (const std::exception&) {
      answer(to_response({503, "busy", "too much is being answered at the moment; ask again later"}));
    }
  } else if (outcome.start) {
    const OneAnswer answer(std::move(respond));
    try {
      outcome.start(answer);
    } catch (const std::exception&) {
      answer(to_response({500, "internal_error", "the request could not be answered"}));
    }
  } else {
    respond(std::move(outcome.now));
  }
}

Outcome Api::outcome_of(HttpRequest& request) {
  const std::string_view path = request.raw_path();
  const RouteMatch match = find_route(routes(), request.method, path);
  if (match.route == nullptr) {
    if (match.path_is_known && request.method != HttpMethod::kOptions) {
      return method_not_allowed(allowed_methods(routes(), path));
    }
    if (match.path_is_known) return options_answer(allowed_methods(routes(), path));
    if (request.method == HttpMethod::kOptions && path == "*") return options_answer("GET, HEAD, POST, OPTIONS");
    if (std::find(kAbsentPaths.begin(), kAbsentPaths.end(), path) != kAbsentPaths.end()) {
      return Problem{404, "not_in_this_build", "this part of the interface is not in this build"};
    }
    return Problem{404, "not_found", "there is nothing at this path; /docs lists what there is"};
  }
  Query query;
  const std::string_view target = request.target;
  const std::string_view raw_query = target.substr(std::min(path.size() + 1, target.size()));
  if (const auto problem = query.parse(raw_query, match.route->parameters)) return *problem;
  return (this->*match.route->handler)({*match.route, request, match.symbol, query});
}

std::optional<Api::KnownSymbol> Api::symbol_of(const Call& call, ParameterReader& in) const {
  if (in.failed()) return std::nullopt;
  std::string_view text = call.symbol;
  std::string decoded;
  if (text.empty()) {
    const auto parameter = call.query.find(kSymbol);
    if (!parameter) {
      in.fail({400, "missing_parameter", "the parameter symbol is missing"});
      return std::nullopt;
    }
    text = *parameter;
  } else if (text.find('%') != std::string_view::npos) {
    if (!percent_decode(text, false, decoded)) {
      in.fail({400, "bad_symbol", "the symbol in the path has a % that is not followed by two hexadecimal digits"});
      return std::nullopt;
    }
    text = decoded;
  }
  const auto name = parse_symbol(text);
  if (!name) {
    in.fail({400, "bad_symbol",
             "'" + safe_text(text) +
                 "' is no symbol: 1 to 32 of A-Z a-z 0-9 . _ - / :, first and last alphanumeric, without .. or //"});
    return std::nullopt;
  }
  const auto id = parts_.symbols.find(*name);
  if (!id) {
    in.fail({404, "unknown_symbol", "no quote of '" + std::string(name->view()) + "' has come yet"});
    return std::nullopt;
  }
  return KnownSymbol{*id, *name};
}

std::vector<Api::KnownSymbol> Api::sorted_symbols() const {
  std::vector<KnownSymbol> known;
  const std::size_t count = parts_.symbols.size();
  known.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) known.push_back({SymbolId{i}, parts_.symbols.name(SymbolId{i})});
  std::sort(known.begin(), known.end(),
            [](const KnownSymbol& a, const KnownSymbol& b) { return a.name.view() < b.name.view(); });
  return known;
}

Outcome Api::now_or_later(std::size_t items, std::function<HttpResponse()> work) {
  if (items <= kFewItems) return work();
  return Outcome::in_background(std::move(work));
}

}  // namespace tickpipe::internal
