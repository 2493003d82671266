#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/commit_log.h"
#include "model/event_batch.h"
#include "model/history.h"
#include "model/name_registry.h"
#include "model/timeframe.h"
#include "store/keys.h"
#include "store/log_visitor.h"
#include "store/retention_access.h"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace tickpipe::internal {

/// Ticks, bars and state in RocksDB.
///
/// A commit is atomic: all of it is there after a crash of the process, or nothing. Its position is one above that of
/// the commit before. Committing the same batches again under the same position, after a failure whose outcome is
/// unknown, changes nothing.
///
/// Column families: `default` (format, epoch, names, snapshots, checkpoint), `log` (what each commit wrote, by
/// position, with its ticks), `ticks` (chunks by symbol and time, into which a thread of the store packs the ticks of
/// the log), `bars` (closed bars).
///
/// Threads: commit() from one thread at a time; everything else from any, also meanwhile. Errors: Error, naming the
/// cause; nothing was half-written.
class EmbeddedStore final : public History, public CommitLog {
 public:
  struct Options {
    std::filesystem::path database;
    bool read_only = false;  ///< also beside a process that writes; sees what was committed when it opened
    bool sync_commits = false;
    std::vector<Timeframe> timeframes;  ///< that BarEvent::timeframe_index counts; not needed to read
    std::size_t run_weight = 0;         ///< how many ticks and bars are packed together; 0: see Packer
    rocksdb::Env* env = nullptr;        ///< does all accesses to the database's files, if there is one; outlives it
  };

  /// Opens or, unless read-only, creates a store. The names that it knows are restored into the empty registries, which
  /// outlive it; names added to them later are stored with the commit that first needs them.
  EmbeddedStore(const Options& options, SymbolRegistry& symbols, LpRegistry& lps);
  ~EmbeddedStore() override;

  void commit(Position position, std::span<const EventBatch* const> batches) override;
  /// Makes what was committed survive a power cut, and notes how far that goes. One thread at a time.
  void sync();
  /// Packs all that was committed into chunks, which otherwise happens in time. Not when read-only.
  void pack();
  /// Tells the database to try its files again.
  void resume() override;

  [[nodiscard]] const std::string& epoch() const;
  [[nodiscard]] Position newest_position() const;
  /// Ticks after this position are not in every snapshot.
  [[nodiscard]] Position checkpoint() const;
  /// What the stored bars were cut by; empty in a new store.
  [[nodiscard]] std::string bar_settings() const;
  /// Marks the stored bars as being folded anew, and as cut by `settings` when that is done. A rebuild that was
  /// interrupted must be made again, whatever the settings are then.
  [[nodiscard]] bool is_rebuilding() const;
  void begin_rebuild();
  void end_rebuild(const std::string& settings);
  /// Removes the closed bars of a symbol and timeframe, to be folded anew.
  void drop_bars(SymbolId symbol, Timeframe timeframe);

  void for_each_snapshot(const std::function<void(SymbolId, Position, std::string_view)>& take) const;
  void read_after(Position position, LogVisitor& visitor) const;

  /// How far a sink had got when it last told; nothing if it never did.
  [[nodiscard]] std::optional<Position> sink_position(std::string_view name) const;
  void set_sink_position(std::string_view name, Position position);

  [[nodiscard]] RetentionAccess& retention();
  [[nodiscard]] const RetentionAccess& retention() const;

  UnixNanos scan(SymbolId symbol, UnixNanos from, UnixNanos to,
                 const std::function<bool(const Tick&)>& take) const override;
  [[nodiscard]] std::optional<StoredBar> find_bar(SymbolId symbol, Timeframe timeframe,
                                                  UnixNanos open_time) const override;
  void scan_bars(SymbolId symbol, Timeframe timeframe, UnixNanos from, UnixNanos to, bool newest_first,
                 const std::function<bool(const Bar&)>& take) const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tickpipe::internal
