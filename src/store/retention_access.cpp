#include "store/retention_access.h"

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/utc_day.h"
#include "model/bar_codec.h"
#include "model/tick.h"
#include "store/chunk_codec.h"
#include "store/keys.h"
#include "store/packer.h"
#include "store/rocks.h"
#include "store/tail.h"

namespace tickpipe::internal {
namespace {

constexpr std::string_view kCannotRead = "cannot read the store";
constexpr std::string_view kCannotWrite = "cannot write to the store";
/// Up to this many keys of a class are deleted one by one: each range that is deleted makes later reads slower.
constexpr std::size_t kMaxSingleDeletes = 256;
constexpr std::size_t kBarsPerWrite = 4096;

keys::Chunk parse_chunk(const rocksdb::Iterator& it) {
  const auto key = keys::parse_chunk(to_view(it.key()));
  if (!key) throw Error("the store holds a damaged key among its ticks");
  return *key;
}

/// Hands each chunk of the day to `take(key, parsed key, value)` until it returns false.
template <typename Take>
void for_each_chunk(const Rocks& rocks, SymbolId symbol, std::int32_t day, Take take) {
  const UnixNanos end = start_of_utc_day(day + 1);
  const auto it = rocks.iterate(rocks.ticks);
  for (std::size_t i = 0; i < keys::kSpanLimits.size(); ++i) {
    const auto span_class = static_cast<std::uint8_t>(i);
    for (it->Seek(keys::chunk_lower_bound(symbol, span_class, start_of_utc_day(day))); it->Valid(); it->Next()) {
      const keys::Chunk key = parse_chunk(*it);
      if (key.symbol != symbol || key.span_class != span_class || key.first >= end) break;
      if (!take(to_view(it->key()), key, to_view(it->value()))) return;
    }
    check(it->status(), kCannotRead);
  }
}

/// Hands each closed bar of the symbol that ended at or before `end` to `take(key, bar)` until it returns false.
template <typename Take>
void for_each_bar(const Rocks& rocks, SymbolId symbol, UnixNanos end, Take take) {
  const auto it = rocks.iterate(rocks.bars);
  it->Seek(keys::bar({symbol, Timeframe{std::chrono::seconds{0}}, kNoTime}));
  while (it->Valid()) {
    const auto key = keys::parse_bar(to_view(it->key()));
    if (!key) throw Error("the store holds a damaged key among its bars");
    if (key->symbol != symbol) break;
    ByteReader value(to_view(it->value()));
    value.u64();  // the position
    const Bar bar = decode_bar(value);
    if (!value.ok() || !value.at_end()) throw Error("a stored bar is damaged");
    if (bar.close_time > end) {  // so are those after it: on with the next timeframe
      it->Seek(keys::bar({symbol, Timeframe{key->timeframe.length + std::chrono::seconds{1}}, kNoTime}));
      continue;
    }
    if (!take(it->key(), bar)) break;
    it->Next();
  }
  check(it->status(), kCannotRead);
}

void write_all(const Rocks& rocks, bool sync, rocksdb::WriteBatch& write) {
  rocksdb::WriteOptions options;
  options.sync = sync;
  const std::lock_guard lock(*rocks.view);
  check(rocks.db->Write(options, &write), kCannotWrite);
}

}  // namespace

void RetentionAccess::pack(SymbolId symbol, UnixNanos from, UnixNanos to) const {
  if (packer_ == nullptr) return;
  {
    const std::lock_guard lock(*rocks_.view);
    if (!tail_.has(symbol, from, to)) return;
  }
  packer_->pack_all();
}

std::vector<std::int32_t> RetentionAccess::days_with_ticks(SymbolId symbol, UnixNanos end) const {
  pack(symbol, kNoTime, end);
  std::set<std::int32_t> days;
  const auto it = rocks_.iterate(rocks_.ticks);
  for (std::size_t i = 0; i < keys::kSpanLimits.size(); ++i) {
    const auto span_class = static_cast<std::uint8_t>(i);
    it->Seek(keys::chunk_lower_bound(symbol, span_class, kFirstTickTime));
    while (it->Valid()) {
      const keys::Chunk key = parse_chunk(*it);
      const UnixNanos next_day = start_of_utc_day(utc_day(key.first) + 1);
      if (key.symbol != symbol || key.span_class != span_class || next_day > end) break;
      days.insert(utc_day(key.first));
      it->Seek(keys::chunk_lower_bound(symbol, span_class, next_day));
    }
    check(it->status(), kCannotRead);
  }
  return {days.begin(), days.end()};
}

bool RetentionAccess::has_ticks(SymbolId symbol, std::int32_t day) const {
  pack(symbol, start_of_utc_day(day), start_of_utc_day(day + 1));
  bool found = false;
  for_each_chunk(rocks_, symbol, day, [&found](std::string_view, const keys::Chunk&, std::string_view) {
    found = true;
    return false;
  });
  return found;
}

void RetentionAccess::look_at(SymbolId symbol, std::int32_t day, DayContent& content) const {
  pack(symbol, start_of_utc_day(day), start_of_utc_day(day + 1));
  const Position known = content.newest;
  std::vector<StoredTick> ticks;
  for_each_chunk(rocks_, symbol, day, [&](std::string_view, const keys::Chunk& key, std::string_view value) {
    if (key.position <= known) return true;
    content.newest = std::max(content.newest, key.position);
    ticks.clear();
    decode_chunk(value, symbol, key.position, ticks);
    for (const auto& [tick, position] : ticks) {
      content.last_received = std::max(content.last_received, tick.ts_recv);
      if (tick.kind == RecordKind::kQuote) ++content.quotes;
    }
    return true;
  });
}

void RetentionAccess::remove_ticks(SymbolId symbol, std::int32_t day) {
  pack(symbol, start_of_utc_day(day), start_of_utc_day(day + 1));
  std::array<std::vector<std::string>, keys::kSpanLimits.size()> found;
  for_each_chunk(rocks_, symbol, day, [&](std::string_view key, const keys::Chunk& parsed, std::string_view) {
    auto& of_class = found.at(parsed.span_class);
    if (of_class.size() <= kMaxSingleDeletes) of_class.emplace_back(key);
    return true;
  });
  rocksdb::WriteBatch write;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].size() <= kMaxSingleDeletes) {
      for (const std::string& key : found[i]) check(write.Delete(rocks_.ticks, key), kCannotWrite);
      continue;
    }
    const auto span_class = static_cast<std::uint8_t>(i);
    const std::string begin = keys::chunk_lower_bound(symbol, span_class, start_of_utc_day(day));
    const std::string end = keys::chunk_lower_bound(symbol, span_class, start_of_utc_day(day + 1));
    check(write.DeleteRange(rocks_.ticks, begin, end), kCannotWrite);
  }
  write_all(rocks_, sync_writes_, write);
}

