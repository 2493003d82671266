#include "serve/stream/sse_session.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <utility>

#include "serve/stream/resume_check.h"
#include "serve/stream/stream_hub.h"

namespace tickpipe {
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
    group().hub().interest().raise_new();  // before looking: see StreamGroup::wait_for
    one.symbol = parts().symbols.find(one.name);
    if (one.symbol) {
      group().hub().interest().lower_new();
    } else {
      group().wait_for(*this, one.name);
    }
  }
  const bool has_id = !last_id_.empty();
  const auto seqs = parse_id(last_id_);
  if (!seqs) return begin_sending({}, has_id);
  ResumePoints points;
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    seen_[i].seq = (*seqs)[i];
    if (seen_[i].symbol) points.emplace_back(*seen_[i].symbol, seen_[i].seq);
  }
  try {
    check_resume(group(), shared_from_this(), std::move(points),
                 [this](const std::vector<bool>& recovered) { begin_sending(recovered, true); });
  } catch (const std::exception&) {
    end_as_failed("too many clients resume at the moment");
  }
}

std::optional<std::vector<std::uint64_t>> SseSession::parse_id(std::string_view id) const {
  const std::size_t colon = id.find(':');
  if (colon == std::string_view::npos || id.substr(0, colon) != parts().epoch) return std::nullopt;
  std::vector<std::uint64_t> seqs;
  const char* at = id.data() + colon + 1;
  const char* const end = id.data() + id.size();
  while (true) {
    std::uint64_t seq = 0;
    const auto [next, error] = std::from_chars(at, end, seq);
    if (error != std::errc{}) return std::nullopt;
    seqs.push_back(seq);
    if (next == end) break;
    if (*next != '.') return std::nullopt;
    at = next + 1;
  }
  if (seqs.size() != seen_.size()) return std::nullopt;
  return seqs;
}

/// `recovered` answers for the known symbols, in their order.
void SseSession::begin_sending(const std::vector<bool>& recovered, bool has_id) {
  std::size_t known = 0;
  for (Seen& one : seen_) {
    if (!one.symbol) continue;
    QuoteOptions options;
    options.is_all = true;
    const bool is_recovered = known < recovered.size() && recovered[known];
    ++known;
    if (is_recovered) {
      options.resume_after = one.seq;
    } else {
      options.is_unrecovered = has_id;
    }
    group().subscribe_quotes(*this, *one.symbol, options, false);
  }
}

void SseSession::on_symbol(SymbolId symbol, const std::string& name) {
  for (Seen& one : seen_) {
    if (one.name.view() == name) one.symbol = symbol;
  }
  QuoteOptions options;
  options.is_all = true;
  group().subscribe_quotes(*this, symbol, options, false);
}

void SseSession::append_quote(std::string& out, std::string_view message, const MessageExtras& extras,
                              const QuoteSubscription& subscription) {
  for (Seen& one : seen_) {
    if (one.symbol != subscription.symbol) continue;
    one.seq = subscription.last_sent;
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
    out.append(digits, std::to_chars(digits, digits + sizeof(digits), one.seq).ptr);
    separator = '.';
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

}  // namespace tickpipe
