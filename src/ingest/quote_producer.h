#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ingest/intake.h"
#include "ingest/name_cache.h"
#include "model/raw_quote.h"
#include "model/quote.h"

namespace tickpipe {

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
  /// its shard, or will be with the next flush(). Quotes without a time are refused. Does not keep references.
  std::optional<Reason> submit(const RawQuote& quote, std::optional<Reason> fault = std::nullopt);

  /// Counts something that never became a quote: a line that was too long.
  void refuse(Reason reason) noexcept;

  /// Takes the time that the quotes submitted next are received at. Call it when a source has read something: one clock
  /// call serves all quotes of one read.
  void take_time() noexcept { now_ = intake_.receive_time(); }

  /// Sends what is collected to the shards. With kDrop, what finds no room is dropped and counted.
  void flush();

 private:
  static constexpr std::size_t kCollect = 128;
  std::optional<Reason> check_names(const RawQuote& quote);
  std::optional<Reason> admit(const RawQuote& quote, std::optional<Reason> fault);
  void flush(std::size_t shard);
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
  UnixNanos now_;
  std::vector<std::vector<Quote>> collected_;  ///< per shard
};

}  // namespace tickpipe
