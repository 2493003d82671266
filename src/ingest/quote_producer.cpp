#include "ingest/quote_producer.h"

namespace tickpipe::internal {
namespace {

/// A source that waits for room looks this often whether the store still takes anything.
constexpr std::chrono::milliseconds kLookAgain{100};

}  // namespace

QuoteProducer::QuoteProducer(Intake& intake, const Name& default_lp, WhenFull when_full)
    : intake_(intake),
      default_lp_(default_lp),
      when_full_(when_full),
      counters_(intake.add_counters()),
      time_(intake.take_time()),
      rules_version_(intake.rules_version_.load(std::memory_order_acquire)),
      collected_(intake.parts_.inboxes.size()),
      lost_(collected_.size(), 0) {
  for (auto& quotes : collected_) quotes.reserve(kCollect);
}

QuoteProducer::~QuoteProducer() {
  flush();
  intake_.retire(counters_);
}

void QuoteProducer::refuse(Reason reason) noexcept {
  bump(counters_.received);
  bump(counters_.refused[index_of(reason)]);
}

void QuoteProducer::forget_names() {
  rules_version_ = intake_.rules_version_.load(std::memory_order_acquire);
  symbols_ = {};
}

std::optional<Reason> QuoteProducer::submit(const RawQuote& quote, std::optional<Reason> fault, QuoteOrigin origin) {
  // The order of checks: what is wrong with the names comes before what is wrong with prices and times.
  const bool names_are_good = !fault || index_of(*fault) > index_of(Reason::kTooManySymbols);
  auto refusal = names_are_good ? check_names(quote) : std::nullopt;
  if (!refusal) refusal = admit(quote, fault, origin);
  return collect(quote, refusal, origin);
}

std::optional<Reason> QuoteProducer::submit_recalled(const RawQuote& quote, std::optional<Reason> fault,
                                                     QuoteOrigin origin) {
  return collect(quote, admit(quote, fault, origin), origin);
}

/// Counts, and puts what is not refused to the others of its shard.
std::optional<Reason> QuoteProducer::collect(const RawQuote& quote, std::optional<Reason> refusal, QuoteOrigin origin) {
  bump(counters_.received);
  if (refusal) {
    bump(counters_.refused[index_of(*refusal)]);
    return refusal;
  }
  std::uint16_t marks = sink_;
  if (origin == QuoteOrigin::kLive) marks |= kLiveQuote;
  if (!quote.ts_event) marks |= kReceiveTimed;
  const std::size_t shard = symbol_->value % collected_.size();
  auto& quotes = collected_[shard];
  quotes.push_back({.ts_event = quote.ts_event.value_or(time_.now),
                    .ts_recv = time_.received,
                    .bid = quote.bid,
                    .ask = quote.ask,
                    .bid_size = quote.bid_size,
                    .ask_size = quote.ask_size,
                    .symbol = *symbol_,
                    .lp = *lp_,
                    .marks = marks});
  if (quotes.size() >= kCollect) flush(shard);
  return std::nullopt;
}

/// Decides on a quote whose names are in good form, with their numbers as far as they have some.
std::optional<Reason> QuoteProducer::admit(const RawQuote& quote, std::optional<Reason> fault, QuoteOrigin origin) {
  if (fault) return fault;
  if (quote.ts_event) {
    if (const auto reason = check_time(*quote.ts_event, origin)) return reason;
  } else if (origin == QuoteOrigin::kHistorical) {
    return Reason::kBadTimestamp;
  }
  if (intake_.is_refusing() || refuses_all_) [[unlikely]]
    return Reason::kStoreUnavailable;
  // Only a quote in good form makes a name known.
  if (!lp_) {
    lp_ = intake_.parts_.lps.intern(last_lp_name_);
    if (!lp_) return Reason::kTooManyLps;
    lps_.insert(last_lp_name_, *lp_);
    last_lp_ = lp_;
  }
  if (!symbol_) {
    symbol_ = intake_.parts_.symbols.intern(quote.symbol);
    if (!symbol_) return Reason::kTooManySymbols;
    symbols_.insert(quote.symbol, *symbol_);
  }
  return std::nullopt;
}

std::optional<Reason> QuoteProducer::check_time(UnixNanos ts_event, QuoteOrigin origin) {
  const std::int64_t max_future = intake_.max_future_ns_.load(std::memory_order_relaxed);
  if (max_future != 0 && ts_event.ns - time_.now.ns > max_future) [[unlikely]] {
    time_ = intake_.take_time();
    if (ts_event.ns - time_.now.ns > max_future) return Reason::kInFuture;
  }
  if (origin == QuoteOrigin::kLive) {
    const std::int64_t max_age = intake_.max_age_ns_.load(std::memory_order_relaxed);
    if (max_age != 0 && time_.now.ns - ts_event.ns > max_age) return Reason::kTooOld;
  }
  return std::nullopt;
}

std::optional<Reason> QuoteProducer::check_names(const RawQuote& quote) {
  const Name& lp_name = quote.lp ? *quote.lp : default_lp_;
  if (last_lp_ && lp_name == last_lp_name_) {
    lp_ = last_lp_;
  } else {
    last_lp_name_ = lp_name;
    lp_ = last_lp_ = lps_.find(lp_name);
    if (!lp_ && !intake_.parts_.lps.find(lp_name) && intake_.parts_.lps.full()) return Reason::kTooManyLps;
  }
  symbol_ = symbols_.find(quote.symbol);
  if (!symbol_) {
    if (!intake_.is_allowed(quote.symbol)) return Reason::kUnknownSymbol;
    if (!intake_.parts_.symbols.find(quote.symbol) && intake_.parts_.symbols.full()) return Reason::kTooManySymbols;
  }
  return std::nullopt;
}

void QuoteProducer::flush() {
  for (std::size_t shard = 0; shard < collected_.size(); ++shard) flush(shard);
}

void QuoteProducer::flush(std::size_t shard) {
  auto& quotes = collected_[shard];
  if (quotes.empty()) return;
  QuoteInbox& inbox = *intake_.parts_.inboxes[shard];
  std::size_t sent = inbox.try_push(quotes);
  while (sent < quotes.size() && when_full_ == WhenFull::kWait && !intake_.is_refusing()) {
    inbox.wait_for_room(kLookAgain);
    sent += inbox.try_push(std::span(quotes).subspan(sent));
  }
  if (sent < quotes.size()) {
    const std::size_t rest = quotes.size() - sent;
    if (when_full_ == WhenFull::kDrop) {
      bump(counters_.dropped, rest);
    } else {
      bump(counters_.refused[index_of(Reason::kStoreUnavailable)], rest);
    }
    lost_[shard] += rest;
  }
  quotes.clear();
}

}  // namespace tickpipe::internal