void RetentionAccess::for_each_sealed_day(const std::function<void(SymbolId, std::int32_t day)>& take) const {
  const auto it = rocks_.iterate(rocks_.meta);
  for (it->Seek(to_slice(keys::kSealedPrefix)); it->Valid(); it->Next()) {
    if (!it->key().starts_with(to_slice(keys::kSealedPrefix))) break;
    const auto key = keys::parse_sealed_day(to_view(it->key()));
    if (!key) throw Error("the store holds a damaged key");
    take(key->symbol, key->day);
  }
  check(it->status(), kCannotRead);
}

std::vector<std::int32_t> RetentionAccess::sealed_days(SymbolId symbol) const {
  std::vector<std::int32_t> days;
  const std::string prefix = keys::numbered(keys::kSealedPrefix, symbol.value);
  const auto it = rocks_.iterate(rocks_.meta);
  for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next()) {
    const auto key = keys::parse_sealed_day(to_view(it->key()));
    if (!key) throw Error("the store holds a damaged key");
    days.push_back(key->day);
  }
  check(it->status(), kCannotRead);
  return days;
}

bool RetentionAccess::is_sealed(SymbolId symbol, std::int32_t day) const {
  std::string value;
  const auto status = rocks_.db->Get(rocksdb::ReadOptions(), rocks_.meta, keys::sealed_day({symbol, day}), &value);
  if (status.IsNotFound()) return false;
  check(status, kCannotRead);
  return true;
}

bool RetentionAccess::has_bars(SymbolId symbol, UnixNanos end) const {
  bool found = false;
  for_each_bar(rocks_, symbol, end, [&found](const rocksdb::Slice&, const Bar&) {
    found = true;
    return false;
  });
  return found;
}

std::uint64_t RetentionAccess::remove_bars(SymbolId symbol, UnixNanos end) {
  std::uint64_t removed = 0;
  std::string limit;
  ByteWriter(limit).i64(end.ns);
  rocksdb::WriteBatch write;
  check(write.Put(rocks_.meta, keys::numbered(keys::kBarsRemovedPrefix, symbol.value), limit), kCannotWrite);
  for_each_bar(rocks_, symbol, end, [&](const rocksdb::Slice& key, const Bar& bar) {
    check(write.Delete(rocks_.bars, key), kCannotWrite);
    if (bar.tick_count != 0) ++removed;
    if (write.Count() >= kBarsPerWrite) {
      write_all(rocks_, sync_writes_, write);
      write.Clear();
    }
    return true;
  });
  if (write.Count() != 0) write_all(rocks_, sync_writes_, write);
  return removed;
}

void RetentionAccess::for_each_bar_limit(const std::function<void(SymbolId, UnixNanos end)>& take) const {
  const auto it = rocks_.iterate(rocks_.meta);
  for (it->Seek(to_slice(keys::kBarsRemovedPrefix)); it->Valid(); it->Next()) {
    if (!it->key().starts_with(to_slice(keys::kBarsRemovedPrefix))) break;
    const auto symbol = keys::parse_numbered(keys::kBarsRemovedPrefix, to_view(it->key()));
    ByteReader value(to_view(it->value()));
    const UnixNanos end{value.i64()};
    if (!symbol || !value.ok() || !value.at_end()) throw Error("the store holds a damaged key");
    take(SymbolId{*symbol}, end);
  }
  check(it->status(), kCannotRead);
}

}  // namespace tickpipe::internal
