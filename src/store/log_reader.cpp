#include "store/log_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/bytes.h"
#include "core/utc_day.h"
#include "model/bar_codec.h"
#include "store/chunk_codec.h"
#include "store/tick_cursor.h"

namespace tickpipe::internal {
namespace {

constexpr std::string_view kCannotRead = "cannot read the store";

Position position_of(const rocksdb::Iterator& it) {
  const auto at = keys::parse_position(to_view(it.key()));
  if (!at) throw Error("the store holds a damaged key in its log");
  return *at;
}

}  // namespace

StoredBar decode_stored_bar(std::string_view bytes) {
  ByteReader in(bytes);
  StoredBar stored;
  stored.position.value = in.u64();
  stored.bar = decode_bar(in);
  if (!in.ok() || !in.at_end()) throw Error("a stored bar is damaged");
  return stored;
}

std::optional<StoredBar> find_stored_bar(const Rocks& rocks, const keys::BarKey& key) {
  std::string value;
  const auto status = rocks.db->Get(rocksdb::ReadOptions(), rocks.bars, keys::bar(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  check(status, kCannotRead);
  return decode_stored_bar(value);
}

void load_tail(const Rocks& rocks, Tail& tail) {
  const auto it = rocks.iterate(rocks.log);
  it->SeekToLast();
  std::optional<Position> last_packed;
  while (it->Valid() && is_commit_entry(to_view(it->value()))) it->Prev();
  check(it->status(), kCannotRead);
  if (it->Valid()) {
    last_packed = position_of(*it);
    it->Next();
  } else {
    it->SeekToFirst();
  }
  for (Position before = last_packed.value_or(Position{}); it->Valid(); it->Next()) {
    const Position at = position_of(*it);
    if (at.value != before.value + 1) {
      throw Error("the store's log is damaged: commits " + std::to_string(before.value + 1) + " to " +
                  std::to_string(at.value - 1) + " are missing");
    }
    before = at;
    const LogEntry entry = decode_log_entry(to_view(it->value()), at);
    tail.add(at, entry.ticks);
    tail.add_rest(at, entry);
    tail.amend(entry.amended);
  }
  check(it->status(), kCannotRead);
}

void LogReader::read_after(Position position, LogVisitor& visitor) {
  const auto it = rocks_.iterate(rocks_.log);
  for (it->Seek(keys::position({position.value + 1})); it->Valid(); it->Next()) {
    const Position last = position_of(*it);
    const LogEntry entry = decode_log_entry(to_view(it->value()), last);
    for (auto& [at, commit] : commits_of(entry, last, position)) hand_over(at, commit, visitor);
  }
  check(it->status(), kCannotRead);
}

std::map<Position, LogReader::Commit> LogReader::commits_of(const LogEntry& entry, Position last, Position after) {
  std::map<Position, Commit> commits;
  for (const Tick& tick : entry.ticks) {
    auto& of_symbol = commits[last].ticks[tick.symbol];
    of_symbol.push_back(tick);
    of_symbol.back().flags = current_flags(tick);
  }
  for (const keys::Chunk& chunk : entry.chunks) read_chunk(chunk, entry, after, commits);
  for (std::size_t i = 0; i < entry.closes.size(); ++i) {
    if (entry.close_positions[i] > after) commits[entry.close_positions[i]].closes.push_back(entry.closes[i]);
  }
  for (std::size_t i = 0; i < entry.amended.size(); ++i) {
    if (entry.amended_positions[i] > after) commits[entry.amended_positions[i]].amended.push_back(entry.amended[i]);
  }
  for (const keys::BarKey& key : entry.bars) {
    const auto stored = find_stored_bar(rocks_, key);
    if (stored && stored->position > after && stored->position >= entry.first && stored->position <= last) {
      commits[stored->position].bars.emplace_back(key, *stored);
    }
  }
  return commits;
}

void LogReader::read_chunk(const keys::Chunk& chunk, const LogEntry& entry, Position after,
                           std::map<Position, Commit>& commits) {
  const auto status = rocks_.db->Get(rocksdb::ReadOptions(), rocks_.ticks, keys::chunk(chunk), &value_);
  if (status.IsNotFound() && retention_.is_sealed(chunk.symbol, utc_day(chunk.first))) {
    // Which of the commits it was of is not known any more: the first that is asked for tells it.
    commits[std::max(entry.first, Position{after.value + 1})].is_whole = false;
    return;
  }
  check(status, kCannotRead);
  decoded_.clear();
  decode_chunk(value_, chunk.symbol, chunk.position, decoded_);
  for (const auto& [tick, position] : decoded_) {
    if (position < entry.first || position > chunk.position) throw Error("a chunk of ticks is damaged");
    if (position > after) commits[position].ticks[chunk.symbol].push_back(tick);
  }
}

std::uint8_t LogReader::current_flags(const Tick& tick) const {
  if (!(tick.flags & kLateForBars) || tick.kind != RecordKind::kQuote) return tick.flags;
  {
    const std::lock_guard lock(*rocks_.view);
    if (const Tick* found = tail_.find(tick.symbol, tick.seq)) return found->flags;
  }
  // It was packed meanwhile.
  const auto chunk = find_chunk(rocks_, tick.symbol, tick.ts_event, tick.seq);
  if (!chunk) return tick.flags;
  for (const StoredTick& each : chunk->ticks) {
    if (each.tick.kind == RecordKind::kQuote && each.tick.seq == tick.seq) return each.tick.flags;
  }
  return tick.flags;
}

void LogReader::hand_over(Position position, Commit& commit, LogVisitor& visitor) {
  if (!commit.is_whole) visitor.on_removed(position);
  std::map<SymbolId, std::vector<CloseMark>> closes;
  for (const CloseMark& mark : commit.closes) {
    closes[mark.symbol].push_back(mark);
    commit.ticks[mark.symbol];
  }
  for (auto& [symbol, records] : commit.ticks) {
    std::stable_sort(records.begin(), records.end(), [](const Tick& a, const Tick& b) {
      return a.seq != b.seq ? a.seq < b.seq : a.kind < b.kind;  // a trade or gap repeats the seq of the quote before
    });
    auto record = records.begin();
    const auto emit_through = [&](std::uint64_t seq) {
      for (; record != records.end() && record->seq <= seq; ++record) visitor.on_tick(*record, position);
    };
    for (const CloseMark& mark : closes[symbol]) {
      emit_through(mark.after_seq);
      visitor.on_close(mark, position);
    }
    emit_through(std::numeric_limits<std::uint64_t>::max());
  }
  for (const Tick& tick : commit.amended) visitor.on_amended(tick, position);
  for (const auto& [key, stored] : commit.bars) visitor.on_bar(key, stored);
}

}  // namespace tickpipe::internal
