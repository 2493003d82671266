#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.h"

namespace tickpipe::internal {

inline rocksdb::Slice to_slice(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view to_view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

/// Throws Error unless `status` is ok.
inline void check(const rocksdb::Status& status, std::string_view what) {
  if (!status.ok()) throw Error(std::string(what) + ": " + status.ToString());
}

/// An open database and its column families, closed in the right order.
struct Rocks {
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::ColumnFamilyHandle* meta = nullptr;
  rocksdb::ColumnFamilyHandle* ticks = nullptr;
  rocksdb::ColumnFamilyHandle* bars = nullptr;
  rocksdb::ColumnFamilyHandle* log = nullptr;
  /// Held while a commit is written and while iterators are made. RocksDB itself does not need it; but an iterator
  /// hands out memory that the writer filled, and ThreadSanitizer cannot see how the library orders the two.
  std::unique_ptr<std::mutex> view = std::make_unique<std::mutex>();

  Rocks() = default;
  Rocks(Rocks&& other) noexcept { *this = std::move(other); }
  Rocks& operator=(Rocks&& other) noexcept {
    std::swap(db, other.db);
    std::swap(meta, other.meta);
    std::swap(ticks, other.ticks);
    std::swap(bars, other.bars);
    std::swap(log, other.log);
    std::swap(view, other.view);
    return *this;
  }
  ~Rocks() {
    if (!db) return;
    for (auto* family : {meta, ticks, bars, log}) {
      if (family != nullptr) db->DestroyColumnFamilyHandle(family);
    }
  }

  [[nodiscard]] std::unique_ptr<rocksdb::Iterator> iterate(rocksdb::ColumnFamilyHandle* family) const {
    const std::lock_guard lock(*view);
    return std::unique_ptr<rocksdb::Iterator>(db->NewIterator(rocksdb::ReadOptions(), family));
  }
};

/// What to do about a damaged store.
inline constexpr std::string_view kDamageRemedy =
    "`tickpipe check-data` names what is damaged, `tickpipe repair` keeps all that is sound, a backup may have more";

/// Opens or creates the database in `path`. Throws Error; when the database is damaged it names the damage. A log whose
/// end is incomplete is no damage: a crash leaves one.
/// `env`, if there is one, does all file accesses and outlives it.
Rocks open_rocks(const std::string& path, bool read_only, rocksdb::Env* env = nullptr);

/// Tells a database that refuses to write, as a write has failed, to try again. Waits until Rocks::view is free. Throws
/// Error while it cannot.
void resume(const Rocks& rocks);

/// Makes a database of the table files in `path` alone, whatever else is there; its write-ahead logs must be elsewhere.
/// A family that no table is of is lost to it. Throws Error.
void rebuild_manifest(const std::string& path);

}  // namespace tickpipe::internal
