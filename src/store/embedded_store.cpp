#include "store/embedded_store.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <map>
#include <utility>

#include "core/bytes.h"
#include "core/error.h"
#include "core/random_id.h"
#include "core/safe_text.h"
#include "core/utc_day.h"
#include "model/bar_codec.h"
#include "store/chunk_codec.h"
#include "store/commit_writer.h"
#include "store/log_entry.h"
#include "store/rocks.h"
#include "store/tick_cursor.h"
#include "store/wal_sync.h"

namespace tickpipe {
namespace {

constexpr std::string_view kFormatVersion = "1";
constexpr std::string_view kCannotRead = "cannot read the store";
constexpr std::string_view kCannotWrite = "cannot write to the store";

std::string encode_position(Position position) {
  std::string out;
  ByteWriter(out).u64(position.value);
  return out;
}

StoredBar decode_stored_bar(std::string_view bytes) {
  ByteReader in(bytes);
  StoredBar stored;
  stored.position.value = in.u64();
  stored.bar = decode_bar(in);
  if (!in.ok() || !in.at_end()) throw Error("a stored bar is damaged");
  return stored;
}

}  // namespace

struct EmbeddedStore::Impl {
  Impl(const Options& options, SymbolRegistry& symbols, LpRegistry& lps)
      : rocks(open_rocks(options.database.string(), options.read_only)),
        writer(rocks, options.timeframes, symbols, lps),
        retention(rocks, options.sync_commits),
        wal_sync(options.database) {
    write_options.sync = options.sync_commits;
    open_format(options.read_only);
    restore_names(symbols, lps);
    writer.set_stored_names(symbols.size(), lps.size());
    const auto it = rocks.iterate(rocks.log);
    it->SeekToLast();
    if (it->Valid()) newest = keys::parse_position(to_view(it->key())).value_or(Position{});
    check(it->status(), kCannotRead);
    if (const auto stored = get(keys::kCheckpoint)) checkpoint = Position{ByteReader(*stored).u64()};
  }

  void open_format(bool read_only) {
    const auto format = get(keys::kFormat);
    if (format && *format != kFormatVersion) {
      throw Error("the data directory has store format " + safe_text(*format) + ", this release reads format " +
                  std::string(kFormatVersion) + ": use the release that wrote it, or a newer one");
    }
    if (const auto stored = get(keys::kEpoch)) {
      epoch = *stored;
    } else if (read_only) {
      throw Error("the data directory holds no store yet");
    } else {
      epoch = random_id();
      rocksdb::WriteBatch first;
      check(first.Put(rocks.meta, to_slice(keys::kFormat), to_slice(kFormatVersion)), kCannotRead);
      check(first.Put(rocks.meta, to_slice(keys::kEpoch), to_slice(epoch)), kCannotRead);
      check(rocks.db->Write(rocksdb::WriteOptions(), &first), "cannot create the store");
    }
  }

  void restore_names(SymbolRegistry& symbols, LpRegistry& lps) const {
    for_each_numbered(keys::kSymbolPrefix, [&](std::uint32_t number, std::string_view name) {
      const auto symbol = parse_symbol(name);
      if (!symbol || symbols.restore(*symbol).value != number) throw Error("the store's list of symbols is damaged");
    });
    for_each_numbered(keys::kLpPrefix, [&](std::uint32_t number, std::string_view name) {
      const auto lp = parse_lp(name);
      if (!lp || lps.restore(*lp).value != number) throw Error("the store's list of LPs is damaged");
    });
  }

  template <typename Take>
  void for_each_numbered(std::string_view prefix, Take take) const {
    const auto it = rocks.iterate(rocks.meta);
    for (it->Seek(to_slice(prefix)); it->Valid(); it->Next()) {
      if (!it->key().starts_with(to_slice(prefix))) break;
      const auto number = keys::parse_numbered(prefix, to_view(it->key()));
      if (!number) throw Error("the store holds a damaged key");
      take(*number, to_view(it->value()));
    }
    check(it->status(), kCannotRead);
  }

