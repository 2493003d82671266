#include "store/store_repair.h"

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/utc_day.h"
#include "store/log_entry.h"
#include "store/log_reader.h"
#include "store/new_store.h"
#include "store/packer.h"
#include "store/run_packer.h"
#include "store/tail.h"

namespace tickpipe::internal {
namespace {

constexpr std::string_view kCannotRead = "cannot read the salvaged store";
constexpr std::string_view kCannotWrite = "cannot write the repaired store";
constexpr int kBarsPerWrite = 4096;

/// Copies the log with its chunks. Every commit ends up packed, and every position told by some entry, so that what was
/// lost is no hole in it.
class LogRebuild {
 public:
  LogRebuild(const Rocks& source, const StoreContent& content, const Rocks& target)
      : source_(source), content_(content), target_(target), next_(content.commits.begin()) {
    for (const keys::Chunk& chunk : content.lost) lost_.insert(keys::chunk(chunk));
    for (const keys::Chunk& chunk : content.unlisted) unlisted_[chunk.position].push_back(chunk);
  }

  void run() {
    std::set<Position> ends;
    for (const auto& [last, first] : content_.packed) ends.insert(last);
    for (const auto& [last, chunks] : unlisted_) ends.insert(last);
    for (const Position last : ends) {
      const auto packed = content_.packed.find(last);
      const bool is_packed = packed != content_.packed.end();
      if (is_packed) pack_commits_before(packed->second);
      LogEntry entry = is_packed ? read(last) : LogEntry();
      std::erase_if(entry.chunks, [&](const keys::Chunk& chunk) { return lost_.contains(keys::chunk(chunk)); });
      if (const auto more = unlisted_.find(last); more != unlisted_.end()) {
        entry.chunks.insert(entry.chunks.end(), more->second.begin(), more->second.end());
      }
      rocksdb::WriteBatch write;
      copy_chunks(entry, write);
      Tail tail;
      for (; next_ != content_.commits.end() && *next_ <= last; ++next_) add_left_over(*next_, is_packed, tail);
      write_entry(std::move(entry), tail, last, write);
    }
    pack_commits_before(Position{UINT64_MAX});
  }

 private:
  LogEntry read(Position position) {
    check(source_.db->Get(rocksdb::ReadOptions(), source_.log, keys::position(position), &value_), kCannotRead);
    return decode_log_entry(value_, position);
  }

  void copy_chunks(LogEntry& entry, rocksdb::WriteBatch& write) {
    std::erase_if(entry.chunks, [&](const keys::Chunk& chunk) {
      const bool is_removed = content_.sealed_days.contains({chunk.symbol, utc_day(chunk.first)});
      if (is_removed) return unlisted_.contains(chunk.position);
      const std::string key = keys::chunk(chunk);
      check(source_.db->Get(rocksdb::ReadOptions(), source_.ticks, key, &value_), kCannotRead);
      check(write.Put(target_.ticks, key, value_), kCannotWrite);
      return false;
    });
  }

  /// Commits that were not packed, in runs of their own.
  void pack_commits_before(Position end) {
    while (next_ != content_.commits.end() && *next_ < end) {
      Tail tail;
      Position last;
      while (next_ != content_.commits.end() && *next_ < end && tail.newest_weight() < Packer::kRunWeight) {
        last = *next_++;
        add_left_over(last, false, tail);
      }
      rocksdb::WriteBatch write;
      write_entry(LogEntry(), tail, last, write);
    }
  }

  /// What the commit holds and no chunk does. `is_told`: a packed entry tells of it, its ticks excepted.
  void add_left_over(Position position, bool is_told, Tail& tail) {
    LogEntry entry = read(position);
    std::erase_if(entry.ticks, [&](const Tick& tick) {
      if (tick.kind != RecordKind::kQuote) return is_told;
      const auto packed = content_.packed_seqs.find(tick.symbol);
      if (packed != content_.packed_seqs.end() && packed->second.contains(tick.seq)) return true;
      return seen_[tick.symbol].add(tick.seq, tick.seq, kNoTime, kNoTime) != 0;
    });
    if (is_told && entry.ticks.empty()) return;
    tail.add(position, entry.ticks);
    if (is_told) entry.clear();
    tail.add_rest(position, entry);
    tail.amend(entry.amended);
  }

  void write_entry(LogEntry entry, Tail& tail, Position last, rocksdb::WriteBatch& write) {
    tail.close_newest();
    static const Tail::Run kNone;
    const Tail::Run& run = tail.waiting() != 0 ? *tail.oldest() : kNone;
    const LogEntry& rest = run.rest;
    entry.first = Position{end_.value + 1};
    entry.bars.insert(entry.bars.end(), rest.bars.begin(), rest.bars.end());
    entry.closes.insert(entry.closes.end(), rest.closes.begin(), rest.closes.end());
    entry.close_positions.insert(entry.close_positions.end(), rest.close_positions.begin(), rest.close_positions.end());
    entry.amended.insert(entry.amended.end(), rest.amended.begin(), rest.amended.end());
    entry.amended_positions.insert(entry.amended_positions.end(), rest.amended_positions.begin(),
                                   rest.amended_positions.end());
    packer_.pack(target_, run, std::move(entry), last, write);
    check(target_.db->Write(rocksdb::WriteOptions(), &write), kCannotWrite);
    end_ = last;
  }

