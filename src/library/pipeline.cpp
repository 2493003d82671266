#include <tickpipe/pipeline.h>

#include <algorithm>
#include <utility>

#include "core/safe_text.h"
#include "library/conversions.h"
#include "library/engine.h"
#include "library/subscription_impl.h"
#include "model/market_data.h"
#include "model/names.h"

namespace tickpipe {
namespace {

constexpr std::size_t kMaxLimit = 10'000;

std::size_t checked_limit(const RangeQuery& range) {
  if (range.limit >= 1 && range.limit <= kMaxLimit) return range.limit;
  throw ConfigError("limit: " + std::to_string(range.limit) + " is not from 1 to 10000");
}

internal::UnixNanos moment(Timestamp time, internal::UnixNanos otherwise) {
  return time.is_none() ? otherwise : internal::UnixNanos{time.nanos()};
}

std::optional<internal::SymbolId> find_symbol(const internal::Server& server, std::string_view text) {
  const auto name = internal::parse_symbol(text);
  return name ? server.symbols().find(*name) : std::nullopt;
}

Tick convert(const internal::Server& server, const internal::Tick& tick) {
  Tick out;
  internal::convert(tick, server.symbols(), server.lps(), out);
  return out;
}

}  // namespace

std::string_view version() noexcept { return TICKPIPE_VERSION; }

Pipeline::Pipeline(const PipelineConfig& config)
    : engine_(config.enabled ? std::make_shared<internal::Engine>(config) : nullptr) {}

Pipeline::~Pipeline() {
  if (engine_) engine_->close();
}

void Pipeline::start() {
  if (engine_) engine_->start();
}

void Pipeline::stop() {
  if (engine_) engine_->stop();
}

bool Pipeline::is_running() const noexcept { return engine_ && engine_->is_running(); }

Statistics Pipeline::stats() const {
  if (!engine_) return {};
  return engine_->read([](const internal::Server& server) { return internal::convert(server.status().stats()); },
                       Statistics{});
}

Health Pipeline::health() const {
  if (!engine_) return {};
  return engine_->read([](const internal::Server& server) { return internal::convert(server.status().health()); },
                       Health{});
}

std::optional<Tick> Pipeline::latest(std::string_view symbol) const {
  if (!engine_) return std::nullopt;
  return engine_->read(
      [symbol](const internal::Server& server) -> std::optional<Tick> {
        const auto id = find_symbol(server, symbol);
        if (!id) return std::nullopt;
        const auto tick = server.market().latest(*id);
        if (!tick) return std::nullopt;
        return convert(server, *tick);
      },
      std::optional<Tick>());
}

std::vector<Tick> Pipeline::quotes(std::string_view symbol, const RangeQuery& range) const {
  internal::TickQuery query;
  query.limit = checked_limit(range);
  query.from = std::max(moment(range.from, internal::kFirstTickTime), internal::kFirstTickTime);
  query.to = std::min(moment(range.to, internal::kEndOfTickTime), internal::kEndOfTickTime);
  if (!engine_) return {};
  return engine_->read(
      [&](const internal::Server& server) {
        std::vector<Tick> out;
        const auto id = find_symbol(server, symbol);
        if (!id || query.from >= query.to) return out;
        query.symbol = *id;
        const internal::TickPage page = server.market().ticks(query);
        out.reserve(page.ticks.size());
        for (const internal::Tick& tick : page.ticks) out.push_back(convert(server, tick));
        std::reverse(out.begin(), out.end());
        return out;
      },
      std::vector<Tick>());
}

std::vector<Bar> Pipeline::bars(std::string_view symbol, std::string_view timeframe, const RangeQuery& range) const {
  internal::BarQuery query;
  query.limit = checked_limit(range);
  query.from = moment(range.from, internal::kNoTime);
  query.to = moment(range.to, internal::kEndOfTime);
  if (!engine_) return {};
  return engine_->read(
      [&](const internal::Server& server) {
        const auto parsed = internal::parse_timeframe(timeframe);
        const auto& known = server.market().timeframes();
        if (!parsed || std::find(known.begin(), known.end(), *parsed) == known.end()) {
          throw ConfigError("timeframe: \"" + internal::safe_text(timeframe) + "\" is not among the configured ones");
        }
        std::vector<Bar> out;
        const auto id = find_symbol(server, symbol);
        if (!id || query.from >= query.to) return out;
        query.symbol = *id;
        query.timeframe = *parsed;
        const std::string name(server.symbols().name(*id).view());
        const std::string timeframe_name = parsed->name();
        for (const internal::Bar& bar : server.market().bars(query)) {
          out.push_back(internal::convert(bar, name, timeframe_name));
        }
        return out;
      },
      std::vector<Bar>());
}

std::vector<std::string> Pipeline::symbols() const {
  if (!engine_) return {};
  return engine_->read(
      [](const internal::Server& server) {
        std::vector<std::string> out;
        const std::size_t count = server.symbols().size();
        for (std::uint32_t i = 0; i < count; ++i) {
          out.emplace_back(server.symbols().name(internal::SymbolId{i}).view());
        }
        std::sort(out.begin(), out.end());
        return out;
      },
      std::vector<std::string>());
}

Subscription Pipeline::subscribe(const std::vector<std::string>& symbols, TickHandler handler,
                                 const SubscribeOptions& options) {
  if (!engine_) return {};
  return Subscription::Impl::make(engine_->subscribe(symbols, std::move(handler), options));
}

std::uint16_t Pipeline::http_port() const noexcept {
  if (!engine_) return 0;
  return engine_->read([](const internal::Server& server) { return server.port(); }, std::uint16_t{0});
}

}  // namespace tickpipe
