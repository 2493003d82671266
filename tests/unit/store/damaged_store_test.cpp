// What the store says of files that were damaged while it was closed, and what is no damage.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/error.h"
#include "store/backup.h"
#include "store/synced_mark.h"
#include "store/wal_scan.h"
#include "support/store_life.h"
#include "support/temporary_folder.h"

namespace tickpipe::internal::testing {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void overwrite(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

class DamagedStoreTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path database() const { return folder_ / "db"; }

  /// Commits that all are in the log of one run of the store; nothing is in a table yet.
  void write(std::uint64_t commits) {
    OpenStore open(database());
    open.intern(1, 1);
    for (std::uint64_t i = 1; i <= commits; ++i) {
      EventBatch batch;
      for (std::uint64_t n = 0; n < 100; ++n) {
        batch.ticks.push_back(make_tick(0, (i - 1) * 100 + n + 1, kStoreNoon + std::chrono::seconds{i * 100 + n}));
      }
      open.commit(i, {batch});
      if (i == commits / 2) open.store.sync();
    }
  }
  [[nodiscard]] std::filesystem::path newest_log() const { return scan_wal(database()).back().path; }
  /// Why the store cannot be opened; empty if it can.
  [[nodiscard]] std::string refusal() const {
    try {
      const OpenStore open(database());
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }
  [[nodiscard]] std::uint64_t newest() const { return OpenStore(database(), true).store.newest_position().value; }

  TemporaryFolder folder_;
};

TEST_F(DamagedStoreTest, ASoundLogIsSound) {
  write(200);
  const auto files = scan_wal(database());
  ASSERT_FALSE(files.empty());
  EXPECT_GT(files.back().bytes, 3U * 32'768) << "records must span blocks";
  for (const WalFile& file : files) EXPECT_FALSE(file.unsound_at) << file.path;
}

TEST_F(DamagedStoreTest, AFlippedByteAnywhereInTheLogIsNamedAndNothingIsDropped) {
  write(200);
  const auto log = newest_log();
  const std::string sound = read_file(log);
  for (const std::size_t at : {sound.size() / 7, sound.size() / 3, sound.size() / 2, std::size_t{32'768 + 3}}) {
    std::string damaged = sound;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    overwrite(log, damaged);
    const auto file = scan_wal(database()).back();
    ASSERT_TRUE(file.unsound_at.has_value());
    EXPECT_LE(*file.unsound_at, at);
    EXPECT_TRUE(file.is_damaged);
    const std::string text = refusal();
    EXPECT_NE(text.find(log.string() + " is damaged at byte "), std::string::npos) << text;
    EXPECT_NE(text.find("tickpipe repair"), std::string::npos) << text;
    EXPECT_EQ(read_file(log), damaged) << "it was changed by the refusal";
  }
  overwrite(log, sound);
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(newest(), 200U);
}

TEST_F(DamagedStoreTest, AnUnfinishedEndIsWhatACrashLeaves) {
  write(200);
  const auto log = newest_log();
  const std::string sound = read_file(log);
  overwrite(log, sound.substr(0, sound.size() - 10));
  const auto file = scan_wal(database()).back();
  EXPECT_TRUE(file.unsound_at.has_value());
  EXPECT_FALSE(file.is_damaged);
  EXPECT_EQ(refusal(), "");
  EXPECT_LT(newest(), 200U);
  EXPECT_GE(newest(), 198U);
}

TEST_F(DamagedStoreTest, AHoleBehindWhatWasSyncedIsWhatAPowerCutLeaves) {
  write(200);
  const auto log = newest_log();
  const std::string sound = read_file(log);
  std::string holed = sound;
  const std::size_t page = (sound.size() * 3 / 4) / 4096 * 4096;
  holed.replace(page, 4096, 4096, '\0');
  overwrite(log, holed);
  const auto file = scan_wal(database()).back();
  EXPECT_TRUE(file.unsound_at.has_value());
  EXPECT_FALSE(file.is_damaged);
  EXPECT_EQ(refusal(), "");
  EXPECT_GE(newest(), 100U);
  EXPECT_LT(newest(), 200U);
}

TEST_F(DamagedStoreTest, AHoleInWhatWasSyncedIsALoss) {
  write(200);
  const auto log = newest_log();
  std::string holed = read_file(log);
  holed.replace(8192, 4096, 4096, '\0');
  overwrite(log, holed);
  EXPECT_NE(refusal().find(", but has had 100"), std::string::npos) << refusal();
}

TEST_F(DamagedStoreTest, AnEndBeforeWhatWasSyncedIsALoss) {
  write(200);
  const auto log = newest_log();
  const std::string sound = read_file(log);
  overwrite(log, sound.substr(0, sound.size() / 4));
  const std::string text = refusal();
  EXPECT_NE(text.find(", but has had 100"), std::string::npos) << text;
  EXPECT_NE(text.find("tickpipe repair"), std::string::npos) << text;

  // Without the note it cannot be told from a crash.
  std::filesystem::remove(database() / "SYNCED");
  EXPECT_EQ(refusal(), "");
}

TEST_F(DamagedStoreTest, TheSyncedMarkIsReadAsWrittenOrNotAtAll) {
  const SyncedMark mark(folder_.path());
  EXPECT_FALSE(mark.read());
  mark.write(Position{7});
  mark.write(Position{1'234'567'890'123});
  EXPECT_EQ(mark.read(), Position{1'234'567'890'123});
  const std::string sound = read_file(folder_ / "SYNCED");
  for (std::size_t i = 0; i < sound.size(); ++i) {
    std::string damaged = sound;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    overwrite(folder_ / "SYNCED", damaged);
    EXPECT_FALSE(mark.read());
  }
  overwrite(folder_ / "SYNCED", sound.substr(0, 15));
  EXPECT_FALSE(mark.read());
}

TEST_F(DamagedStoreTest, ACopyGetsAnotherEpochWhenItIsFirstWritten) {
  write(10);
  const std::string epoch = OpenStore(database(), true).store.epoch();
  const BackupMark mark(database());
  mark.set();
  EXPECT_EQ(OpenStore(database(), true).store.epoch(), epoch);
  const std::string renewed = OpenStore(database()).store.epoch();
  EXPECT_NE(renewed, epoch);
  EXPECT_FALSE(mark.is_set());
  EXPECT_EQ(OpenStore(database()).store.epoch(), renewed);
  EXPECT_EQ(OpenStore(database(), true).store.epoch(), renewed);
}

}  // namespace
}  // namespace tickpipe::internal::testing
