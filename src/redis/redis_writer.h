#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_writer.h"
#include "model/market_data.h"
#include "model/name_registry.h"
#include "model/name_table.h"
#include "redis/redis_transaction.h"
#include "redis/redis_work.h"

namespace tickpipe::internal {

/// What `tickpipe:sink` says: the keys hold everything up to `position` of the data of `epoch`.
struct RedisMark {
  std::string epoch;  ///< empty = Redis holds no mark
  Position position;
  friend bool operator==(const RedisMark&, const RedisMark&) = default;
};

/// Reads the answer to `HMGET tickpipe:sink epoch position`. Throws RedisRefusal when it is none.
RedisMark parse_mark(const RedisReply& reply);

/// Turns work into commands: the keys in transactions of about half a megabyte, which keeps other clients of the server
/// from waiting, then the messages of the channels. Whoever sees a message finds it, or something newer, in the keys.
/// What no channel tells, readers of the keys learn of by the name of the symbol, in the transaction that writes it.
///
/// Threads: counters any; the rest one.
class RedisWriter {
 public:
  struct Parts {
    const MarketData& market;
    const SymbolRegistry& symbols;
    const LpRegistry& lps;
    std::size_t kept_ticks = 1000;
    std::chrono::nanoseconds live_tick_age{0};
  };
  struct Counters {
    std::atomic<std::uint64_t> ticks{0};      ///< members written
    std::atomic<std::uint64_t> bars{0};       ///< likewise
    std::atomic<std::uint64_t> messages{0};   ///< published, each on two channels
    std::atomic<std::uint64_t> conflated{0};  ///< quotes that did not go over the channels one by one
    std::atomic<std::uint64_t> bytes{0};      ///< sent
  };
  struct Outcome {
    RedisMark seen;              ///< before the first write
    std::vector<SymbolId> lost;  ///< keys of these had fewer members than they should have
  };

  /// The parts outlive it.
  explicit RedisWriter(const Parts& parts);

  /// Writes all work but open bars, which only go with it `with_open_bars`. Throws RedisRefusal, RedisError, or Error
  /// when market data cannot be read; all of it may then be repeated.
  Outcome write_keys(RedisConnection& connection, RedisWork& work, const RedisMark& mark, bool with_open_bars);

  /// Publishes what has not been published before: the quotes, then those that are due; the bars that the last
  /// write_keys() wrote. Quotes left out are counted in `skipped` of the next one.
  void publish(RedisConnection& connection, std::span<const Tick> ticks, std::span<const Tick> latest, RedisWork& work);

  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

 private:
  struct SeriesKey {
    SymbolId symbol;
    std::uint32_t timeframe_index = 0;
    friend bool operator==(const SeriesKey&, const SeriesKey&) = default;
  };

  void write_quotes(RedisWork& work, SymbolId id);
  void write_series(RedisWork& work, SymbolId id, std::size_t timeframe_index);
  void write_open_bars(RedisWork& work, SymbolId id);
  void write_listed_bars(RedisWork& work);
  void put_bar(const SeriesKey& series, const Bar& bar);
  void end_series(RedisWork& work, const SeriesKey& series);
  void trim_quotes(RedisWork& work);
  void announce(SymbolId id);
  void flush(RedisWork& work);
  void flush_if_large(RedisWork& work);

  void publish_quote(const Tick& tick, RedisWork::Symbol& of);
  void publish_bar(const SeriesKey& series, std::string_view json);
  void send_messages(RedisConnection& connection);

  std::string_view quote_json(const Tick& tick, std::uint64_t skipped);
  std::string_view bar_json(const SeriesKey& series, const Bar& bar);
  std::string_view symbol_name(SymbolId id) { return symbol_names_[id].view(); }

  const Parts parts_;
  std::vector<std::string> timeframe_names_;
  Counters counters_;
  NameTable<SymbolId> symbol_names_;
  NameTable<LpId> lp_names_;
  JsonWriter json_{512};

  // Of the round under way.
  RedisConnection* connection_ = nullptr;
  RedisTransaction transaction_;
  Outcome outcome_;
  std::vector<SymbolId> trimmed_;                     ///< whose quotes are in the transaction
  std::vector<SymbolId> announced_;                   ///< whose names go with it
  std::vector<SymbolId> processed_;                   ///< all of whose work is in it, or was in those before
  std::vector<std::pair<SeriesKey, Bar>> open_bars_;  ///< written in this round, to be published
  RedisCommands messages_;
  std::string key_;
};

}  // namespace tickpipe::internal