  [[nodiscard]] std::optional<std::string> get(std::string_view key) const {
    std::string value;
    const auto status = rocks.db->Get(rocksdb::ReadOptions(), rocks.meta, to_slice(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    check(status, kCannotRead);
    return value;
  }

  Rocks rocks;
  CommitWriter writer;
  rocksdb::WriteOptions write_options;
  std::string epoch;
  RetentionAccess retention;
  std::atomic<Position> newest;
  std::atomic<Position> checkpoint;
  std::map<std::uint32_t, Position> dirty_since;  ///< per shard, its first record that no checkpoint covers
  WalSync wal_sync;
};

EmbeddedStore::EmbeddedStore(const Options& options, SymbolRegistry& symbols, LpRegistry& lps)
    : impl_(std::make_unique<Impl>(options, symbols, lps)) {}

EmbeddedStore::~EmbeddedStore() = default;

void EmbeddedStore::commit(Position position, std::span<const EventBatch* const> batches) {
  rocksdb::WriteBatch& write = impl_->writer.build(position, batches);
  // A shard is dirty from its first record after its last checkpoint on; a restart begins before the first of them.
  auto dirty_since = impl_->dirty_since;
  bool has_checkpoint = false;
  for (const EventBatch* batch : batches) {
    if (batch->is_checkpoint) {
      dirty_since.erase(batch->shard);
      has_checkpoint = true;
    } else if (!batch->ticks.empty() || !batch->closes.empty() || !batch->amended.empty()) {
      dirty_since.try_emplace(batch->shard, position);
    }
  }
  Position checkpoint = impl_->checkpoint;
  if (has_checkpoint) {
    checkpoint = position;
    for (const auto& [shard, since] : dirty_since) checkpoint = std::min(checkpoint, Position{since.value - 1});
    check(write.Put(impl_->rocks.meta, to_slice(keys::kCheckpoint), encode_position(checkpoint)), kCannotWrite);
  }
  {
    const std::lock_guard lock(*impl_->rocks.view);
    check(impl_->rocks.db->Write(impl_->write_options, &write), kCannotWrite);
  }
  impl_->writer.written();
  impl_->dirty_since = std::move(dirty_since);
  impl_->checkpoint = checkpoint;
  impl_->newest = position;
}

void EmbeddedStore::sync() { impl_->wal_sync.sync(); }

void EmbeddedStore::resume() { check(impl_->rocks.db->Resume(), "cannot resume the store"); }

const std::string& EmbeddedStore::epoch() const { return impl_->epoch; }
Position EmbeddedStore::newest_position() const { return impl_->newest; }
Position EmbeddedStore::checkpoint() const { return impl_->checkpoint; }

RetentionAccess& EmbeddedStore::retention() { return impl_->retention; }
const RetentionAccess& EmbeddedStore::retention() const { return impl_->retention; }

std::string EmbeddedStore::bar_settings() const { return impl_->get(keys::kBarSettings).value_or(""); }

bool EmbeddedStore::is_rebuilding() const { return impl_->get(keys::kRebuilding).has_value(); }

void EmbeddedStore::begin_rebuild() {
  check(impl_->rocks.db->Put(rocksdb::WriteOptions(), impl_->rocks.meta, to_slice(keys::kRebuilding), "1"),
        kCannotWrite);
}

void EmbeddedStore::end_rebuild(const std::string& settings) {
  rocksdb::WriteBatch write;
  check(write.Put(impl_->rocks.meta, to_slice(keys::kBarSettings), settings), kCannotWrite);
  check(write.Delete(impl_->rocks.meta, to_slice(keys::kRebuilding)), kCannotWrite);
  check(impl_->rocks.db->Write(rocksdb::WriteOptions(), &write), kCannotWrite);
}

void EmbeddedStore::drop_bars(SymbolId symbol, Timeframe timeframe) {
  check(impl_->rocks.db->DeleteRange(rocksdb::WriteOptions(), impl_->rocks.bars,
                                     keys::bar({symbol, timeframe, kFirstTickTime - keys::kSpanLimits.back() * 8}),
                                     keys::bar({symbol, timeframe, kEndOfTime})),
        kCannotWrite);
}

void EmbeddedStore::for_each_snapshot(const std::function<void(SymbolId, Position, std::string_view)>& take) const {
  impl_->for_each_numbered(keys::kSnapshotPrefix, [&](std::uint32_t symbol, std::string_view value) {
    if (value.size() < 8) throw Error("the stored state of a symbol is damaged");
    take(SymbolId{symbol}, Position{ByteReader(value).u64()}, value.substr(8));
  });
}

void EmbeddedStore::read_after(Position position, LogVisitor& visitor) const {
  const Rocks& rocks = impl_->rocks;
  const auto it = rocks.iterate(rocks.log);
  std::map<SymbolId, std::vector<Tick>> ticks;
  std::string value;
  for (it->Seek(keys::position({position.value + 1})); it->Valid(); it->Next()) {
    const auto at = keys::parse_position(to_view(it->key()));
    if (!at) throw Error("the store holds a damaged key in its log");
    const LogEntry entry = decode_log_entry(to_view(it->value()), *at);

    ticks.clear();
    bool is_whole = true;
    for (const keys::Chunk& chunk : entry.chunks) {
      const auto status = rocks.db->Get(rocksdb::ReadOptions(), rocks.ticks, keys::chunk(chunk), &value);
      if (status.IsNotFound() && impl_->retention.is_sealed(chunk.symbol, utc_day(chunk.first))) {
        is_whole = false;
        continue;
      }
      check(status, kCannotRead);
      decode_chunk(value, chunk.symbol, ticks[chunk.symbol]);
    }
    if (!is_whole) visitor.on_removed(*at);
    std::map<SymbolId, std::vector<CloseMark>> closes;
    for (const CloseMark& mark : entry.closes) {
      closes[mark.symbol].push_back(mark);
      ticks[mark.symbol];
    }
    for (auto& [symbol, records] : ticks) {
      std::stable_sort(records.begin(), records.end(), [](const Tick& a, const Tick& b) {
        return a.seq != b.seq ? a.seq < b.seq : a.kind < b.kind;  // a trade or gap repeats the seq of the quote before
      });
      auto record = records.begin();
      const auto emit_through = [&](std::uint64_t seq) {
        for (; record != records.end() && record->seq <= seq; ++record) visitor.on_tick(*record, *at);
      };
      for (const CloseMark& mark : closes[symbol]) {
        emit_through(mark.after_seq);
        visitor.on_close(mark, *at);
      }
      emit_through(std::numeric_limits<std::uint64_t>::max());
    }
    for (const Tick& tick : entry.amended) visitor.on_amended(tick, *at);
    for (const keys::BarKey& key : entry.bars) {
      const auto stored = find_bar(key.symbol, key.timeframe, key.open_time);
      if (stored && stored->position == *at) visitor.on_bar(key, *stored);
    }
  }
  check(it->status(), kCannotRead);
}

UnixNanos EmbeddedStore::scan(SymbolId symbol, UnixNanos from, UnixNanos to,
                              const std::function<bool(const Tick&)>& take) const {
  TickCursor cursor(impl_->rocks, symbol, from, to);
  while (const Tick* tick = cursor.next()) {
    if (tick->kind == RecordKind::kQuote && !take(*tick)) return tick->ts_event;
  }
  return to;
}

std::optional<StoredBar> EmbeddedStore::find_bar(SymbolId symbol, Timeframe timeframe, UnixNanos open_time) const {
  std::string value;
  const auto status = impl_->rocks.db->Get(rocksdb::ReadOptions(), impl_->rocks.bars,
                                           keys::bar({symbol, timeframe, open_time}), &value);
  if (status.IsNotFound()) return std::nullopt;
  check(status, kCannotRead);
  return decode_stored_bar(value);
}

void EmbeddedStore::scan_bars(SymbolId symbol, Timeframe timeframe, UnixNanos from, UnixNanos to, bool newest_first,
                              const std::function<bool(const Bar&)>& take) const {
  const auto it = impl_->rocks.iterate(impl_->rocks.bars);
  if (newest_first) {
    it->SeekForPrev(keys::bar({symbol, timeframe, to}));
  } else {
    it->Seek(keys::bar({symbol, timeframe, from}));
  }
  for (; it->Valid(); newest_first ? it->Prev() : it->Next()) {
    const auto key = keys::parse_bar(to_view(it->key()));
    if (!key) throw Error("the store holds a damaged key among its bars");
    if (newest_first && key->symbol == symbol && key->timeframe == timeframe && key->open_time >= to) continue;
    if (key->symbol != symbol || key->timeframe != timeframe || key->open_time < from || key->open_time >= to) break;
    if (!take(decode_stored_bar(to_view(it->value())).bar)) break;
  }
  check(it->status(), kCannotRead);
}

}  // namespace tickpipe
