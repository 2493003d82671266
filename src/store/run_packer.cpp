#include "store/run_packer.h"

#include <algorithm>
#include <span>
#include <tuple>

#include "core/utc_day.h"
#include "store/keys.h"

namespace tickpipe::internal {
namespace {

constexpr std::string_view kCannotPack = "cannot pack the store's log";

bool is_earlier(const StoredTick& a, const StoredTick& b) noexcept { return a.tick.ts_event < b.tick.ts_event; }

}  // namespace

void RunPacker::pack(const Rocks& rocks, const Tail::Run& run, LogEntry entry, Position last,
                     rocksdb::WriteBatch& write) {
  const auto order = [](const keys::BarKey& key) {
    return std::tuple(key.symbol, key.timeframe.length, key.open_time);
  };
  std::sort(entry.bars.begin(), entry.bars.end(),
            [&](const keys::BarKey& a, const keys::BarKey& b) { return order(a) < order(b); });
  entry.bars.erase(std::unique(entry.bars.begin(), entry.bars.end(),
                               [&](const keys::BarKey& a, const keys::BarKey& b) { return order(a) == order(b); }),
                   entry.bars.end());
  next_ordinal_ = 0;
  for (const keys::Chunk& chunk : entry.chunks) next_ordinal_ = std::max(next_ordinal_, chunk.ordinal + 1);
  std::vector<SymbolId> symbols = run.symbols;
  std::sort(symbols.begin(), symbols.end());
  for (const SymbolId symbol : symbols) add_chunks(rocks, symbol, run.by_symbol[symbol.value], last, entry, write);
  value_.clear();
  encode_packed_entry(entry, last, value_);
  check(write.Put(rocks.log, keys::position(last), value_), kCannotPack);
}

void RunPacker::add_chunks(const Rocks& rocks, SymbolId symbol, const Tail::Records& records, Position position,
                           LogEntry& entry, rocksdb::WriteBatch& write) {
  std::span<const StoredTick> ticks = records.ticks;
  if (!records.is_ascending) {
    sorted_ = records.ticks;
    std::stable_sort(sorted_.begin(), sorted_.end(), is_earlier);
    ticks = sorted_;
  }
  while (!ticks.empty()) {
    // A chunk stays within a UTC day, as retention goes by days.
    std::size_t count = std::min(ticks.size(), kMaxChunkTicks);
    const std::int32_t day = utc_day(ticks.front().tick.ts_event);
    if (utc_day(ticks[count - 1].tick.ts_event) != day) {
      const auto end =
          std::partition_point(ticks.begin(), ticks.begin() + static_cast<std::ptrdiff_t>(count),
                               [day](const StoredTick& each) { return utc_day(each.tick.ts_event) == day; });
      count = static_cast<std::size_t>(end - ticks.begin());
    }
    const auto part = ticks.first(count);
    ticks = ticks.subspan(count);
    const UnixNanos first = part.front().tick.ts_event;
    const keys::Chunk key{.symbol = symbol,
                          .span_class = keys::span_class(part.back().tick.ts_event - first),
                          .first = first,
                          .position = position,
                          .ordinal = next_ordinal_++};
    value_.clear();
    encode_chunk(part, value_);
    key_.clear();
    keys::append_chunk(key_, key);
    check(write.Put(rocks.ticks, to_slice(key_), to_slice(value_)), kCannotPack);
    entry.chunks.push_back(key);
  }
}

}  // namespace tickpipe::internal
