#include "store/rocks.h"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include <chrono>
#include <cstdarg>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include "store/keys.h"
#include "store/wal_scan.h"

namespace tickpipe::internal {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr int kReadOnlyTries = 5;

rocksdb::ColumnFamilyOptions family_options(const std::shared_ptr<rocksdb::Cache>& cache, std::size_t buffer_bytes,
                                            rocksdb::CompressionType compression = rocksdb::kLZ4Compression) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = buffer_bytes;
  options.compression = compression;
  options.bottommost_compression = rocksdb::kZSTD;
  options.level_compaction_dynamic_level_bytes = true;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = std::uint64_t{16} * 1024;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

/// RocksDB's own log would be one more file to fail on a full disk, and the failure of that one ends the process.
class NoLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

/// Leaves the recovery from errors to whoever writes: RocksDB's own would refuse to go on before there is room for all
/// its write buffers at once, and would refuse everybody else's try until then.
class NoAutoRecovery final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status /*error*/,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

rocksdb::DBOptions database_options(bool read_only) {
  rocksdb::DBOptions options;
  options.create_if_missing = !read_only;
  options.create_missing_column_families = !read_only;
  options.max_background_jobs = 2;
  options.max_total_wal_size = 256 * kMiB;
  options.info_log = std::make_shared<NoLog>();
  options.max_bgerror_resume_count = 0;
  options.listeners.push_back(std::make_shared<NoAutoRecovery>());
  // A reader beside a writer holds all files open, so that none is deleted under it.
  options.max_open_files = read_only ? -1 : 512;
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> column_families() {
  const auto cache = rocksdb::NewLRUCache(64 * kMiB);
  return {{rocksdb::kDefaultColumnFamilyName, family_options(cache, 4 * kMiB)},
          {"ticks", family_options(cache, 64 * kMiB, rocksdb::kZSTD)},  // chunks are small already, and stay for long
          {"bars", family_options(cache, 8 * kMiB)},
          {"log", family_options(cache, 32 * kMiB)}};
}

rocksdb::Status try_open(const std::string& path, bool read_only, rocksdb::Env* env, Rocks& rocks) {
  rocksdb::DBOptions options = database_options(read_only);
  if (env != nullptr) options.env = env;
  const auto families = column_families();
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  rocksdb::Status status = read_only ? rocksdb::DB::OpenForReadOnly(options, path, families, &handles, &db)
                                     : rocksdb::DB::Open(options, path, families, &handles, &db);
  if (!status.ok()) return status;
  rocks.db.reset(db);
  rocks.meta = handles[0];
  rocks.ticks = handles[1];
  rocks.bars = handles[2];
  rocks.log = handles[3];
  return status;
}

}  // namespace

Rocks open_rocks(const std::string& path, bool read_only, rocksdb::Env* env) {
  // RocksDB would take a damaged record of its log for the end of it, and drop all that follows.
  if (!read_only && std::filesystem::exists(std::filesystem::path(path) / "CURRENT")) {
    for (const WalFile& file : scan_wal(path)) {
      if (file.is_damaged) throw Error(describe_damage(file) + "; " + std::string(kDamageRemedy));
    }
  }
  Rocks rocks;
  rocksdb::Status status;
  // A writer may replace files between the moment a reader learns of them and opens them.
  for (int attempt = 0; attempt < (read_only ? kReadOnlyTries : 1); ++attempt) {
    if (attempt != 0) std::this_thread::sleep_for(std::chrono::milliseconds{50});
    status = try_open(path, read_only, env, rocks);
    if (status.ok()) return rocks;
  }
  std::string text = "cannot open the store in " + path + ": " + status.ToString();
  if (status.IsCorruption()) text.append("; ").append(kDamageRemedy);
  throw Error(text);
}

void resume(const Rocks& rocks) {
  constexpr std::string_view kCannotResume = "cannot resume the store";
  const std::lock_guard lock(*rocks.view);
  check(rocks.db->Resume(), kCannotResume);
  // It has begun a new log file if it had anything in memory to write to a table. If not, it would append to the one
  // whose last write failed, which its writer asserts against: so there must be something, and not by way of the log.
  rocksdb::WriteOptions unlogged;
  unlogged.disableWAL = true;
  check(rocks.db->Put(unlogged, rocks.meta, to_slice(keys::kResumed), ""), kCannotResume);
  check(rocks.db->Flush(rocksdb::FlushOptions(), rocks.meta), kCannotResume);
}

void rebuild_manifest(const std::string& path) {
  check(rocksdb::RepairDB(path, database_options(false), column_families()), "cannot repair the database in " + path);
}

}  // namespace tickpipe::internal
