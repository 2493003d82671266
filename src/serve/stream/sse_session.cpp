#include "serve/stream/sse_session.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <tuple>
#include <utility>

#include "serve/stream/resume_check.h"
#include "serve/stream/stream_hub.h"

namespace tickpipe::internal {
namespace {

constexpr std::chrono::seconds kHeartbeat{15};

}  // namespace

SseSession::SseSession(std::shared_ptr<StreamGroup> group, HandedOver&& connection, std::vector<Name> symbols,
                       std::string last_id)
    : StreamClient(std::move(group), std::move(connection), StreamFormat::kSse), last_id_(std::move(last_id)) {
  for (const Name& name : symbols) seen_.push_back({name, std::nullopt, 0});
}

void SseSession::begin() {
  next_heartbeat_ = SteadyClock::now() + kHeartbeat;
  send("retry: 2000\n\n");
  for (Seen& one : seen_) {
    one.symbol = group().find_or_wait(*this, one.name);
    one.is_awaited = !one.symbol;
  }
  if (last_id_.empty()) return begin_sending({}, false);
  if (!take_id(last_id_)) return begin_sending({}, true);
  ResumePoints points;
  for (Seen& one : seen_) {
    one.is_checked = one.symbol && one.owes == 0;
    if (one.is_checked) points.emplace_back(*one.symbol, one.seq);
  }
  try {
    check_resume(group(), shared_from_this(), std::move(points),
                 [this](const std::vector<bool>& recovered) { begin_sending(recovered, false); });
  } catch (const std::exception&) {
    end_as_failed("too many clients resume at the moment");
  }
}

bool SseSession::take_id(std::string_view id) {
  const std::size_t colon = id.find(':');
  if (colon == std::string_view::npos || id.substr(0, colon) != parts().epoch) return false;
  std::vector<std::pair<std::uint64_t, char>> places;
  std::string_view rest = id.substr(colon);
  while (!rest.empty()) {  // it begins with a separator
    if (places.size() == seen_.size() || rest.front() != (places.empty() ? ':' : '.')) return false;
    rest.remove_prefix(1);
    auto& [seq, owes] = places.emplace_back();
    if (rest.starts_with('-') || rest.starts_with('!')) {
      owes = rest.front();
      rest.remove_prefix(1);
      continue;
    }
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), seq);
    if (error != std::errc{}) return false;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  }
  if (places.size() != seen_.size()) return false;
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    if (!seen_[i].is_awaited) std::tie(seen_[i].seq, seen_[i].owes) = places[i];
  }
  return true;
}

/// `recovered` answers for the checked symbols, in their order. `is_lost`: it had an id of another epoch or of other
/// symbols.
void SseSession::begin_sending(const std::vector<bool>& recovered, bool is_lost) {
  is_sending_ = true;
  std::size_t checked = 0;
  for (Seen& one : seen_) {
    const bool is_recovered = one.is_checked && recovered[checked];
    checked += one.is_checked ? 1 : 0;
    if (!one.symbol) continue;  // comes in on_symbol()
    if (!is_recovered) {
      start_afresh(one, is_lost || one.is_checked || one.owes == '!');
      continue;
    }
    QuoteOptions options;
    options.is_all = true;
    options.resume_after = one.seq;
    group().subscribe_quotes(*this, *one.symbol, options, false);
  }
}

/// Starts with the state of a symbol. `is_lost`: after more than can be sent again.
void SseSession::start_afresh(Seen& one, bool is_lost) {
  if (one.is_awaited) {  // the client has none of it, and all of it is to come
    one.seq = 0;
    is_lost = false;
  } else {
    // Without a latest quote the client has all there is, else it does not have it before it is sent.
    const QuoteSnapshot now = parts().market.snapshot(*one.symbol);
    one.seq = now.newest_seq;
    one.owes = now.latest.seq != 0 ? '-' : '\0';
  }
  if (is_lost) one.owes = '!';
  QuoteOptions options;
  options.is_all = true;
  options.is_unrecovered = is_lost;
  group().subscribe_quotes(*this, *one.symbol, options, false);
}

void SseSession::on_symbol(SymbolId symbol, const std::string& name) {
  for (Seen& one : seen_) {
    if (one.name.view() != name) continue;
    one.symbol = symbol;
    if (is_sending_) start_afresh(one, false);  // else it is still being found out what can be resumed
  }
}

void SseSession::take_quote(std::string& out, const Tick& /*tick*/, std::string_view message,
                            const MessageExtras& extras, const QuoteSubscription& subscription) {
  for (Seen& one : seen_) {
    if (one.symbol != subscription.symbol) continue;
    one.seq = subscription.last_sent;
    one.owes = 0;
    if (!extras.is_unrecovered) break;
    out.append("event: reset\ndata: {\"symbol\":\"").append(one.name.view()).append("\"}\n\n");
    break;
  }
  append_with_extras(out, message, StreamFormat::kSse, extras);
  append_id(out);
}

void SseSession::append_id(std::string& out) const {
  out.append("id: ").append(parts().epoch);
  char separator = ':';
  for (const Seen& one : seen_) {
    char digits[20];
    out.push_back(separator);
    separator = '.';
    if (one.owes != 0) {
      out.push_back(one.owes);
    } else {
      out.append(digits, std::to_chars(digits, digits + sizeof(digits), one.seq).ptr);
    }
  }
  out.append("\n\n");
}

void SseSession::tick(SteadyClock::time_point now) {
  if (now < next_heartbeat_) return;
  next_heartbeat_ = now + kHeartbeat;
  if (!is_stuck()) send(": heartbeat\n\n");
}

/// An event stream just ends; its client comes back and says what it had last.
void SseSession::append_goodbye(std::string& out, Goodbye /*why*/, std::string_view reason) {
  out.append(": ").append(reason).append("\n\n");
}

std::size_t SseSession::whole_messages(std::string_view unsent_from_start, std::size_t sent) const {
  if (sent == 0) return 0;
  const std::size_t end = unsent_from_start.find("\n\n", sent < 2 ? 0 : sent - 2);
  return end == std::string_view::npos ? unsent_from_start.size() : end + 2;
}

}  // namespace tickpipe::internal
