// A disk that fails under the database: what failed is not there, what did not is, and reads tell.

#include <gtest/gtest.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>

#include "core/error.h"
#include "support/store_life.h"
#include "support/temporary_folder.h"

namespace tickpipe::internal::testing {
namespace {

/// Passes everything on, but fails one access in `one_in`, writes after they were done in part.
class FailingFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  FailingFileSystem(const std::shared_ptr<rocksdb::FileSystem>& target, std::uint64_t seed)
      : FileSystemWrapper(target), random_(seed) {}
  [[nodiscard]] const char* Name() const override { return "FailingFileSystem"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    if (fails(writes)) return error();
    std::unique_ptr<rocksdb::FSWritableFile> real;
    auto status = FileSystemWrapper::NewWritableFile(name, options, &real, debug);
    if (status.ok()) *file = std::make_unique<Writable>(std::move(real), *this);
    return status;
  }
  rocksdb::IOStatus NewRandomAccessFile(const std::string& name, const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                        rocksdb::IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSRandomAccessFile> real;
    auto status = FileSystemWrapper::NewRandomAccessFile(name, options, &real, debug);
    if (status.ok()) *file = std::make_unique<Readable>(std::move(real), *this);
    return status;
  }

  std::atomic<unsigned> writes{0};  ///< one in so many fails; 0: none
  std::atomic<unsigned> reads{0};
  std::atomic<bool> is_full{true};  ///< what kind of failure
  std::atomic<std::uint64_t> failed{0};

 private:
  class Writable final : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    Writable(std::unique_ptr<rocksdb::FSWritableFile> real, FailingFileSystem& system)
        : FSWritableFileOwnerWrapper(std::move(real)), system_(system) {}
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
      if (system_.fails(system_.writes)) {
        auto part = FSWritableFileOwnerWrapper::Append({data.data(), data.size() / 2}, options, debug);
        return part.ok() ? system_.error() : part;
      }
      return FSWritableFileOwnerWrapper::Append(data, options, debug);
    }
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             const rocksdb::DataVerificationInfo& /*sum*/, rocksdb::IODebugContext* debug) override {
      return Append(data, options, debug);
    }
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
      return system_.fails(system_.writes) ? system_.error() : FSWritableFileOwnerWrapper::Sync(options, debug);
    }

   private:
    FailingFileSystem& system_;
  };
  class Readable final : public rocksdb::FSRandomAccessFileOwnerWrapper {
   public:
    Readable(std::unique_ptr<rocksdb::FSRandomAccessFile> real, FailingFileSystem& system)
        : FSRandomAccessFileOwnerWrapper(std::move(real)), system_(system) {}
    rocksdb::IOStatus Read(std::uint64_t offset, std::size_t n, const rocksdb::IOOptions& options,
                           rocksdb::Slice* result, char* scratch, rocksdb::IODebugContext* debug) const override {
      if (system_.fails(system_.reads)) return system_.error();
      return FSRandomAccessFileOwnerWrapper::Read(offset, n, options, result, scratch, debug);
    }

   private:
    FailingFileSystem& system_;
  };

  [[nodiscard]] rocksdb::IOStatus error() const {
    return is_full ? rocksdb::IOStatus::NoSpace("the disk fails for the test")
                   : rocksdb::IOStatus::IOError("the disk fails for the test");
  }
  bool fails(const std::atomic<unsigned>& one_in) {
    const unsigned n = one_in;
    if (n == 0) return false;
    const std::lock_guard lock(mutex_);
    const bool is_failure = random_() % n == 0;
    if (is_failure) ++failed;
    return is_failure;
  }

  std::mutex mutex_;
  std::mt19937_64 random_;
};

class FailingDiskTest : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  FailingDiskTest()
      : disk_(std::make_shared<FailingFileSystem>(rocksdb::FileSystem::Default(), GetParam())),
        env_(rocksdb::NewCompositeEnv(disk_)) {}

  [[nodiscard]] std::filesystem::path database() const { return folder_ / "db"; }
  std::unique_ptr<OpenStore> open() {
    auto opened = std::make_unique<OpenStore>(database(), false, 300, env_.get());
    if (opened->symbols.size() == 0) opened->intern(StoreLife::kSymbols, StoreLife::kLps);
    return opened;
  }

  static void expect_same(const EmbeddedStore& store, const StoreLife& life) {
    for (const auto& [symbol, ticks] : life.ticks) {
      std::vector<Tick> found;
      store.scan(symbol, kNoTime, kEndOfTime, [&found](const Tick& tick) {
        found.push_back(tick);
        return true;
      });
      ASSERT_EQ(found, life.quotes(symbol, kNoTime, kEndOfTime));
    }
    CollectingVisitor visitor;
    store.read_after(Position{}, visitor);
    EXPECT_EQ(visitor.events, life.events);
    EXPECT_TRUE(visitor.is_unique);
    for (const auto& [id, bar] : life.bars) {
      const auto found = store.find_bar(std::get<0>(id), std::get<1>(id), std::get<2>(id));
      ASSERT_TRUE(found.has_value());
      EXPECT_EQ(found->position, bar.position);
      EXPECT_EQ(found->bar.close, bar.bar.close);
    }
  }

  TemporaryFolder folder_;
  std::shared_ptr<FailingFileSystem> disk_;
  std::unique_ptr<rocksdb::Env> env_;
};

TEST_P(FailingDiskTest, AfterAnInputOutputErrorNothingIsTakenUntilItIsOpenedAgain) {
  disk_->is_full = false;
  StoreLife life(GetParam());
  auto store = open();
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 10; ++i) {
      const auto batches = life.next();
      store->commit(life.position().value, batches);
    }
    const auto batches = life.next();
    disk_->writes = 1;
    EXPECT_THROW(store->commit(life.position().value, batches), Error);
    disk_->writes = 0;
    EXPECT_THROW(store->commit(life.position().value, batches), Error) << "the database does not trust the disk";
    EXPECT_LT(store->store.newest_position(), life.position());
    store.reset();
    store = open();
    EXPECT_LT(store->store.newest_position(), life.position()) << "a commit that failed came back";
    store->commit(life.position().value, batches);
    expect_same(store->store, life);
  }
}

TEST_P(FailingDiskTest, AFailedReadIsAnErrorAndTheNextOneIsRight) {
  StoreLife life(GetParam());
  {
    auto store = open();
    for (int i = 0; i < 100; ++i) {
      const auto batches = life.next();
      store->commit(life.position().value, batches);
    }
    store->store.pack();
  }
  open();  // writes tables of what is in the log
  std::uint64_t errors = 0;
  for (int i = 0; i < 40; ++i) {
    auto store = open();
    disk_->reads = 3;
    try {
      expect_same(store->store, life);
    } catch (const Error& error) {
      ++errors;
      EXPECT_NE(std::string(error.what()).find("the disk fails for the test"), std::string::npos) << error.what();
    }
    disk_->reads = 0;
    if (i % 10 == 0) expect_same(store->store, life);
  }
  EXPECT_GT(errors, 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, FailingDiskTest, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace tickpipe::internal::testing
