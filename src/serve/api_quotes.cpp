#include <algorithm>

#include "core/json_writer.h"
#include "model/market_json.h"
#include "serve/api.h"
#include "serve/problem.h"

namespace tickpipe::internal {
namespace {

constexpr std::size_t kQuoteBytes = 384;
constexpr std::size_t kHistoryLimit = 100;
constexpr std::size_t kTicksLimit = 500;
/// Longer answers from memory are made in the background, so that the connections of an I/O thread wait little.
constexpr std::size_t kShortPage = 1'000;

HttpResponse json_response(JsonWriter& json) {
  HttpResponse response;
  response.body = json.take();
  return response;
}

}  // namespace

/// Writes the quotes of one answer, all judged by the same moment.
class Api::QuoteEncoder {
 public:
  QuoteEncoder(const Api& api, JsonWriter& json)
      : api_(api),
        lps_(api.parts_.lps),
        json_(json),
        stale_before_(api.parts_.clock.now() -
                      std::chrono::nanoseconds{api.stale_after_ns_.load(std::memory_order_relaxed)}) {}

  ~QuoteEncoder() { api_.quotes_served_.fetch_add(written_, std::memory_order_relaxed); }
  QuoteEncoder(const QuoteEncoder&) = delete;
  QuoteEncoder& operator=(const QuoteEncoder&) = delete;

  void write(const Tick& tick, std::string_view symbol, bool with_flags) {
    ++written_;
    if (tick.lp != lp_ || lp_name_.view().empty()) {
      lp_ = tick.lp;
      lp_name_ = lps_.name(tick.lp);
    }
    json_.literal("{");
    write_quote_members(json_, tick, symbol, lp_name_.view());
    json_.literal(R"("stale":)");
    json_.boolean(std::min(tick.ts_event, tick.ts_recv) < stale_before_);
    json_.literal(",");
    write_size_members(json_, tick);
    if (with_flags) write_flags_member(json_, tick);
    json_.close('}');
    json_.literal(",");
  }

