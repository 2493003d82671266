#include "library/quote_door.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

#include "model/names.h"

namespace tickpipe::internal {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Quotes of a batch that go to the shards together.
constexpr std::size_t kAtOnce = 128;
/// Who waits looks this often whether there is still something to wait for.
constexpr std::chrono::milliseconds kLookAgain{50};

LpQuoteResult refused(Reason reason) noexcept {
  return {LpQuoteResult::Status::kRefused, static_cast<tickpipe::Reason>(reason)};
}

bool is_bad_size(const std::optional<tickpipe::Decimal>& size) noexcept { return size && size->units() < 0; }

Quantity size_of(const std::optional<tickpipe::Decimal>& size) noexcept {
  return size ? Quantity{size->units()} : kNoQuantity;
}

SteadyClock::time_point deadline_after(std::chrono::nanoseconds timeout) noexcept {
  // A year is for ever, and does not overflow.
  return SteadyClock::now() +
         std::clamp<std::chrono::nanoseconds>(timeout, std::chrono::nanoseconds{0}, std::chrono::hours{24 * 365});
}

/// A caller that waits for its verdict. Shared with the ticket's callback, which may come when the caller has left.
struct Waiter {
  std::mutex mutex;
  std::condition_variable wake;
  bool is_settled = false;
  const VerdictTicket* ticket = nullptr;
};

}  // namespace

QuoteDoor::QuoteDoor(Intake& intake, VerdictLedger& ledger)
    : intake_(intake), ledger_(ledger), slots_(std::make_shared<ProducerSlots>(intake)) {}

std::optional<Reason> QuoteDoor::read_names(const LpQuote& quote, RawQuote& out) noexcept {
  out.lp = parse_lp(quote.lp);
  if (!out.lp) return Reason::kBadLp;
  const auto symbol = parse_symbol(quote.symbol);
  if (!symbol) return Reason::kBadSymbol;
  out.symbol = *symbol;
  return std::nullopt;
}

std::optional<Reason> QuoteDoor::read_rest(const LpQuote& quote, RawQuote& out) noexcept {
  if (is_bad_size(quote.bid_size) || is_bad_size(quote.ask_size)) return Reason::kMalformed;
  out.bid = {quote.bid.units()};
  out.ask = {quote.ask.units()};
  out.bid_size = size_of(quote.bid_size);
  out.ask_size = size_of(quote.ask_size);
  if (out.bid.units <= 0 || out.ask.units <= 0) return Reason::kBadPrice;
  if (!quote.timestamp.is_none()) {
    const UnixNanos time{quote.timestamp.nanos()};
    if (time < kFirstTickTime || time >= kEndOfTickTime) return Reason::kBadTimestamp;
    out.ts_event = time;
  }
  if (out.bid > out.ask) return Reason::kCrossed;
  return std::nullopt;
}

/// Names that the producer has met are not parsed again.
std::optional<Reason> QuoteDoor::submit(QuoteProducer& producer, const LpQuote& quote) {
  RawQuote raw;
  if (producer.recall(quote.lp, quote.symbol)) {
    return producer.submit_recalled(raw, read_rest(quote, raw), QuoteOrigin::kLive);
  }
  auto fault = read_names(quote, raw);
  if (!fault) fault = read_rest(quote, raw);
  return producer.submit(raw, fault, QuoteOrigin::kLive);
}

LpQuoteResult QuoteDoor::process(const LpQuote& quote) noexcept {
  try {
    const ProducerSlots::Use use(*slots_);
    QuoteProducer* const producer = use.producer();
    if (producer == nullptr) return {LpQuoteResult::Status::kStopped};
    producer->take_time();
    if (const auto reason = submit(*producer, quote)) return refused(*reason);
    const std::uint32_t shard = producer->last_shard();
    producer->flush(shard);
    return {producer->take_lost(shard) == 0 ? LpQuoteResult::Status::kQueued : LpQuoteResult::Status::kQueueFull};
  } catch (const std::exception&) {  // no memory for a new thread or a new name
    return {LpQuoteResult::Status::kQueueFull};
  }
}

