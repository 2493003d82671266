#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_writer.h"
#include "model/bar.h"
#include "model/name_registry.h"
#include "model/name_table.h"
#include "model/tick.h"
#include "model/timeframe.h"
#include "serve/stream/stream_batch.h"
#include "serve/stream/stream_format.h"

namespace tickpipe::internal {

/// What a message says beyond what all clients are told.
struct MessageExtras {
  std::uint64_t skipped = 0;    ///< quotes left out before this one
  bool is_snapshot = false;     ///< the state at the time of subscribing
  bool is_unrecovered = false;  ///< instead of what was missed
  [[nodiscard]] bool empty() const noexcept { return skipped == 0 && !is_snapshot; }
};

/// Appends `message`, which is whole (a frame, or an event without its id), with extras spliced in behind the last
/// member. Cost: copies it.
void append_with_extras(std::string& out, std::string_view message, StreamFormat format, const MessageExtras& extras);

/// Makes the messages of ticks and bars. Threads: one.
class MessageEncoder {
 public:
  /// How often something was encoded, of all encoders of a server.
  struct Counters {
    std::atomic<std::uint64_t> ticks{0};   ///< for everybody
    std::atomic<std::uint64_t> missed{0};  ///< for one client that catches up
    std::atomic<std::uint64_t> bars{0};
    std::atomic<std::uint64_t> status{0};
  };

  /// All outlive it.
  MessageEncoder(const SymbolRegistry& symbols, const LpRegistry& lps, const std::vector<Timeframe>& timeframes,
                 Counters& counters);

  /// Appends one message to `out`.
  void missed_tick(const Tick& tick, StreamFormat format, std::string& out) {
    counters_.missed.fetch_add(1, std::memory_order_relaxed);
    append_tick(tick, format, out);
  }
  void bar(SymbolId symbol, std::size_t timeframe_index, const Bar& bar, StreamFormat format, std::string& out);

  /// Of the batch, encoded once.
  const MessageList& ticks_of(const StreamBatch& batch, StreamFormat format);

  [[nodiscard]] const Name& symbol_name(SymbolId symbol) { return symbols_[symbol]; }

 private:
  void append_tick(const Tick& tick, StreamFormat format, std::string& out);
  void tick_json(const Tick& tick);
  void tick_sse(const Tick& tick);
  void tick_msgpack(const Tick& tick);
  void bar_json(SymbolId symbol, std::size_t timeframe_index, const Bar& bar);
  void bar_msgpack(SymbolId symbol, std::size_t timeframe_index, const Bar& bar);

  NameTable<SymbolId> symbols_;
  NameTable<LpId> lps_;
  std::vector<std::string> timeframe_names_;
  Counters& counters_;
  JsonWriter json_;
  std::string payload_;
};

}  // namespace tickpipe::internal
