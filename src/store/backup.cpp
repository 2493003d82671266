#include "store/backup.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>
#include <system_error>
#include <vector>

#include "core/error.h"
#include "model/name_registry.h"
#include "store/embedded_store.h"
#include "store/file_copy.h"
#include "store/synced_mark.h"

namespace tickpipe::internal {
namespace {

namespace fs = std::filesystem;

constexpr int kTries = 50;

/// What tells which files the database consists of; it grows with every change of that.
struct Manifest {
  fs::path file;
  std::uint64_t bytes = 0;

  friend bool operator==(const Manifest&, const Manifest&) = default;
};

Manifest read_manifest(const fs::path& database) {
  std::ifstream current(database / "CURRENT");
  std::string name;
  std::getline(current, name);
  if (!current || name.rfind("MANIFEST-", 0) != 0 || name.find('/') != std::string::npos) {
    throw Error("cannot read " + (database / "CURRENT").string() + ": it does not name a manifest");
  }
  Manifest manifest{database / name, 0};
  std::error_code error;
  manifest.bytes = fs::file_size(manifest.file, error);
  if (error == std::errc::no_such_file_or_directory) throw FileIsGone("cannot find " + manifest.file.string());
  if (error) throw Error("cannot read " + manifest.file.string() + ": " + error.message());
  return manifest;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  fs::directory_iterator entries(folder, error);
  for (const fs::directory_iterator end; !error && entries != end; entries.increment(error)) {
    files.push_back(entries->path());
  }
  if (error) throw Error("cannot read " + folder.string() + ": " + error.message());
  std::sort(files.begin(), files.end());
  return files;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw Error("cannot create " + folder.string() + ": " + error.message());
}

/// Copies a database that may be being written. Nothing is locked: what the copy is of is right if the manifest is the
/// same before and after all that it names was linked, and what goes missing meanwhile says that it was not.
class DatabaseCopy {
 public:
  DatabaseCopy(fs::path from, fs::path to, BackupSummary& summary)
      : from_(std::move(from)), to_(std::move(to)), summary_(summary) {}

  void make() {
    for (int attempt = 1;; ++attempt) {
      try {
        if (try_once()) return;
      } catch (const FileIsGone& gone) {
        if (attempt == kTries) throw Error(gone.what());
      }
      if (attempt == kTries) throw Error("cannot copy " + from_.string() + ": its files change all the time");
    }
  }

 private:
  bool try_once() {
    std::error_code ignored;
    fs::remove_all(to_, ignored);
    make_folder(to_);
    summary_.files = summary_.bytes = summary_.linked_bytes = 0;
    logs_.clear();

    const Manifest manifest = read_manifest(from_);
    for (const fs::path& file : files_in(from_)) link(file);
    if (read_manifest(from_) != manifest) return false;
    // From here on it does not matter what the writer does. A log that it still appends to is not to be shared.
    for (const fs::path& log : logs_) {
      const fs::path link = to_ / (log.filename().string() + ".link");
      count(copy_content(link, to_ / log.filename()));
      if (!fs::remove(link, ignored)) throw Error("cannot remove " + link.string() + ": " + ignored.message());
    }
    count(copy_content(manifest.file, to_ / manifest.file.filename(), manifest.bytes));
    std::ofstream(to_ / "CURRENT") << manifest.file.filename().string() << '\n';
    copy_content(to_ / "CURRENT", to_ / "CURRENT.synced");
    fs::rename(to_ / "CURRENT.synced", to_ / "CURRENT", ignored);
    if (ignored) throw Error("cannot write " + (to_ / "CURRENT").string() + ": " + ignored.message());
    return true;
  }

  void link(const fs::path& file) {
    const std::string extension = file.extension();
    const std::string name = file.filename();
    if (extension == ".sst") {
      std::error_code error;
      const bool is_linked = link_or_copy(file, to_ / name);
      const std::uint64_t bytes = fs::file_size(to_ / name, error);
      if (error) throw Error("cannot read " + (to_ / name).string() + ": " + error.message());
      count(bytes);
      if (is_linked) summary_.linked_bytes += bytes;
    } else if (extension == ".log") {
      // On a file system without links this is a copy already, and is what it should be: older logs are linked first,
      // and do not grow once there is a newer one.
      link_or_copy(file, to_ / (name + ".link"));
      logs_.push_back(file);
    } else if (name == "IDENTITY" || name == "NAMES") {
      count(copy_content(file, to_ / name));
    }
  }

  void count(std::uint64_t bytes) {
    ++summary_.files;
    summary_.bytes += bytes;
  }

  fs::path from_;
  fs::path to_;
  BackupSummary& summary_;
  std::vector<fs::path> logs_;
};

/// Removes what was made of a copy unless it is complete.
class PartialFolder {
 public:
  explicit PartialFolder(const fs::path& target) : path_(target.string() + ".partial-" + std::to_string(::getpid())) {
    std::error_code error;
    if (!fs::create_directories(path_, error) || error) {
      throw Error("cannot create " + path_.string() + ": " + (error ? error.message() : "it exists"));
    }
  }
  ~PartialFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }
  void complete(const fs::path& target) {
    std::error_code error;
    fs::rename(path_, target, error);  // over an empty folder too
    if (error) throw Error("cannot rename " + path_.string() + " to " + target.string() + ": " + error.message());
    path_.clear();
  }

 private:
  fs::path path_;
};

}  // namespace

bool BackupMark::is_set() const {
  std::error_code error;
  const bool is_there = fs::exists(file_, error);
  if (error) throw Error("cannot read " + file_.string() + ": " + error.message());
  return is_there;
}

void BackupMark::set() const {
  std::ofstream file(file_);
  file << "a copy, which has its own epoch once it is written\n";
  if (!file.flush()) throw Error("cannot write " + file_.string());
}

void BackupMark::remove() const {
  std::error_code error;
  fs::remove(file_, error);
  if (error) throw Error("cannot remove " + file_.string() + ": " + error.message());
}

BackupSummary back_up(const fs::path& data_dir, const fs::path& target) {
  const auto begin = std::chrono::steady_clock::now();
  const fs::path to = fs::absolute(target / "").parent_path();
  std::error_code error;
  if (fs::exists(to, error) && !(fs::is_directory(to, error) && fs::is_empty(to, error))) {
    throw Error(target.string() + " exists and is not an empty folder: name another one");
  }
  if (!fs::exists(data_dir / "db" / "CURRENT", error)) {
    throw Error("there is no tickpipe data in " + data_dir.string() + ": name the right folder with --data-dir");
  }
  PartialFolder partial(to);
  const fs::path database = partial.path() / "db";
  BackupSummary summary;
  DatabaseCopy(data_dir / "db", database, summary).make();
  {
    SymbolRegistry symbols(std::numeric_limits<std::size_t>::max());
    LpRegistry lps(std::numeric_limits<std::size_t>::max());
    const EmbeddedStore copy({.database = database, .read_only = true, .sync_commits = false, .timeframes = {}},
                             symbols, lps);
    summary.epoch = copy.epoch();
    summary.newest = copy.newest_position();
  }
  BackupMark(database).set();
  SyncedMark(database).write(summary.newest);
  sync_folder(database);
  sync_folder(partial.path());
  partial.complete(to);
  sync_folder(to.parent_path());
  summary.taken = std::chrono::steady_clock::now() - begin;
  return summary;
}

}  // namespace tickpipe::internal
