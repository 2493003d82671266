#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/intake.h"
#include "ingest/name_cache.h"
#include "model/feed.h"
#include "model/quote.h"
#include "model/raw_quote.h"

namespace tickpipe::internal {

/// One source's door into the pipeline: counts, checks what needs no other ticks, gives numbers to names and collects
/// quotes per shard, so that a shard is reached once per some hundred ticks.
///
/// Threads: one per producer; any number of producers. Order: per symbol as submitted.
class QuoteProducer {
 public:
  enum class WhenFull : std::uint8_t { kWait, kDrop };

  /// `default_lp` is for quotes that name none.
  QuoteProducer(Intake& intake, const Name& default_lp, WhenFull when_full);
  /// Flushes.
  ~QuoteProducer();
  QuoteProducer(const QuoteProducer&) = delete;
  QuoteProducer& operator=(const QuoteProducer&) = delete;

  /// Takes a decoded quote or the verdict of the decoder. Returns why it was refused, or nothing: it is on its way to
  /// its shard, or will be with the next flush(). A quote without a time is refused, or has the receive time when it is
  /// live. Does not keep references.
  std::optional<Reason> submit(const RawQuote& quote, std::optional<Reason> fault = std::nullopt,
                               QuoteOrigin origin = QuoteOrigin::kHistorical);

  /// Looks up names as they are spelt. If it knows both, which costs less than parsing them, submit_recalled() takes a
  /// quote of them, whose own names do not count, until take_time(), submit() or recall() is called.
  bool recall(std::string_view lp, std::string_view symbol) noexcept {
    lp_ = last_lp_ && last_lp_name_.view() == lp ? last_lp_ : lps_.find_text(lp);
    if (lp_) symbol_ = symbols_.find_text(symbol);
    return lp_ && symbol_;
  }
  std::optional<Reason> submit_recalled(const RawQuote& quote, std::optional<Reason> fault, QuoteOrigin origin);

  /// The shard of the quote that submit() or submit_recalled() has just taken.
  [[nodiscard]] std::uint32_t last_shard() const noexcept {
    return symbol_->value % static_cast<std::uint32_t>(collected_.size());
  }

  /// From now on shards tell this sink of the VerdictBook what they decide on the quotes that submit() takes; 0 =
  /// nobody. Flush before changing it.
  void set_verdict_sink(std::uint16_t sink) noexcept { sink_ = sink; }
  /// How many of the quotes taken last for a shard never reached it: with kWait as the store failed while they waited
  /// for room, counted as refused; with kDrop as there was no room, counted as dropped. Forgets it.
  std::size_t take_lost(std::size_t shard) noexcept { return std::exchange(lost_[shard], 0); }
  [[nodiscard]] bool has_lost() const noexcept {
    return std::any_of(lost_.begin(), lost_.end(), [](std::size_t count) { return count != 0; });
  }

  /// While set, quotes are refused as if the store failed. For a source whose quotes are to be taken up to one that the
  /// store refused and not behind it.
  void refuse_all(bool refuses) noexcept { refuses_all_ = refuses; }

  /// Counts something that never became a quote: a line that was too long.
  void refuse(Reason reason) noexcept;

  /// Takes the time that the quotes submitted next are received at. Call it when a source has read something: one clock
  /// call serves all quotes of one read.
  void take_time() noexcept {
    time_ = intake_.take_time();
    if (intake_.rules_version_.load(std::memory_order_acquire) != rules_version_) forget_names();
  }

  /// Sends what is collected to the shards. With kDrop, what finds no room is dropped and counted. With kWait it waits
  /// for room; when the store fails meanwhile, the rest is refused as kStoreUnavailable.
  void flush();
  /// The same for one shard.
  void flush(std::size_t shard);

 private:
  static constexpr std::size_t kCollect = 128;
  std::optional<Reason> check_names(const RawQuote& quote);
  std::optional<Reason> collect(const RawQuote& quote, std::optional<Reason> refusal, QuoteOrigin origin);
  std::optional<Reason> admit(const RawQuote& quote, std::optional<Reason> fault, QuoteOrigin origin);
  std::optional<Reason> check_time(UnixNanos ts_event, QuoteOrigin origin);
  void forget_names();
  static void bump(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_release);
  }

  Intake& intake_;
  const Name default_lp_;
  const WhenFull when_full_;
  IntakeCounters& counters_;
  NameCache<SymbolId> symbols_;
  NameCache<LpId> lps_;
  Name last_lp_name_;
  std::optional<LpId> last_lp_;
  std::optional<SymbolId> symbol_;  ///< of the quote at hand, when known
  std::optional<LpId> lp_;
  Intake::Moment time_;
  std::uint16_t sink_ = 0;
  bool refuses_all_ = false;
  std::uint64_t rules_version_ = 0;
  std::vector<std::vector<Quote>> collected_;  ///< per shard
  std::vector<std::size_t> lost_;              ///< per shard
};

}  // namespace tickpipe::internal
