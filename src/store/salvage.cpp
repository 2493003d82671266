#include "store/salvage.h"

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <set>
#include <system_error>

#include "core/error.h"
#include "store/file_copy.h"
#include "store/table_file.h"
#include "store/wal_scan.h"

namespace tickpipe::internal {
namespace {

namespace fs = std::filesystem;

/// It sorts before all keys of the store.
constexpr std::string_view kSeedKey{"\0", 1};
constexpr std::size_t kBatchHeader = 12;

std::array<rocksdb::ColumnFamilyHandle*, 4> families_of(const Rocks& rocks) {
  return {rocks.meta, rocks.ticks, rocks.bars, rocks.log};
}

/// The tables that the database consists of as far as it knows; all there are if it cannot be opened.
std::vector<fs::path> live_tables(const fs::path& database) {
  const std::vector<fs::path> all = table_files(database);
  try {
    const Rocks rocks = open_rocks(database.string(), true);
    std::vector<rocksdb::LiveFileMetaData> metadata;
    rocks.db->GetLiveFilesMetaData(&metadata);
    std::set<std::string> names;
    for (const auto& file : metadata) names.insert(fs::path(file.name).filename());
    std::vector<fs::path> live;
    std::copy_if(all.begin(), all.end(), std::back_inserter(live),
                 [&](const fs::path& path) { return names.contains(path.filename()); });
    return live;
  } catch (const Error&) {
    return all;
  }
}

/// A table of each family, so that the copy has them all, under the numbers that the writer of a store gives them.
void add_seeds(const fs::path& copy, std::uint64_t number) {
  const fs::path folder = copy / "seed";
  {
    const Rocks seed = open_rocks(folder.string(), false);
    for (auto* const family : families_of(seed)) {
      check(seed.db->Put(rocksdb::WriteOptions(), family, to_slice(kSeedKey), ""), "cannot write " + folder.string());
      check(seed.db->Flush(rocksdb::FlushOptions(), family), "cannot write " + folder.string());
    }
  }
  for (const fs::path& table : table_files(folder)) {
    std::array<char, 32> name{};
    std::snprintf(name.data(), name.size(), "%06llu.sst", static_cast<unsigned long long>(++number));
    link_or_copy(table, copy / name.data());
  }
  fs::remove_all(folder);
}

std::uint64_t number_of(const fs::path& file) {
  const std::string stem = file.stem();
  return std::strtoull(stem.c_str(), nullptr, 10);
}

/// What the newer copy of an entry has become is not known to an older table.
void add_missing(const Rocks& rocks, const fs::path& table, const std::string& family_name) {
  for (auto* const family : families_of(rocks)) {
    if (family->GetName() != family_name) continue;
    for_each_sound_entry(table, [&](std::string_view key, std::string_view value) {
      std::string known;
      if (!rocks.db->Get(rocksdb::ReadOptions(), family, to_slice(key), &known).IsNotFound()) return;
      check(rocks.db->Put(rocksdb::WriteOptions(), family, to_slice(key), to_slice(value)), "cannot write the copy");
    });
  }
}

void add_log(const Rocks& rocks, const fs::path& log) {
  for_each_sound_write(log, [&](std::string_view bytes) {
    if (bytes.size() < kBatchHeader) return;
    rocksdb::WriteBatch batch{std::string(bytes)};
    const auto status = rocks.db->Write(rocksdb::WriteOptions(), &batch);
    if (!status.IsCorruption() && !status.IsInvalidArgument()) check(status, "cannot write the copy");
  });
}

}  // namespace

std::vector<std::string> find_damaged_files(const fs::path& database) {
  std::vector<std::string> lines;
  for (const fs::path& table : live_tables(database)) {
    const TableFile file = verify_table(table);
    if (!file.problem.empty()) lines.push_back(describe_damage(file));
  }
  for (const WalFile& file : scan_wal(database)) {
    if (file.is_damaged) lines.push_back(describe_damage(file));
  }
  try {
    static_cast<void>(open_rocks(database.string(), true));
  } catch (const Error& error) {
    lines.emplace_back(error.what());
  }
  return lines;
}

Rocks salvage(const fs::path& database, const fs::path& copy) {
  std::error_code error;
  if (!fs::create_directory(copy, error)) {
    throw Error("cannot create " + copy.string() + ": " + (error ? error.message() : "it exists"));
  }
  std::vector<TableFile> damaged;
  std::uint64_t greatest = 0;
  for (const fs::path& table : live_tables(database)) {
    TableFile file = verify_table(table);
    greatest = std::max(greatest, number_of(table));
    if (file.problem.empty()) {
      link_or_copy(table, copy / table.filename());
    } else {
      damaged.push_back(std::move(file));
    }
  }
  add_seeds(copy, greatest);
  rebuild_manifest(copy.string());
  Rocks rocks = open_rocks(copy.string(), false);
  for (auto* const family : families_of(rocks)) {
    check(rocks.db->Delete(rocksdb::WriteOptions(), family, to_slice(kSeedKey)), "cannot write the copy");
  }
  // The newest first: what it says of an entry is to be believed.
  for (auto file = damaged.rbegin(); file != damaged.rend(); ++file) add_missing(rocks, file->path, file->family);
  for (const WalFile& log : scan_wal(database)) add_log(rocks, log.path);
  return rocks;
}

}  // namespace tickpipe::internal
