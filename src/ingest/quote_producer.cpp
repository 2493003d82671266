#include "ingest/quote_producer.h"

namespace tickpipe {

QuoteProducer::QuoteProducer(Intake& intake, const Name& default_lp, WhenFull when_full)
    : intake_(intake),
      default_lp_(default_lp),
      when_full_(when_full),
      counters_(intake.add_counters()),
      now_(intake.receive_time()),
      collected_(intake.inboxes_.size()) {
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

std::optional<Reason> QuoteProducer::submit(const RawQuote& quote, std::optional<Reason> fault) {
  bump(counters_.received);
  const auto reason = admit(quote, fault);
  if (reason) {
    bump(counters_.refused[index_of(*reason)]);
    return reason;
  }
  const std::size_t shard = symbol_->value % collected_.size();
  auto& quotes = collected_[shard];
  quotes.push_back({.ts_event = *quote.ts_event,
                    .ts_recv = now_,
                    .bid = quote.bid,
                    .ask = quote.ask,
                    .bid_size = quote.bid_size,
                    .ask_size = quote.ask_size,
                    .symbol = *symbol_,
                    .lp = *lp_});
  if (quotes.size() >= kCollect) flush(shard);
  return std::nullopt;
}

std::optional<Reason> QuoteProducer::admit(const RawQuote& quote, std::optional<Reason> fault) {
  // The order of checks: what is wrong with the names comes before what is wrong with prices and times.
  const bool names_are_good = !fault || index_of(*fault) > index_of(Reason::kTooManySymbols);
  if (names_are_good) {
    if (const auto reason = check_names(quote)) return reason;
  }
  if (fault) return fault;
  if (!quote.ts_event) return Reason::kBadTimestamp;
  const auto max_future = intake_.rules_.max_future;
  if (max_future.count() != 0 && *quote.ts_event - now_ > max_future) [[unlikely]] {
    now_ = intake_.receive_time();
    if (*quote.ts_event - now_ > max_future) return Reason::kInFuture;
  }
  // Only a quote in good form makes a name known.
  if (!lp_) {
    lp_ = intake_.lps_.intern(last_lp_name_);
    if (!lp_) return Reason::kTooManyLps;
    lps_.insert(last_lp_name_, *lp_);
    last_lp_ = lp_;
  }
  if (!symbol_) {
    symbol_ = intake_.symbols_.intern(quote.symbol);
    if (!symbol_) return Reason::kTooManySymbols;
    symbols_.insert(quote.symbol, *symbol_);
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
    if (!lp_ && !intake_.lps_.find(lp_name) && intake_.lps_.full()) return Reason::kTooManyLps;
  }
  symbol_ = symbols_.find(quote.symbol);
  if (!symbol_) {
    if (!intake_.is_allowed(quote.symbol)) return Reason::kUnknownSymbol;
    if (!intake_.symbols_.find(quote.symbol) && intake_.symbols_.full()) return Reason::kTooManySymbols;
  }
  return std::nullopt;
}

void QuoteProducer::flush() {
  for (std::size_t shard = 0; shard < collected_.size(); ++shard) flush(shard);
}

void QuoteProducer::flush(std::size_t shard) {
  auto& quotes = collected_[shard];
  if (quotes.empty()) return;
  QuoteInbox& inbox = *intake_.inboxes_[shard];
  if (when_full_ == WhenFull::kWait) {
    inbox.push(quotes);
  } else if (const std::size_t pushed = inbox.try_push(quotes); pushed < quotes.size()) {
    bump(counters_.dropped, quotes.size() - pushed);
  }
  quotes.clear();
}

}  // namespace tickpipe
