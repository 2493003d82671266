#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "load/tally.h"
#include "load/tick_scan.h"

namespace tickpipe::internal::load {

/// Numbers of symbols by name; filled before the threads start.
class SymbolIndex {
 public:
  explicit SymbolIndex(const std::vector<std::string>& symbols);
  /// -1 for a name that was not subscribed to.
  [[nodiscard]] int find(std::string_view symbol) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return numbers_.size(); }

 private:
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard's name
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, int, Hash, std::equal_to<>> numbers_;
};

/// What was found wrong, and how regularly values came.
struct Findings {
  std::uint64_t checked = 0;
  std::uint64_t skipped = 0;  // sum of "skipped"; no fault in itself
  std::uint64_t seq_holes = 0;
  std::uint64_t seq_not_rising = 0;
  std::uint64_t no_snapshot_first = 0;
  std::uint64_t foreign_symbol = 0;
  std::uint64_t unreadable = 0;
  std::uint64_t wrong_final = 0;
  std::vector<std::string> examples;

  // Of conflated quotes at an interval, per measurement.
  struct Regularity {
    std::uint64_t delivered = 0;  // values, at most the expected number for each client and symbol
    std::uint64_t late_gaps = 0;  // between two values of a client and symbol, beyond 1.5 intervals
    Latencies gaps;
  };
  std::array<Regularity, kMeasurements> regularity;

  [[nodiscard]] std::uint64_t faults() const noexcept {
    return seq_holes + seq_not_rising + no_snapshot_first + foreign_symbol + unreadable + wrong_final;
  }
  void add(const Findings& other);
};

/// Holds every quote that the clients of one thread get against section "WebSocket" of the contract: `seq` is the
/// previous one + 1 + `skipped`, the first message of a symbol is a snapshot. Owned by that thread until it is joined.
/// Memory: 40 bytes a client and symbol.
class Verifier {
 public:
  /// `has_value`: per symbol, whether the server knew it before anyone subscribed; only then a snapshot must come.
  Verifier(const SymbolIndex& symbols, std::vector<bool> has_value, std::uint32_t clients, std::uint32_t interval_ms);

  void on_tick(std::uint32_t client, const MessageFields& tick, std::int64_t now_us, int measurement);
  void on_unreadable(std::uint32_t client, std::string_view message);

  /// Compares the last `seq` of every client that is still `alive` with the server's; `expected` 0 = not known.
  void check_final(const std::vector<std::uint64_t>& expected, const std::vector<bool>& alive);
  /// How many values each pair should have got during each measurement; to be called after the run.
  void count_regularity(const std::array<std::uint32_t, kMeasurements>& expected);

  [[nodiscard]] const Findings& findings() const noexcept { return findings_; }
  [[nodiscard]] std::uint64_t pairs() const noexcept { return pairs_.size(); }

 private:
  struct Pair {
    std::uint64_t seq = 0;
    std::int64_t last_us = 0;
    std::array<std::uint32_t, kMeasurements> received{};
    int last_measurement = -1;
    bool has_started = false;
  };
  void example(std::uint32_t client, const MessageFields& tick, const std::string& what);

  const SymbolIndex& symbols_;
  std::vector<bool> has_value_;
  std::int64_t late_gap_us_;
  std::vector<Pair> pairs_;
  Findings findings_;
};

}  // namespace tickpipe::internal::load