LpBatchResult QuoteDoor::process(std::span<const LpQuote> quotes, std::span<LpQuoteResult> results) noexcept {
  LpBatchResult total;
  std::array<LpQuoteResult, kAtOnce> local;
  std::size_t taken = 0;
  try {
    const ProducerSlots::Use use(*slots_);
    QuoteProducer* const producer = use.producer();
    while (producer != nullptr && taken < quotes.size()) {
      const std::size_t count = std::min(quotes.size() - taken, kAtOnce);
      const std::span<LpQuoteResult> part = std::span(local).first(count);
      process_some(*producer, quotes.subspan(taken, count), part, total);
      if (!results.empty()) std::copy(part.begin(), part.end(), results.begin() + static_cast<std::ptrdiff_t>(taken));
      taken += count;
    }
  } catch (const std::exception&) {  // no memory for a new thread or a new name
  }
  total.not_taken = quotes.size() - taken;
  for (; taken < quotes.size() && !results.empty(); ++taken) results[taken] = {LpQuoteResult::Status::kStopped};
  return total;
}

void QuoteDoor::process_some(QuoteProducer& producer, std::span<const LpQuote> quotes, std::span<LpQuoteResult> results,
                             LpBatchResult& total) {
  std::array<std::uint32_t, kAtOnce> shards{};
  producer.take_time();
  for (std::size_t i = 0; i < quotes.size(); ++i) {
    if (const auto reason = submit(producer, quotes[i])) {
      results[i] = refused(*reason);
      ++total.refused;
    } else {
      results[i] = {LpQuoteResult::Status::kQueued};
      shards[i] = producer.last_shard();
      ++total.queued;
    }
  }
  producer.flush();
  if (!producer.has_lost()) return;
  // What found no room are the last ones of their shard.
  for (std::size_t i = quotes.size(); i-- > 0;) {
    if (!results[i].is_queued()) continue;
    const std::size_t lost = producer.take_lost(shards[i]);
    if (lost == 0) continue;
    std::size_t rest = lost;
    for (std::size_t j = i + 1; j-- > 0 && rest != 0;) {
      if (!results[j].is_queued() || shards[j] != shards[i]) continue;
      if (j != i) results[j] = {LpQuoteResult::Status::kQueueFull};
      --rest;
    }
    results[i] = {LpQuoteResult::Status::kQueueFull};
    total.queued -= lost;
    total.dropped += lost;
  }
}

LpQuoteVerdict QuoteDoor::process_and_wait(const LpQuote& quote, std::chrono::nanoseconds timeout) {
  using Status = LpQuoteVerdict::Status;
  const auto deadline = deadline_after(timeout);
  const auto waiter = std::make_shared<Waiter>();
  const auto ticket = ledger_.open([this, waiter] {
    ledger_.close(*waiter->ticket);
    {
      const std::lock_guard lock(waiter->mutex);
      waiter->is_settled = true;
    }
    waiter->wake.notify_all();
  });
  if (!ticket) return {Status::kBusy};
  waiter->ticket = ticket.get();

  while (!intake_.wait_for_room(std::chrono::nanoseconds{0}) && !intake_.is_refusing() &&
         !has_ended_.load(std::memory_order_acquire) && SteadyClock::now() < deadline) {
    intake_.wait_for_room(std::min<std::chrono::nanoseconds>(kLookAgain, deadline - SteadyClock::now()));
  }
  // A ticket whose quote went nowhere is settled by sealing it with none.
  LpQuoteVerdict verdict{Status::kStopped};
  {
    const ProducerSlots::Use use(*slots_);
    if (QuoteProducer* const producer = use.producer()) {
      producer->take_time();
      producer->set_verdict_sink(ticket->sink());
      if (const auto reason = submit(*producer, quote)) {
        verdict = {Status::kRefused, static_cast<tickpipe::Reason>(*reason)};
      } else {
        const std::uint32_t shard = producer->last_shard();
        producer->flush();
        verdict = {producer->take_lost(shard) == 0 ? Status::kTimeout : Status::kQueueFull};
      }
      producer->set_verdict_sink(0);
    }
  }
  const bool is_on_its_way = verdict.status == Status::kTimeout;
  ticket->seal(is_on_its_way ? 1 : 0);
  if (!is_on_its_way) return verdict;

  std::unique_lock lock(waiter->mutex);
  while (!waiter->is_settled) {
    const auto now = SteadyClock::now();
    if (has_ended_.load(std::memory_order_acquire)) return {Status::kStopped};
    if (now >= deadline) return {Status::kTimeout};
    waiter->wake.wait_until(lock, std::min(deadline, now + kLookAgain));
  }
  lock.unlock();
  const auto refusals = ticket->refusals();
  if (refusals.empty()) return {Status::kAccepted};
  return {Status::kRefused, static_cast<tickpipe::Reason>(refusals.front().reason)};
}

}  // namespace tickpipe::internal
