#include "serve/stream/websocket_session.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/safe_text.h"
#include "serve/stream/resume_check.h"
#include "serve/stream/status_message.h"
#include "serve/stream/stream_hub.h"
#include "serve/timeframe_names.h"

namespace tickpipe::internal {
namespace {

constexpr std::string_view kAll = "*";
constexpr std::string_view kQuotesChannel = "quotes";
constexpr std::string_view kBarsChannel = "bars";

bool is_all(const ClientRequest& request) { return request.symbols.size() == 1 && request.symbols.front() == kAll; }

QuoteOptions options_of(const ClientRequest& request) {
  QuoteOptions options;
  options.is_all = request.is_all;
  options.interval_ms = request.interval_ms;
  return options;
}

}  // namespace

WebSocketSession::WebSocketSession(std::shared_ptr<StreamGroup> group, HandedOver&& connection,
                                   const WebSocketForm& form, std::vector<std::string> symbols)
    : WebSocketClient(std::move(group), std::move(connection), form, kMaxMessageBytes),
      first_symbols_(std::move(symbols)) {}

void WebSocketSession::begin() {
  reply({{"type", "welcome"},
         {"session", group().hub().next_session()},
         {"epoch", parts().epoch},
         {"heartbeat_ms", std::chrono::milliseconds{kPingEvery}.count()},
         {"protocol", 1}});
  if (first_symbols_.empty()) return;
  ClientRequest request;
  request.channel = kQuotesChannel;
  request.symbols = std::exchange(first_symbols_, {});
  subscribe_quotes(request, nullptr);
}

bool WebSocketSession::may_send(SteadyClock::time_point now) {
  if (now - second_began_ >= std::chrono::seconds{1}) {
    second_began_ = now;
    messages_ = 0;
  }
  return ++messages_ <= kMaxMessagesPerSecond;
}

void WebSocketSession::on_message(WsOpcode opcode, std::string_view message) {
  const bool is_binary = opcode == WsOpcode::kBinary;
  if (is_binary != (format() == StreamFormat::kMessagePack)) {
    return close_with(1003, is_binary ? "this connection speaks JSON in text messages"
                                      : "this connection speaks MessagePack in binary messages");
  }
  Json id;
  const ParsedRequest parsed = parse_request(message, format(), id);
  if (parsed.error) return fail(id, parsed.error->code, parsed.error->message);
  act_on(parsed.request, id);
}

void WebSocketSession::act_on(const ClientRequest& request, const Json& id) {
  using Op = ClientRequest::Op;
  if (request.op == Op::kPing) {
    Json pong{{"type", "pong"}};
    if (!id.is_null()) pong["id"] = id;
    return reply(pong);
  }
  if (request.op == Op::kAuth) return fail(id, "not_in_this_build", "authentication is not in this build");
  if (request.channel == "alerts") return fail(id, "not_in_this_build", "the channel alerts is not in this build");
  const bool is_of_symbols = request.channel == kQuotesChannel || request.channel == kBarsChannel;
  if (!is_of_symbols && request.channel != kStatsChannel && request.channel != kHealthChannel) {
    return fail(id, "unknown_channel",
                "channel must be quotes, bars, health or stats, not '" + safe_text(request.channel) + "'");
  }
  if (request.op == Op::kUnsubscribe) return unsubscribe(request, id);
  if (!is_of_symbols) return subscribe_status(request, id);
  if (request.symbols.empty()) return fail(id, "bad_request", R"(symbols is missing or empty; ["*"] stands for all)");
  if (request.channel == kBarsChannel) return subscribe_bars(request, id);
  if (request.resume) return resume_quotes(request, id);
  subscribe_quotes(request, id);
}

void WebSocketSession::fail(const Json& id, std::string_view code, std::string_view message) {
  Json error{{"type", "error"}};
  if (!id.is_null()) error["id"] = id;
  error["code"] = code;
  error["message"] = message;
  reply(error);
}

WebSocketSession::Json WebSocketSession::reply_to(const Json& id, const char* type, const ClientRequest& request) {
  Json reply{{"type", type}};
  if (!id.is_null()) reply["id"] = id;
  reply["channel"] = request.channel;
  if (request.channel == kBarsChannel) reply["timeframe"] = request.timeframe;
  reply["symbols"] = Json::array();
  reply["errors"] = Json::array();
  return reply;
}

std::size_t WebSocketSession::subscription_count() const {
  const auto named = [](const auto& list) {
    return static_cast<std::size_t>(
        std::count_if(list.begin(), list.end(), [](const auto& one) { return !one->is_wildcard; }));
  };
  std::size_t count = named(quotes) + named(bars) + (all_quotes ? 1 : 0) + all_bars.size();
  for (const Awaited& one : awaited_) count += (one.quotes ? 1U : 0U) + one.timeframes.size();
  return count;
}

std::vector<Name> WebSocketSession::checked_symbols(const ClientRequest& request, Json& reply) const {
  std::vector<Name> names;
  if (is_all(request)) {
    reply["symbols"].push_back(kAll);
    return names;
  }
  std::size_t room = kMaxSubscriptions - std::min(kMaxSubscriptions, subscription_count());
  for (const std::string& symbol : request.symbols) {
    const auto refuse = [&](std::string_view code) {
      reply["errors"].push_back({{"symbol", safe_text(symbol)}, {"code", code}});
    };
    const auto name = parse_symbol(symbol);
    if (!name) {
      refuse("bad_symbol");
    } else if (!parts().is_allowed(*name)) {
      refuse("unknown_symbol");
    } else if (std::find(names.begin(), names.end(), *name) == names.end()) {
      if (room == 0) {
        refuse("too_many_subscriptions");
        continue;
      }
      --room;
      names.push_back(*name);
      reply["symbols"].push_back(name->view());
    }
  }
  return names;
}

// --- quotes ---------------------------------------------------------------------------------------------------------

void WebSocketSession::subscribe_quotes(const ClientRequest& request, const Json& id) { start_quotes(request, id, {}); }

/// What can be resumed is found out first, as the answer says it; meanwhile nothing else is taken from the client.
void WebSocketSession::resume_quotes(const ClientRequest& request, const Json& id) {
  ResumePoints points;
  std::vector<std::string> names;
  if (request.resume->epoch == parts().epoch) {
    for (const auto& [symbol, seq] : request.resume->seq) {
      const auto name = parse_symbol(symbol);
      const auto number = name ? parts().symbols.find(*name) : std::nullopt;
      if (!number) continue;
      points.emplace_back(*number, seq);
      names.emplace_back(name->view());
    }
  }
  if (points.empty()) return start_quotes(request, id, {});
  is_resuming_ = true;
  try {
    check_resume(group(), shared_from_this(), std::move(points),
                 [this, request, id, names = std::move(names)](const std::vector<bool>& answers) {
                   std::vector<std::string> recovered;
                   for (std::size_t i = 0; i < names.size(); ++i) {
                     if (answers[i]) recovered.push_back(names[i]);
                   }
                   is_resuming_ = false;
                   if (is_finishing()) return;
                   start_quotes(request, id, recovered);
                   resume_input();
                 });
  } catch (const std::exception&) {
    is_resuming_ = false;
    fail(id, "busy", "too many clients resume at the moment; ask again in a second");
  }
}

void WebSocketSession::start_quotes(const ClientRequest& request, const Json& id,
                                    const std::vector<std::string>& recovered) {
  Json reply_message = reply_to(id, "subscribed", request);
  const std::vector<Name> names = checked_symbols(request, reply_message);
  QuoteOptions options = options_of(request);
  // What the client said of a symbol, as options.
  const auto options_for = [&](std::string_view symbol) {
    QuoteOptions one = options;
    if (!request.resume) return one;
    for (const auto& [name, seq] : request.resume->seq) {
      const auto parsed = parse_symbol(name);
      if (!parsed || parsed->view() != symbol) continue;
      if (std::find(recovered.begin(), recovered.end(), symbol) != recovered.end()) {
        one.resume_after = seq;
      } else {
        one.is_unrecovered = true;
      }
    }
    return one;
  };
  std::vector<std::pair<Name, QuoteOptions>> starts;
  for (const Name& name : names) starts.emplace_back(name, options_for(name.view()));
  if (is_all(request) && request.resume) {
    for (const auto& [symbol, seq] : request.resume->seq) {
      if (const auto name = parse_symbol(symbol)) starts.emplace_back(*name, options_for(name->view()));
    }
  }
  if (request.resume) {
    bool is_whole = true;
    for (const auto& [name, one] : starts) {
      if (one.is_unrecovered) is_whole = false;
    }
    reply_message["recovered"] = is_whole;
  }
  reply(reply_message);
  if (is_all(request)) group().subscribe_all_quotes(*this, options);
  for (const auto& [name, one] : starts) {
    if (is_all(request)) {
      if (const auto number = parts().symbols.find(name)) group().subscribe_quotes(*this, *number, one, true);
      continue;
    }
    const auto found = find_or_await(name);
    if (const auto* const number = std::get_if<SymbolId>(&found)) {
      group().subscribe_quotes(*this, *number, one, false);
    } else {
      std::get<Awaited*>(found)->quotes = one;
    }
  }
}

std::variant<SymbolId, WebSocketSession::Awaited*> WebSocketSession::find_or_await(const Name& name) {
  // First those that are waited for: one may have a number already while its first quote is on its way.
  for (Awaited& one : awaited_) {
    if (one.symbol == name.view()) return &one;
  }
  if (const auto number = group().find_or_wait(*this, name)) return *number;
  awaited_.push_back({std::string(name.view()), std::nullopt, {}});
  return &awaited_.back();
}

void WebSocketSession::on_symbol(SymbolId symbol, const std::string& name) {
  const auto at =
      std::find_if(awaited_.begin(), awaited_.end(), [&](const Awaited& one) { return one.symbol == name; });
  if (at == awaited_.end()) return;
  const Awaited awaited = std::move(*at);
  awaited_.erase(at);
  if (awaited.quotes) {
    QuoteOptions options = *awaited.quotes;
    options.resume_after.reset();
    group().subscribe_quotes(*this, symbol, options, false);
  }
  for (const std::uint32_t index : awaited.timeframes) group().subscribe_bars(*this, symbol, index, false);
}

// --- bars and the rest ----------------------------------------------------------------------------------------------

std::optional<std::uint32_t> WebSocketSession::timeframe_index(const ClientRequest& request) const {
  const auto& known = parts().market.timeframes();
  const auto wanted = request.timeframe.empty() ? Timeframe{} : parse_timeframe_name(request.timeframe);
  if (!wanted) return std::nullopt;
  const auto at = std::find(known.begin(), known.end(), *wanted);
  if (at == known.end()) {
    if (request.timeframe.empty()) return 0;  // no minutes here: the smallest
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(at - known.begin());
}

void WebSocketSession::subscribe_bars(const ClientRequest& request, const Json& id) {
  const auto index = timeframe_index(request);
  if (!index)
    return fail(id, "unknown_timeframe", "there are no bars of timeframe '" + safe_text(request.timeframe) + "'");
  ClientRequest named = request;
  named.timeframe = parts().market.timeframes()[*index].name();
  Json reply_message = reply_to(id, "subscribed", named);
  const std::vector<Name> names = checked_symbols(request, reply_message);
  reply(reply_message);
  if (is_all(request)) return group().subscribe_all_bars(*this, *index);
  for (const Name& name : names) {
    const auto found = find_or_await(name);
    if (const auto* const number = std::get_if<SymbolId>(&found)) {
      group().subscribe_bars(*this, *number, *index, false);
    } else {
      auto& timeframes = std::get<Awaited*>(found)->timeframes;
      if (std::find(timeframes.begin(), timeframes.end(), *index) == timeframes.end()) timeframes.push_back(*index);
    }
  }
}

void WebSocketSession::subscribe_status(const ClientRequest& request, const Json& id) {
  const bool is_stats = request.channel == kStatsChannel;
  (is_stats ? wants_stats_ : wants_health_) = true;
  reply(reply_to(id, "subscribed", request));
  StatusMessage now(request.channel, is_stats ? parts().stats_json() : parts().health_json(), group().hub().encoded());
  send(now.frame(format(), takes_deflate()));
}

bool WebSocketSession::wants_status(std::string_view channel) const {
  return (wants_stats_ && channel == kStatsChannel) || (wants_health_ && channel == kHealthChannel);
}

void WebSocketSession::unsubscribe(const ClientRequest& request, const Json& id) {
  Json reply_message = reply_to(id, "unsubscribed", request);
  if (request.channel == kStatsChannel || request.channel == kHealthChannel) {
    (request.channel == kStatsChannel ? wants_stats_ : wants_health_) = false;
    return reply(reply_message);
  }
  if (request.symbols.empty()) return fail(id, "bad_request", R"(symbols is missing or empty; ["*"] stands for all)");
  if (request.channel == kBarsChannel && !timeframe_index(request)) {
    return fail(id, "unknown_timeframe", "there are no bars of timeframe '" + safe_text(request.timeframe) + "'");
  }
  for (const std::string& symbol : request.symbols) {
    if (unsubscribe_one(request, symbol)) {
      reply_message["symbols"].push_back(safe_text(symbol));
    } else {
      reply_message["errors"].push_back({{"symbol", safe_text(symbol)}, {"code", "not_subscribed"}});
    }
  }
  reply(reply_message);
}

bool WebSocketSession::unsubscribe_one(const ClientRequest& request, const std::string& symbol) {
  const bool is_bars = request.channel == kBarsChannel;
  const std::uint32_t index = is_bars ? *timeframe_index(request) : 0;
  if (symbol == kAll) {
    return is_bars ? group().unsubscribe_all_bars(*this, index) : group().unsubscribe_all_quotes(*this);
  }
  const auto name = parse_symbol(symbol);
  if (!name) return false;
  for (auto it = awaited_.begin(); it != awaited_.end(); ++it) {
    if (it->symbol != name->view()) continue;
    const std::size_t before = it->timeframes.size() + (it->quotes ? 1 : 0);
    if (is_bars) {
      it->timeframes.erase(std::remove(it->timeframes.begin(), it->timeframes.end(), index), it->timeframes.end());
    } else {
      it->quotes.reset();
    }
    const bool was_there = it->timeframes.size() + (it->quotes ? 1 : 0) != before;
    if (it->timeframes.empty() && !it->quotes) {
      group().stop_waiting_for(*this, name->view());
      awaited_.erase(it);
    }
    return was_there;
  }
  const auto number = parts().symbols.find(*name);
  if (!number) return false;
  return is_bars ? group().unsubscribe_bars(*this, *number, index) : group().unsubscribe_quotes(*this, *number);
}

}  // namespace tickpipe::internal
