#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "core/decimal.h"
#include "store/rocks.h"
#include "support/store_life.h"
#include "support/temporary_folder.h"

namespace tickpipe::internal {
namespace {

using testing::make_tick;
using testing::OpenStore;

/// The recorded EURUSD quotes, received some tenths of a millisecond after their time; empty without recordings.
std::vector<Tick> recorded_quotes() {
  const char* folder = std::getenv("TICKPIPE_RECORDINGS");
  if (folder == nullptr) return {};
  std::ifstream file(std::string(folder) + "/fx/eurusd-2020-01-quotes.csv");
  std::vector<Tick> ticks;
  std::mt19937_64 random(1);
  std::string line;
  std::getline(file, line);  // the header
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string time;
    std::string symbol;
    std::string bid;
    std::string ask;
    std::getline(fields, time, ',');
    std::getline(fields, symbol, ',');
    std::getline(fields, bid, ',');
    std::getline(fields, ask, ',');
    Tick tick = make_tick(0, ticks.size() + 1, UnixNanos{std::stoll(time) * kNanosPerMilli});
    tick.ts_recv.ns = tick.ts_event.ns + 2 * kNanosPerMilli + static_cast<std::int64_t>(random() % 1000) * 1000;
    tick.bid = Price{parse_decimal(bid).units};
    tick.ask = Price{parse_decimal(ask).units};
    ticks.push_back(tick);
  }
  return ticks;
}

/// Bytes of the chunks on the disk, compressed and with their keys.
std::uint64_t stored_bytes(const std::string& database) {
  const Rocks rocks = open_rocks(database, false);
  check(rocks.db->CompactRange(rocksdb::CompactRangeOptions(), rocks.ticks, nullptr, nullptr), "test");
  std::uint64_t bytes = 0;
  EXPECT_TRUE(rocks.db->GetIntProperty(rocks.ticks, rocksdb::DB::Properties::kTotalSstFilesSize, &bytes));
  return bytes;
}

TEST(StoredSizeTest, RecordedQuotesTakeAtMostFiveBytesEach) {
  const auto ticks = recorded_quotes();
  if (ticks.empty()) GTEST_SKIP() << "TICKPIPE_RECORDINGS is not set to the folder of the recordings";
  for (const bool is_each_a_commit : {true, false}) {
    const testing::TemporaryFolder folder;
    const std::string database = folder / "db";
    {
      OpenStore open(database);
      open.intern(1, 1);
      std::mt19937_64 random(2);
      std::uint64_t position = 0;
      for (std::size_t i = 0; i < ticks.size();) {
        const std::size_t count = is_each_a_commit ? 1 : std::min<std::size_t>(1 + random() % 20, ticks.size() - i);
        EventBatch batch;
        batch.ticks.assign(ticks.begin() + static_cast<std::ptrdiff_t>(i),
                           ticks.begin() + static_cast<std::ptrdiff_t>(i + count));
        i += count;
        ++position;
        open.commit(position, {batch});
      }
      open.store.pack();
    }
    const double per_tick = static_cast<double>(stored_bytes(database)) / static_cast<double>(ticks.size());
    RecordProperty(is_each_a_commit ? "bytes_per_tick_single" : "bytes_per_tick_batches", std::to_string(per_tick));
    EXPECT_LE(per_tick, 5.0);
    EXPECT_GE(per_tick, 1.0) << "it cannot be so little";
  }
}

}  // namespace
}  // namespace tickpipe::internal
