#include <algorithm>
#include <array>

#include "core/json_writer.h"
#include "core/safe_text.h"
#include "model/market_json.h"
#include "serve/api.h"
#include "serve/bar_fill.h"
#include "serve/problem.h"
#include "serve/timeframe_names.h"

namespace tickpipe::internal {
namespace {

constexpr std::size_t kBarBytes = 288;
constexpr std::size_t kBarsLimit = 100;
constexpr std::size_t kShortSeries = 1'000;  ///< longer ones are made in the background

}  // namespace

struct Api::BarsRequest {
  KnownSymbol symbol;
  const KnownTimeframe* timeframe;
  BarQuery query;
  std::optional<UnixNanos> from;
  std::optional<UnixNanos> to;
  bool oldest_first = true;
  bool fill = false;

  [[nodiscard]] std::vector<Bar> read(const Api& api) const;
  [[nodiscard]] std::vector<Bar> read_filled(const Api& api) const;
  [[nodiscard]] bool is_in_memory(const Api& api) const;
  [[nodiscard]] BarQuery before_from() const;
};

/// Writes the bars of one answer.
class Api::BarEncoder {
 public:
  BarEncoder(JsonWriter& json, std::string_view symbol, std::string_view timeframe) : json_(json) {
    start_ = R"({"symbol":")";
    start_ += symbol;
    start_ += R"(","timeframe":")";
    start_ += timeframe;
    start_ += R"(",)";
  }

  void write(const Bar& bar) {
    json_.raw(start_);
    write_bar_members(json_, bar);
    json_.close('}');
    json_.literal(",");
  }

 private:
  JsonWriter& json_;
  std::string start_;
};

const Api::KnownTimeframe* Api::timeframe_of(const Query& query, ParameterReader& in) const {
  const auto find = [this](Timeframe timeframe) -> const KnownTimeframe* {
    for (const auto& known : timeframes_) {
      if (known.timeframe == timeframe) return &known;
    }
    return nullptr;
  };
  const auto text = query.find("timeframe");
  if (!text) {
    const KnownTimeframe* minute = find(Timeframe{});
    return minute != nullptr ? minute : &timeframes_.front();
  }
  if (const auto timeframe = parse_timeframe_name(*text)) {
    if (const KnownTimeframe* known = find(*timeframe)) return known;
  }
  std::string names;
  for (const auto& known : timeframes_) names += (names.empty() ? "" : ", ") + known.name;
  in.fail({400, "unknown_timeframe", "timeframe must be one of " + names + ", not '" + safe_text(*text) + "'"});
  return nullptr;
}

Outcome Api::bars(const Call& call) {
  ParameterReader in(call.query);
  BarsRequest request{};
  request.query.limit = in.limit(kBarsLimit);
  request.from = in.time("from");
  request.to = in.time("to");
  request.oldest_first = in.either("order", "asc", "desc", true);
  request.query.closed_only = in.boolean("closed", false);
  request.fill = in.either("fill", "prev", "none", false);
  request.timeframe = timeframe_of(call.query, in);
  if (request.from && request.to && *request.from > *request.to) {
    in.fail({400, "bad_parameter", "from must not be after to"});
  }
  const auto symbol = symbol_of(call, in);
  if (in.failed()) return in.problem();

  request.symbol = *symbol;
  request.query.symbol = symbol->id;
  request.query.timeframe = request.timeframe->timeframe;
  request.query.from = request.from.value_or(kNoTime);
  request.query.to = request.to.value_or(kEndOfTime);
  auto work = [this, request] {
    auto found = request.read(*this);
    if (!request.oldest_first) std::reverse(found.begin(), found.end());
    JsonWriter json(found.size() * kBarBytes + 2);
    BarEncoder encoder(json, request.symbol.name.view(), request.timeframe->name);
    json.literal("[");
    for (const Bar& bar : found) encoder.write(bar);
    json.close(']');
    HttpResponse response;
    response.body = json.take();
    return response;
  };
  if (request.is_in_memory(*this)) return work();
  return Outcome::in_background(std::move(work));
}

std::vector<Bar> Api::BarsRequest::read(const Api& api) const {
  return fill ? read_filled(api) : api.parts_.market.bars(query);
}

BarQuery Api::BarsRequest::before_from() const {
  BarQuery before = query;
  before.from = kNoTime;
  before.to = *from;
  before.limit = 1;
  return before;
}

bool Api::BarsRequest::is_in_memory(const Api& api) const {
  if (query.limit > kShortSeries || !api.parts_.market.bars_in_memory(query)) return false;
  return !fill || !from || api.parts_.market.bars_in_memory(before_from());
}

std::vector<Bar> Api::BarsRequest::read_filled(const Api& api) const {
  const MarketData& market = api.parts_.market;
  const auto found = market.bars(query);
  FillRange range{from, to, api.parts_.clock.now(), query.limit};
  if (query.closed_only && to) {
    // What is still open is left out, but it is no gap: the series ends where it begins.
    BarQuery open = query;
    open.closed_only = false;
    open.limit = ParameterReader::kMaxLimit;
    if (!found.empty()) open.from = std::max(open.from, found.back().close_time);
    const auto rest = open.from < open.to ? market.bars(open) : std::vector<Bar>{};
    if (!rest.empty()) range.to = std::min(*range.to, rest.front().open_time);
  }
  return fill_gaps(
      found, range, [&](UnixNanos time) { return market.interval(query.symbol, query.timeframe, time); },
      [&]() -> std::optional<Price> {
        const auto before = market.bars(before_from());
        if (before.empty()) return std::nullopt;
        return before.back().close;
      });
}

Outcome Api::active_bar(const Call& call) {
  ParameterReader in(call.query);
  const KnownTimeframe* timeframe = timeframe_of(call.query, in);
  const auto symbol = symbol_of(call, in);
  if (in.failed()) return in.problem();
  const auto bar = parts_.market.active_bar(symbol->id, timeframe->timeframe);
  if (!bar) {
    return Problem{404, "no_active_bar",
                   "'" + std::string(symbol->name.view()) + "' has no active bar of " + timeframe->name};
  }
  JsonWriter json(kBarBytes);
  BarEncoder(json, symbol->name.view(), timeframe->name).write(*bar);
  HttpResponse response;
  response.body = json.take();
  response.body.pop_back();  // the comma
  return response;
}

}  // namespace tickpipe::internal
