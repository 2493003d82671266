#include "store/commit_writer.h"

#include <algorithm>

#include "core/bytes.h"
#include "core/utc_day.h"
#include "model/bar_codec.h"
#include "store/chunk_codec.h"
#include "store/keys.h"

namespace tickpipe {
namespace {

constexpr std::string_view kCannotPrepare = "cannot prepare a commit";

}  // namespace

void CommitWriter::put(rocksdb::ColumnFamilyHandle* family, std::string_view key, std::string_view value) {
  check(write_.Put(family, to_slice(key), to_slice(value)), kCannotPrepare);
}

rocksdb::WriteBatch& CommitWriter::build(Position position, std::span<const EventBatch* const> batches) {
  write_.Clear();
  entry_.clear();
  rewritten_.clear();
  add_names();
  for (const EventBatch* batch : batches) {
    add_ticks(position, *batch);
    add_amended(*batch);
    for (const BarEvent& event : batch->bars) {
      const keys::BarKey key{event.symbol, timeframes_.at(event.timeframe_index), event.bar.open_time};
      value_.clear();
      ByteWriter w(value_);
      w.u64(position.value);
      encode_bar(w, event.bar);
      key_.clear();
      keys::append_bar(key_, key);
      put(rocks_.bars, key_, value_);
      entry_.bars.push_back(key);
    }
    for (const SymbolSnapshot& snapshot : batch->snapshots) {
      value_.clear();
      ByteWriter(value_).u64(position.value);
      value_ += snapshot.bytes;
      put(rocks_.meta, keys::numbered(keys::kSnapshotPrefix, snapshot.symbol.value), value_);
    }
    for (const SealedDay& sealed : batch->sealed) {
      const std::string key = keys::sealed_day({sealed.symbol, sealed.day});
      if (sealed.is_sealed) {
        put(rocks_.meta, key, {});
      } else {
        check(write_.Delete(rocks_.meta, to_slice(key)), kCannotPrepare);
      }
    }
    entry_.closes.insert(entry_.closes.end(), batch->closes.begin(), batch->closes.end());
  }
  value_.clear();
  encode_log_entry(entry_, value_);
  put(rocks_.log, keys::position(position), value_);
  return write_;
}

void CommitWriter::add_amended(const EventBatch& batch) {
  for (const Tick& amended : batch.amended) {
    const auto is_it = [&](const Tick& tick) {
      return tick.kind == RecordKind::kQuote && tick.symbol == amended.symbol && tick.seq == amended.seq;
    };
    auto chunk = std::find_if(rewritten_.begin(), rewritten_.end(), [&](const StoredChunk& each) {
      return std::any_of(each.ticks.begin(), each.ticks.end(), is_it);
    });
    if (chunk == rewritten_.end()) {
      auto found = find_chunk(rocks_, amended.symbol, amended.ts_event, amended.seq);
      if (!found) throw Error("the store misses a quote that it has committed");
      chunk = rewritten_.insert(rewritten_.end(), std::move(*found));
    }
    std::find_if(chunk->ticks.begin(), chunk->ticks.end(), is_it)->flags = amended.flags;
    entry_.amended.push_back(amended);
  }
  std::vector<const Tick*> ticks;
  for (const StoredChunk& chunk : rewritten_) {
    ticks.clear();
    for (const Tick& tick : chunk.ticks) ticks.push_back(&tick);
    value_.clear();
    encode_chunk(ticks, value_);
    put(rocks_.ticks, chunk.key, value_);
  }
}

void CommitWriter::add_names() {
  seen_symbols_ = symbols_.size();
  seen_lps_ = lps_.size();
  for (std::size_t i = stored_symbols_; i < seen_symbols_; ++i) {
    const auto id = static_cast<std::uint32_t>(i);
    put(rocks_.meta, keys::numbered(keys::kSymbolPrefix, id), symbols_.name(SymbolId{id}).view());
  }
  for (std::size_t i = stored_lps_; i < seen_lps_; ++i) {
    const auto id = static_cast<std::uint16_t>(i);
    put(rocks_.meta, keys::numbered(keys::kLpPrefix, id), lps_.name(LpId{id}).view());
  }
}

void CommitWriter::add_ticks(Position position, const EventBatch& batch) {
  group_of_.resize(std::max(group_of_.size(), seen_symbols_), 0);
  group_symbols_.clear();
  group_ends_.clear();
  for (const Tick& tick : batch.ticks) {
    std::uint32_t& group = group_of_[tick.symbol.value];
    if (group == 0) {
      group_symbols_.push_back(tick.symbol);
      group_ends_.push_back(0);
      group = static_cast<std::uint32_t>(group_symbols_.size());
    }
    ++group_ends_[group - 1];
  }
  std::size_t start = 0;
  for (std::size_t& end : group_ends_) {  // counts become starts, which filling moves to the ends
    const std::size_t count = end;
    end = start;
    start += count;
  }
  grouped_.resize(batch.ticks.size());
  for (const Tick& tick : batch.ticks) grouped_[group_ends_[group_of_[tick.symbol.value] - 1]++] = &tick;

  start = 0;
  for (std::size_t i = 0; i < group_symbols_.size(); ++i) {
    add_chunks(position, group_symbols_[i], std::span(grouped_).subspan(start, group_ends_[i] - start));
    start = group_ends_[i];
    group_of_[group_symbols_[i].value] = 0;
  }
}

void CommitWriter::add_chunks(Position position, SymbolId symbol, std::span<const Tick*> ticks) {
  const auto earlier = [](const Tick* a, const Tick* b) { return a->ts_event < b->ts_event; };
  if (!std::is_sorted(ticks.begin(), ticks.end(), earlier)) std::stable_sort(ticks.begin(), ticks.end(), earlier);
  while (!ticks.empty()) {
    // A chunk stays within a UTC day, as retention goes by days.
    std::size_t count = std::min(ticks.size(), kMaxChunkTicks);
    const std::int32_t day = utc_day(ticks.front()->ts_event);
    if (utc_day(ticks[count - 1]->ts_event) != day) {
      count = static_cast<std::size_t>(
          std::partition_point(ticks.begin(), ticks.begin() + static_cast<std::ptrdiff_t>(count),
                               [day](const Tick* t) { return utc_day(t->ts_event) == day; }) -
          ticks.begin());
    }
    const auto part = ticks.first(count);
    ticks = ticks.subspan(count);
    const keys::Chunk key{.symbol = symbol,
                          .span_class = keys::span_class(part.back()->ts_event - part.front()->ts_event),
                          .first = part.front()->ts_event,
                          .position = position,
                          .ordinal = static_cast<std::uint32_t>(entry_.chunks.size())};
    value_.clear();
    encode_chunk(part, value_);
    key_.clear();
    keys::append_chunk(key_, key);
    put(rocks_.ticks, key_, value_);
    entry_.chunks.push_back(key);
  }
}

}  // namespace tickpipe
