#pragma once

#include <tickpipe/integration_adapter.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <span>

#include "ingest/intake.h"
#include "ingest/verdict_ledger.h"
#include "library/producer_slots.h"
#include "model/raw_quote.h"

namespace tickpipe::internal {

/// Where quotes of the program that embeds us come in. Place: engine -> [quote door] -> Intake -> shards.
/// Threads: any. Life: open(), close(), end(); intake and ledger outlive end().
class QuoteDoor {
 public:
  QuoteDoor(Intake& intake, VerdictLedger& ledger);

  void open() noexcept { slots_->open(); }
  /// Takes no more quotes; what was taken is on its way to the shards.
  void close() { slots_->close(); }
  /// No further commit will come: who still waits for one is told so.
  void end() noexcept { has_ended_.store(true, std::memory_order_release); }

  LpQuoteResult process(const LpQuote& quote) noexcept;
  LpBatchResult process(std::span<const LpQuote> quotes, std::span<LpQuoteResult> results) noexcept;
  LpQuoteVerdict process_and_wait(const LpQuote& quote, std::chrono::nanoseconds timeout);

 private:
  static std::optional<Reason> read_names(const LpQuote& quote, RawQuote& out) noexcept;
  static std::optional<Reason> read_rest(const LpQuote& quote, RawQuote& out) noexcept;
  static std::optional<Reason> submit(QuoteProducer& producer, const LpQuote& quote);
  void process_some(QuoteProducer& producer, std::span<const LpQuote> quotes, std::span<LpQuoteResult> results,
                    LpBatchResult& total);

  Intake& intake_;
  VerdictLedger& ledger_;
  const std::shared_ptr<ProducerSlots> slots_;
  std::atomic<bool> has_ended_{false};
};

}  // namespace tickpipe::internal
