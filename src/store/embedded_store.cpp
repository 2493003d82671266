#include "store/embedded_store.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>

#include "core/bytes.h"
#include "core/error.h"
#include "core/random_id.h"
#include "core/safe_text.h"
#include "store/backup.h"
#include "store/commit_writer.h"
#include "store/log_reader.h"
#include "store/name_file.h"
#include "store/new_store.h"
#include "store/packer.h"
#include "store/rocks.h"
#include "store/synced_mark.h"
#include "store/tail.h"
#include "store/tick_cursor.h"
#include "store/wal_scan.h"
#include "store/wal_sync.h"

namespace tickpipe::internal {
namespace {

constexpr std::string_view kCannotRead = "cannot read the store";
constexpr std::string_view kCannotWrite = "cannot write to the store";

std::string encode_position(Position position) {
  std::string out;
  ByteWriter(out).u64(position.value);
  return out;
}

}  // namespace

struct EmbeddedStore::Impl {
  Impl(const Options& options, SymbolRegistry& symbols, LpRegistry& lps)
      : synced_mark(options.database),
        synced_before(synced_mark.read()),
        rocks(open_rocks(options.database.string(), options.read_only, options.env)),
        writer(rocks, tail, options.timeframes, symbols, lps),
        packer(open_packer(options)),
        retention(rocks, tail, packer.get(), options.sync_commits),
        symbol_names(symbols),
        lp_names(lps),
        name_file(options.database),
        wal_sync(options.database) {
    write_options.sync = options.sync_commits;
    restore_names(symbols, lps);
    writer.set_stored_names(symbols.size(), lps.size());
    const auto it = rocks.iterate(rocks.log);
    it->SeekToLast();
    if (it->Valid()) newest = keys::parse_position(to_view(it->key())).value_or(Position{});
    check(it->status(), kCannotRead);
    if (synced_before && newest.load() < *synced_before) throw lost_its_end(options.database);
    if (const auto stored = get(keys::kCheckpoint)) checkpoint = Position{ByteReader(*stored).u64()};
    if (!options.read_only) name_file.update(symbols, lps);
  }

  /// Only what can be read may be packed.
  std::unique_ptr<Packer> open_packer(const Options& options) {
    open_format(options);
    load_tail(rocks, tail);
    if (options.read_only) return nullptr;
    tail.close_newest();
    return std::make_unique<Packer>(rocks, tail, options.sync_commits, options.run_weight);
  }

  [[nodiscard]] Error lost_its_end(const std::filesystem::path& database) const {
    std::string text = "the store in " + database.string() + " ends at commit " + std::to_string(newest.load().value) +
                       ", but has had " + std::to_string(synced_before->value) + ": ";
    for (const WalFile& file : scan_wal(database)) {
      if (file.unsound_at) {
        text += file.path.string() + " is damaged at byte " + std::to_string(*file.unsound_at) + "; ";
      }
    }
    return Error(text + std::string(kDamageRemedy));
  }

  void open_format(const Options& options) {
    const bool read_only = options.read_only;
    const auto format = get(keys::kFormat);
    if (format && *format != kFormatVersion && *format != kOlderFormatVersion) {
      throw Error("the data directory has store format " + safe_text(*format) + ", this release reads formats up to " +
                  std::string(kFormatVersion) + ": use the release that wrote it, or a newer one");
    }
    if (format && *format != kFormatVersion && !read_only) {
      check(rocks.db->Put(rocksdb::WriteOptions(), rocks.meta, to_slice(keys::kFormat), to_slice(kFormatVersion)),
            kCannotWrite);
    }
    if (const auto stored = get(keys::kEpoch)) {
      epoch = *stored;
      const BackupMark mark(options.database);
      if (!read_only && mark.is_set()) {
        renew_epoch();
        mark.remove();
      }
    } else if (read_only) {
      throw Error("the data directory holds no store yet");
    } else {
      epoch = write_new_store(rocks);
    }
  }

