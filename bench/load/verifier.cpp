#include "load/verifier.h"

#include <algorithm>
#include <utility>

namespace tickpipe::internal::load {

namespace {

constexpr std::size_t kMaxExamples = 10;

}  // namespace

SymbolIndex::SymbolIndex(const std::vector<std::string>& symbols) {
  for (const std::string& symbol : symbols) numbers_.emplace(symbol, static_cast<int>(numbers_.size()));
}

int SymbolIndex::find(std::string_view symbol) const noexcept {
  const auto found = numbers_.find(symbol);
  return found == numbers_.end() ? -1 : found->second;
}

void Findings::add(const Findings& other) {
  checked += other.checked;
  skipped += other.skipped;
  seq_holes += other.seq_holes;
  seq_not_rising += other.seq_not_rising;
  no_snapshot_first += other.no_snapshot_first;
  foreign_symbol += other.foreign_symbol;
  unreadable += other.unreadable;
  wrong_final += other.wrong_final;
  for (std::size_t i = 0; i < other.examples.size() && examples.size() < kMaxExamples; ++i) {
    examples.push_back(other.examples[i]);
  }
  for (std::size_t i = 0; i < regularity.size(); ++i) {
    regularity[i].delivered += other.regularity[i].delivered;
    regularity[i].late_gaps += other.regularity[i].late_gaps;
    regularity[i].gaps.add(other.regularity[i].gaps);
  }
}

Verifier::Verifier(const SymbolIndex& symbols, std::vector<bool> has_value, std::uint32_t clients,
                   std::uint32_t interval_ms)
    : symbols_(symbols),
      has_value_(std::move(has_value)),
      late_gap_us_(interval_ms * 1500LL),
      pairs_(symbols.size() * clients) {}

void Verifier::on_tick(std::uint32_t client, const MessageFields& tick, std::int64_t now_us, int measurement) {
  ++findings_.checked;
  const int symbol = symbols_.find(tick.symbol);
  if (symbol < 0) {
    ++findings_.foreign_symbol;
    example(client, tick, "was not subscribed to");
    return;
  }
  const auto number = static_cast<std::size_t>(symbol);
  Pair& pair = pairs_[client * symbols_.size() + number];
  findings_.skipped += tick.skipped;
  if (!pair.has_started) {
    pair.has_started = true;
    if (!tick.is_snapshot && has_value_[number]) {
      ++findings_.no_snapshot_first;
      example(client, tick, "is the first message and no snapshot");
    }
  } else if (tick.seq <= pair.seq) {
    ++findings_.seq_not_rising;
    example(client, tick, "comes after seq " + std::to_string(pair.seq));
  } else if (tick.seq != pair.seq + 1 + tick.skipped) {
    ++findings_.seq_holes;
    example(client, tick,
            "comes after seq " + std::to_string(pair.seq) + " with skipped " + std::to_string(tick.skipped));
  }
  pair.seq = tick.seq;
  if (measurement >= 0 && late_gap_us_ > 0) {
    const auto index = static_cast<std::size_t>(measurement);
    ++pair.received[index];
    if (pair.last_measurement == measurement) {
      Findings::Regularity& regularity = findings_.regularity[index];
      regularity.gaps.record(now_us - pair.last_us);
      if (now_us - pair.last_us > late_gap_us_) ++regularity.late_gaps;
    }
  }
  pair.last_us = now_us;
  pair.last_measurement = measurement;
}

void Verifier::on_unreadable(std::uint32_t client, std::string_view message) {
  ++findings_.unreadable;
  if (findings_.examples.size() < kMaxExamples) {
    findings_.examples.push_back("client " + std::to_string(client) +
                                 ": cannot be read: " + std::string(message.substr(0, 120)));
  }
}

void Verifier::check_final(const std::vector<std::uint64_t>& expected, const std::vector<bool>& alive) {
  const std::size_t count = symbols_.size();
  for (std::size_t client = 0; client < alive.size(); ++client) {
    if (!alive[client]) continue;
    for (std::size_t symbol = 0; symbol < count; ++symbol) {
      const Pair& pair = pairs_[client * count + symbol];
      if (expected[symbol] == 0 || pair.seq == expected[symbol]) continue;
      ++findings_.wrong_final;
      if (findings_.examples.size() < kMaxExamples) {
        findings_.examples.push_back("client " + std::to_string(client) + ", symbol " + std::to_string(symbol) +
                                     ": ends with seq " + std::to_string(pair.seq) + ", the server has " +
                                     std::to_string(expected[symbol]));
      }
    }
  }
}

void Verifier::count_regularity(const std::array<std::uint32_t, kMeasurements>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    for (const Pair& pair : pairs_) findings_.regularity[i].delivered += std::min(pair.received[i], expected[i]);
  }
}

void Verifier::example(std::uint32_t client, const MessageFields& tick, const std::string& what) {
  if (findings_.examples.size() >= kMaxExamples) return;
  findings_.examples.push_back("client " + std::to_string(client) + ", " + std::string(tick.symbol.substr(0, 32)) +
                               " seq " + std::to_string(tick.seq) + " " + what);
}

}  // namespace tickpipe::internal::load
