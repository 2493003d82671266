#include "store/table_file.h"

#include <rocksdb/sst_file_reader.h>

#include <algorithm>
#include <array>
#include <memory>
#include <system_error>

#include "core/error.h"
#include "core/safe_text.h"
#include "store/rocks.h"

namespace tickpipe::internal {
namespace {

constexpr std::size_t kKeySize = 40;  // longer than any key of the store
using KeyNumber = std::array<std::uint8_t, kKeySize>;

KeyNumber number_of(std::string_view key) {
  KeyNumber number{};
  std::copy_n(key.begin(), std::min(key.size(), kKeySize), number.begin());
  return number;
}

/// (a + b) / 2
KeyNumber middle(const KeyNumber& a, const KeyNumber& b) {
  KeyNumber sum{};
  unsigned carry = 0;
  for (std::size_t i = kKeySize; i-- > 0;) {
    carry += static_cast<unsigned>(a[i]) + b[i];
    sum[i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  for (std::uint8_t& digit : sum) {
    const unsigned value = carry << 8 | digit;
    digit = static_cast<std::uint8_t>(value / 2);
    carry = value % 2;
  }
  return sum;
}

/// A new iterator at the key. One that has met a damaged block would not always tell that it meets it again.
std::unique_ptr<rocksdb::Iterator> seek(rocksdb::SstFileReader& reader, const KeyNumber& key) {
  std::unique_ptr<rocksdb::Iterator> it(reader.NewIterator(rocksdb::ReadOptions()));
  it->Seek(rocksdb::Slice(reinterpret_cast<const char*>(key.data()), key.size()));
  return it;
}

/// Stands behind the damaged block that comes after `last`, or at the end.
std::unique_ptr<rocksdb::Iterator> skip_damage(rocksdb::SstFileReader& reader, const KeyNumber& last) {
  KeyNumber unsound = last;
  KeyNumber sound;
  sound.fill(0xff);
  for (;;) {
    const KeyNumber between = middle(unsound, sound);
    if (between == unsound || between == sound) return seek(reader, sound);
    (seek(reader, between)->status().ok() ? sound : unsound) = between;
  }
}

}  // namespace

std::vector<std::filesystem::path> table_files(const std::filesystem::path& database) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  std::filesystem::directory_iterator entries(database, error);
  for (const std::filesystem::directory_iterator end; !error && entries != end; entries.increment(error)) {
    if (entries->path().extension() == ".sst") paths.push_back(entries->path());
  }
  if (error) throw Error("cannot read " + database.string() + ": " + error.message());
  std::sort(paths.begin(), paths.end());
  return paths;
}

TableFile verify_table(const std::filesystem::path& path) {
  TableFile file{path, {}, {}};
  rocksdb::SstFileReader reader{rocksdb::Options()};
  auto status = reader.Open(path.string());
  if (status.ok()) {
    file.family = reader.GetTableProperties()->column_family_name;
    status = reader.VerifyChecksum();
  }
  if (status.ok()) {  // the sums are of what was written: see that it can be read
    const std::unique_ptr<rocksdb::Iterator> it(reader.NewIterator(rocksdb::ReadOptions()));
    for (it->SeekToFirst(); it->Valid();) it->Next();
    status = it->status();
  }
  if (!status.ok()) file.problem = status.ToString();
  return file;
}

std::uint64_t for_each_sound_entry(const std::filesystem::path& path,
                                   const std::function<void(std::string_view, std::string_view)>& take) {
  rocksdb::SstFileReader reader{rocksdb::Options()};
  if (!reader.Open(path.string()).ok()) return 0;
  std::unique_ptr<rocksdb::Iterator> it(reader.NewIterator(rocksdb::ReadOptions()));
  std::uint64_t count = 0;
  KeyNumber last{};
  it->SeekToFirst();
  for (;;) {
    for (; it->Valid(); it->Next()) {
      last = number_of(to_view(it->key()));
      take(to_view(it->key()), to_view(it->value()));
      ++count;
    }
    if (it->status().ok()) return count;
    const KeyNumber before = last;
    it = skip_damage(reader, last);
    if (!it->Valid() || number_of(to_view(it->key())) <= before) return count;
  }
}

std::string describe_damage(const TableFile& file) {
  return file.path.string() + (file.family.empty() ? "" : " (" + safe_text(file.family) + ")") +
         " is damaged: " + safe_text(file.problem, 256);
}

}  // namespace tickpipe::internal