  /// A copy goes its own way: what it numbers from now on is not what the original numbers.
  void renew_epoch() {
    epoch = random_id();
    rocksdb::WriteOptions synced;
    synced.sync = true;
    check(rocks.db->Put(synced, rocks.meta, to_slice(keys::kEpoch), to_slice(epoch)), kCannotWrite);
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

  SyncedMark synced_mark;
  std::optional<Position> synced_before;  ///< read before the database, as another process may be writing it
  Rocks rocks;
  std::string epoch;
  Tail tail;
  CommitWriter writer;
  std::unique_ptr<Packer> packer;
  rocksdb::WriteOptions write_options;
  RetentionAccess retention;
  std::atomic<Position> newest;
  std::atomic<Position> checkpoint;
  std::map<std::uint32_t, Position> dirty_since;  ///< per shard, its first record that no checkpoint covers
  const SymbolRegistry& symbol_names;
  const LpRegistry& lp_names;
  NameFile name_file;  ///< used by sync() alone after the start
  WalSync wal_sync;
};

EmbeddedStore::EmbeddedStore(const Options& options, SymbolRegistry& symbols, LpRegistry& lps)
    : impl_(std::make_unique<Impl>(options, symbols, lps)) {}

EmbeddedStore::~EmbeddedStore() = default;

void EmbeddedStore::commit(Position position, std::span<const EventBatch* const> batches) {
  if (!impl_->packer) throw Error("the store was opened to be read");
  if (position <= impl_->newest.load()) return;  // that it was told so was lost, not the commit
  impl_->packer->make_room();
  std::unique_lock<std::mutex> packing(impl_->packer->packing(), std::defer_lock);
  if (std::any_of(batches.begin(), batches.end(), [](const EventBatch* batch) { return !batch->amended.empty(); })) {
    packing.lock();
  }
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
    bool is_new = true;
    for (const EventBatch* batch : batches) {
      if (std::exchange(is_new, false) || !batch->ticks.empty()) impl_->tail.add(position, batch->ticks);
    }
    if (is_new) impl_->tail.add(position, {});
    impl_->tail.add_rest(position, impl_->writer.entry());
    impl_->tail.amend(impl_->writer.entry().amended);
    impl_->packer->committed();
  }
  impl_->writer.written();
  impl_->dirty_since = std::move(dirty_since);
  impl_->checkpoint = checkpoint;
  impl_->newest = position;
}

void EmbeddedStore::pack() { impl_->packer->pack_all(); }

void EmbeddedStore::sync() {
  const Position newest = impl_->newest;
  impl_->wal_sync.sync();
  impl_->synced_mark.write(newest);
  impl_->name_file.update(impl_->symbol_names, impl_->lp_names);
}

void EmbeddedStore::resume() { tickpipe::internal::resume(impl_->rocks); }

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
  LogReader(impl_->rocks, impl_->tail, impl_->retention).read_after(position, visitor);
}

std::optional<Position> EmbeddedStore::sink_position(std::string_view name) const {
  const auto value = impl_->get(std::string(keys::kSinkPrefix).append(name));
  return value ? keys::parse_position(*value) : std::nullopt;
}

void EmbeddedStore::set_sink_position(std::string_view name, Position position) {
  check(impl_->rocks.db->Put(rocksdb::WriteOptions(), impl_->rocks.meta, std::string(keys::kSinkPrefix).append(name),
                             encode_position(position)),
        kCannotWrite);
}

UnixNanos EmbeddedStore::scan(SymbolId symbol, UnixNanos from, UnixNanos to,
                              const std::function<bool(const Tick&)>& take) const {
  TickCursor cursor(impl_->rocks, impl_->tail, symbol, from, to);
  while (const Tick* tick = cursor.next()) {
    if (tick->kind == RecordKind::kQuote && !take(*tick)) return tick->ts_event;
  }
  return to;
}

std::optional<StoredBar> EmbeddedStore::find_bar(SymbolId symbol, Timeframe timeframe, UnixNanos open_time) const {
  return find_stored_bar(impl_->rocks, {symbol, timeframe, open_time});
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

}  // namespace tickpipe::internal
