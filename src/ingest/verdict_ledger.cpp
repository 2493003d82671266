#include "ingest/verdict_ledger.h"

#include <utility>

#include "model/quote.h"

namespace tickpipe::internal {

std::shared_ptr<VerdictTicket> VerdictLedger::open(std::function<void()> on_complete) {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) {
    if (tickets_.empty()) tickets_.emplace_back();
    if (tickets_.size() > kVerdictMask) return nullptr;
    free_.push_back(static_cast<std::uint16_t>(tickets_.size()));
    tickets_.emplace_back();
  }
  const std::uint16_t sink = free_.back();
  free_.pop_back();
  tickets_[sink] = std::make_shared<VerdictTicket>(sink, shards_.size(), std::move(on_complete));
  return tickets_[sink];
}

void VerdictLedger::close(const VerdictTicket& ticket) {
  std::shared_ptr<VerdictTicket> last;  // destroyed after the lock is released
  const std::lock_guard lock(mutex_);
  last = std::move(tickets_[ticket.sink()]);
  free_.push_back(ticket.sink());
}

void VerdictLedger::on_verdict(std::uint16_t sink, std::uint32_t shard, std::optional<Reason> refused,
                               std::uint64_t batch) noexcept {
  std::shared_ptr<VerdictTicket> ticket;
  PerShard& here = shards_[shard];
  {
    const std::lock_guard lock(here.mutex);
    // The usual case: one more quote of the ticket that came last.
    if (!here.waiting.empty() && here.waiting.back().batch == batch && here.waiting.back().ticket->sink() == sink) {
      Waiting& last = here.waiting.back();
      if (refused) last.ticket->note_refusal(shard, *refused);
      ++last.ticket->verdicts_[shard];
      ++last.count;
      return;
    }
  }
  {
    const std::lock_guard lock(mutex_);
    ticket = tickets_[sink];
  }
  if (!ticket) return;
  if (refused) ticket->note_refusal(shard, *refused);
  ++ticket->verdicts_[shard];
  {
    const std::lock_guard lock(here.mutex);
    if (batch > here.committed) {
      here.waiting.push_back({batch, std::move(ticket), 1});
      return;
    }
  }
  ticket->settle(1);
}

void VerdictLedger::on_committed(const EventBatch& batch, Position /*position*/) {
  PerShard& here = shards_[batch.shard];
  std::vector<Waiting> settled;
  {
    const std::lock_guard lock(here.mutex);
    here.committed = batch.number;
    while (!here.waiting.empty() && here.waiting.front().batch <= batch.number) {
      settled.push_back(std::move(here.waiting.front()));
      here.waiting.pop_front();
    }
  }
  for (const Waiting& each : settled) each.ticket->settle(each.count);
}

}  // namespace tickpipe::internal