  const Rocks& source_;
  const StoreContent& content_;
  const Rocks& target_;
  std::set<std::string> lost_;
  std::map<Position, std::vector<keys::Chunk>> unlisted_;
  std::map<SymbolId, SeqSet> seen_;             ///< quotes of commits that were not packed
  std::vector<Position>::const_iterator next_;  ///< the next commit with an entry of its own
  Position end_;                                ///< what was written tells of commits up to this
  RunPacker packer_;
  std::string value_;
};

void copy_bars(const Rocks& source, const StoreContent& content, const Rocks& target) {
  rocksdb::WriteBatch write;
  const auto flush = [&] {
    check(target.db->Write(rocksdb::WriteOptions(), &write), kCannotWrite);
    write.Clear();
  };
  const auto it = source.iterate(source.bars);
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const auto key = keys::parse_bar(to_view(it->key()));
    if (!key) continue;
    try {
      const Bar bar = decode_stored_bar(to_view(it->value())).bar;
      const auto removed = content.bars_removed.find(key->symbol);
      if (bar.open_time != key->open_time) continue;
      if (removed != content.bars_removed.end() && bar.close_time <= removed->second) continue;
    } catch (const Error&) {
      continue;  // read_content() told it
    }
    check(write.Put(target.bars, it->key(), it->value()), kCannotWrite);
    if (write.Count() >= kBarsPerWrite) flush();
  }
  check(it->status(), kCannotRead);
  flush();
}

void copy_names(const std::map<std::uint32_t, std::string>& names, std::string_view prefix, std::uint32_t count,
                const Rocks& target, rocksdb::WriteBatch& write) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto name = names.find(i);
    check(write.Put(target.meta, keys::numbered(prefix, i),
                    name != names.end() ? name->second : "LOST." + std::to_string(i)),
          kCannotWrite);
  }
}

void copy_meta(const Rocks& source, const StoreContent& content, const Rocks& target) {
  rocksdb::WriteBatch write;
  copy_names(content.symbol_names, keys::kSymbolPrefix, content.symbol_count, target, write);
  copy_names(content.lp_names, keys::kLpPrefix, content.lp_count, target, write);
  bool has_settings = false;
  const auto it = source.iterate(source.meta);
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const std::string_view key = to_view(it->key());
    const bool is_snapshot = keys::parse_numbered(keys::kSnapshotPrefix, key) && it->value().size() >= 8;
    if (key == keys::kBarSettings) has_settings = true;
    if (is_snapshot || key == keys::kBarSettings || key == keys::kRebuilding || keys::parse_sealed_day(key) ||
        keys::parse_numbered(keys::kBarsRemovedPrefix, key) || keys::parse_numbered(keys::kLostPrefix, key)) {
      check(write.Put(target.meta, it->key(), it->value()), kCannotWrite);
    }
  }
  check(it->status(), kCannotRead);
  // By which settings the bars were cut is not known: the next writer folds them again by its own.
  if (!has_settings) check(write.Put(target.meta, to_slice(keys::kRebuilding), "1"), kCannotWrite);
  check(target.db->Write(rocksdb::WriteOptions(), &write), kCannotWrite);
}

}  // namespace

void rebuild_store(const Rocks& source, const StoreContent& content, const std::filesystem::path& target) {
  const Rocks rocks = open_rocks(target.string(), false);
  write_new_store(rocks);
  copy_meta(source, content, rocks);
  copy_bars(source, content, rocks);
  LogRebuild(source, content, rocks).run();
}

void note_lost(const std::filesystem::path& database, const std::map<SymbolId, std::vector<SeqSet::Gap>>& lost) {
  const Rocks rocks = open_rocks(database.string(), false);
  rocksdb::WriteBatch write;
  for (const auto& [symbol, gaps] : lost) {
    const std::string key = keys::numbered(keys::kLostPrefix, symbol.value);
    std::string value;
    const auto status = rocks.db->Get(rocksdb::ReadOptions(), rocks.meta, key, &value);
    if (!status.IsNotFound()) check(status, kCannotRead);
    check(write.Put(rocks.meta, key, value + encode_lost(gaps)), kCannotWrite);
  }
  rocksdb::WriteOptions synced;
  synced.sync = true;
  check(rocks.db->Write(synced, &write), kCannotWrite);
}

}  // namespace tickpipe::internal