 private:
  const Api& api_;
  std::uint64_t written_ = 0;
  const LpRegistry& lps_;
  JsonWriter& json_;
  const UnixNanos stale_before_;
  LpId lp_;
  Name lp_name_;
};

Outcome Api::latest_quote(const Call& call) {
  ParameterReader in(call.query);
  const auto symbol = symbol_of(call, in);
  if (in.failed()) return in.problem();
  const auto tick = parts_.market.latest(symbol->id);
  if (!tick) {
    return Problem{404, "no_quote", "'" + std::string(symbol->name.view()) + "' has no latest quote yet"};
  }
  JsonWriter json(kQuoteBytes);
  QuoteEncoder(*this, json).write(*tick, symbol->name.view(), false);
  HttpResponse response = json_response(json);
  response.body.pop_back();  // the comma
  return response;
}

Outcome Api::latest_quotes(const Call&) {
  return now_or_later(parts_.symbols.size(), [this] {
    const auto known = sorted_symbols();
    JsonWriter json(known.size() * kQuoteBytes + 2);
    QuoteEncoder encoder(*this, json);
    json.literal("[");
    for (const KnownSymbol& symbol : known) {
      if (const auto tick = parts_.market.latest(symbol.id)) encoder.write(*tick, symbol.name.view(), false);
    }
    json.close(']');
    return json_response(json);
  });
}

struct Api::HistoryRequest {
  KnownSymbol symbol;
  std::string next_page;  ///< the target of the next page, but for its cursor
  TickQuery query;
};

Outcome Api::quote_history(const Call& call) { return history(call, kHistoryLimit); }
Outcome Api::ticks(const Call& call) { return history(call, kTicksLimit); }
Outcome Api::ticks_by_parameter(const Call& call) { return history(call, kTicksLimit); }

Outcome Api::history(const Call& call, std::size_t default_limit) {
  ParameterReader in(call.query);
  TickQuery query;
  query.limit = in.limit(default_limit);
  const auto from = in.time("from");
  const auto to = in.time("to");
  query.newest_first = in.either("order", "desc", "asc", true);
  const auto cursor_text = in.text("cursor", "one from a Link header");
  if (from && to && *from > *to) in.fail({400, "bad_parameter", "from must not be after to"});
  const auto symbol = symbol_of(call, in);
  if (in.failed()) return in.problem();

  query.symbol = symbol->id;
  query.from = from.value_or(query.from);
  query.to = to.value_or(query.to);
  if (cursor_text) {
    const auto cursor = decode_cursor(*cursor_text, parts_.epoch, symbol->name.view());
    if (!cursor) {
      return Problem{400, "bad_cursor",
                     "the cursor is damaged, or was made for another symbol or data directory; start again without it"};
    }
    if ((from && *from != cursor->from) || (to && *to != cursor->to) ||
        (call.query.find("order") && query.newest_first != cursor->newest_first)) {
      return Problem{400, "bad_cursor",
                     "the cursor was made for another from, to or order; leave them out or start again without it"};
    }
    query.from = cursor->from;
    query.to = cursor->to;
    query.newest_first = cursor->newest_first;
    query.max_seq = cursor->max_seq;
    query.after = cursor->after;
  }

  HistoryRequest request{*symbol, std::string(call.route.path), query};
  if (const std::size_t pattern = request.next_page.find('{'); pattern != std::string::npos) {
    request.next_page.resize(pattern);
    percent_encode(symbol->name.view(), request.next_page);
    request.next_page += '?';
  } else {
    request.next_page += "?symbol=";
    percent_encode(symbol->name.view(), request.next_page);
    request.next_page += '&';
  }
  if (query.limit <= kShortPage && parts_.market.ticks_in_memory(query)) return history_page(request);
  return Outcome::in_background([this, request = std::move(request)] { return history_page(request); });
}

HttpResponse Api::history_page(const HistoryRequest& request) const {
  const TickPage page = parts_.market.ticks(request.query);
  const std::string_view symbol = request.symbol.name.view();
  JsonWriter json(page.ticks.size() * kQuoteBytes + 2);
  QuoteEncoder encoder(*this, json);
  json.literal("[");
  for (const Tick& tick : page.ticks) encoder.write(tick, symbol, true);
  json.close(']');
  HttpResponse response = json_response(json);
  if (page.has_more && !page.ticks.empty()) {
    const TickQuery& query = request.query;
    const Tick& last = page.ticks.back();
    const HistoryCursor cursor{query.from, query.to, query.newest_first, page.max_seq, {last.ts_event, last.seq}};
    response.headers.emplace_back("Link", "<" + request.next_page + "limit=" + std::to_string(query.limit) +
                                              "&order=" + (query.newest_first ? "desc" : "asc") + "&cursor=" +
                                              encode_cursor(cursor, parts_.epoch, symbol) + ">; rel=\"next\"");
  }
  return response;
}

Outcome Api::symbols(const Call&) {
  return now_or_later(parts_.symbols.size(), [this] {
    struct Row {
      Name name;
      const SymbolActivity* activity;
    };
    const auto activities = parts_.market.activity();
    std::vector<Row> rows;
    rows.reserve(activities.size());
    for (const auto& activity : activities) rows.push_back({parts_.symbols.name(activity.symbol), &activity});
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.name.view() < b.name.view(); });
    JsonWriter json(rows.size() * 192 + 2);
    json.literal("[");
    std::vector<Name> lps;
    for (const Row& row : rows) {
      json.literal(R"({"symbol":")");
      json.raw(row.name.view());
      json.literal(R"(","tick_count":)");
      json.number(row.activity->tick_count);
      json.literal(R"(,"last_tick_time":)");
      json.time_ns_or_null(row.activity->last_event);
      json.literal(R"(,"lps":[)");
      lps.clear();
      for (const LpActivity& lp : row.activity->lps) lps.push_back(parts_.lps.name(lp.lp));
      std::sort(lps.begin(), lps.end(), [](const Name& a, const Name& b) { return a.view() < b.view(); });
      for (const Name& lp : lps) {
        json.text(lp.view());
        json.literal(",");
      }
      json.close(']');
      json.literal("},");
    }
    json.close(']');
    return json_response(json);
  });
}

}  // namespace tickpipe::internal
