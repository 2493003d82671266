#include "store/commit_writer.h"

#include <algorithm>

#include "core/bytes.h"
#include "model/bar_codec.h"
#include "store/chunk_codec.h"
#include "store/keys.h"

namespace tickpipe::internal {
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
  add_amended(batches);
  value_.clear();
  encode_commit_entry(entry_, batches, rows_, value_);
  put(rocks_.log, keys::position(position), value_);
  return write_;
}

void CommitWriter::add_amended(std::span<const EventBatch* const> batches) {
  const auto is_in_this_commit = [&](const Tick& amended) {
    return std::any_of(batches.begin(), batches.end(), [&](const EventBatch* batch) {
      return std::any_of(batch->ticks.begin(), batch->ticks.end(), [&](const Tick& tick) {
        return tick.kind == RecordKind::kQuote && tick.symbol == amended.symbol && tick.seq == amended.seq;
      });
    });
  };
  for (const EventBatch* batch : batches) {
    for (const Tick& amended : batch->amended) {
      entry_.amended.push_back(amended);
      {
        const std::lock_guard lock(*rocks_.view);
        if (tail_.find(amended.symbol, amended.seq) != nullptr) continue;  // in the log: the entry tells it
      }
      const auto is_it = [&](const StoredTick& each) {
        return each.tick.kind == RecordKind::kQuote && each.tick.symbol == amended.symbol &&
               each.tick.seq == amended.seq;
      };
      auto chunk = std::find_if(rewritten_.begin(), rewritten_.end(), [&](const StoredChunk& each) {
        return std::any_of(each.ticks.begin(), each.ticks.end(), is_it);
      });
      if (chunk == rewritten_.end()) {
        auto found = find_chunk(rocks_, amended.symbol, amended.ts_event, amended.seq);
        if (!found && is_in_this_commit(amended)) continue;
        if (!found) throw Error("the store misses a quote that it has committed");
        chunk = rewritten_.insert(rewritten_.end(), std::move(*found));
      }
      std::find_if(chunk->ticks.begin(), chunk->ticks.end(), is_it)->tick.flags = amended.flags;
    }
  }
  for (const StoredChunk& chunk : rewritten_) {
    value_.clear();
    encode_chunk(chunk.ticks, value_);
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

}  // namespace tickpipe::internal
