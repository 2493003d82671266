// `tickpipe backup` beside a server under load.

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

#include "support/server_fixture.h"

namespace tickpipe::internal::testing {
namespace {

using Json = nlohmann::json;

class BackupTest : public ServerTest {
 protected:
  Json back_up(const std::string& to, const std::string& from) {
    const Result result = run({"backup", to, "--data-dir", from});
    EXPECT_EQ(result.status, 0) << result.err;
    return Json::parse(result.out, nullptr, false);
  }
  static std::string quote(std::int64_t n) {
    return R"({"symbol":"EURUSD","bid":1.1,"ask":1.2,"timestamp_ns":)" + std::to_string(1'770'033'600'000'000'000 + n) +
           "}\n";
  }
  std::string epoch_of(const std::string& data_dir) {
    const auto server = serve({"--data-dir", data_dir});
    std::string epoch = server->json("/api/pipeline/stats").at("epoch");
    server->stop();
    return epoch;
  }
};

TEST_F(BackupTest, BesideAServerUnderLoadItHoldsAllThatWasAcknowledgedBefore) {
  const auto server = serve();
  std::atomic<bool> is_over{false};
  std::atomic<std::size_t> acknowledged{0};
  std::jthread poster([&, client = server->connect()]() mutable {
    for (std::int64_t sent = 0; !is_over;) {
      std::string body;
      for (int i = 0; i < 2'000; ++i) body += quote(++sent);
      const auto reply = client.post("/api/ingest?historical=true", body, "Content-Type: application/x-ndjson\r\n");
      ASSERT_TRUE(reply && reply->status == 200);
      acknowledged += 2'000;
    }
  });
  constexpr int kCopies = 3;
  std::size_t known[kCopies] = {};
  for (int i = 0; i < kCopies; ++i) {
    const std::size_t before = acknowledged;
    ASSERT_TRUE(eventually([&] { return acknowledged > before + 60'000; }));
    known[i] = acknowledged;
    const Json summary = back_up(folder_ / "copy" + std::to_string(i), data());
    EXPECT_EQ(summary.at("epoch"), server->json("/api/pipeline/stats").at("epoch"));
    EXPECT_GT(summary.at("position"), 0);
  }
  is_over = true;
  poster.join();
  server->stop();

  const std::string all = exported("ticks", "EURUSD");
  for (int i = 0; i < kCopies; ++i) {
    const std::string copy = folder_ / "copy" + std::to_string(i);
    const std::string part = run({"export", "ticks", "--symbol", "EURUSD", "--data-dir", copy}).out;
    EXPECT_GE(lines_of(part).size(), known[i] + 1);
    EXPECT_TRUE(all.starts_with(part)) << "the copy is not what the original was";
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    EXPECT_EQ(entry.path().string().find(".partial"), std::string::npos) << entry.path();
  }
}

TEST_F(BackupTest, EveryRestoreGoesItsOwnWay) {
  backfill({file("a.jsonl", quote(1) + quote(2))});
  const std::string original = epoch_of(data());
  EXPECT_EQ(epoch_of(data()), original);
  const std::string copy = folder_ / "copy";
  back_up(copy, data());
  std::filesystem::copy(copy, folder_ / "restored", std::filesystem::copy_options::recursive);
  const std::string first = epoch_of(copy);
  const std::string second = epoch_of(folder_ / "restored");
  EXPECT_NE(first, original);
  EXPECT_NE(second, original);
  EXPECT_NE(first, second);
  EXPECT_EQ(epoch_of(copy), first) << "it changes once";
  EXPECT_EQ(epoch_of(data()), original);

  const auto server = serve({"--data-dir", copy});
  EXPECT_EQ(server->ingest(quote(3), true).at("accepted"), 1);
  EXPECT_EQ(server->json("/api/quotes/latest/EURUSD").at("tick_id"), "EURUSD-3");
  server->stop();
}

TEST_F(BackupTest, SaysWhyItCannot) {
  Result result = run({"backup", folder_ / "copy", "--data-dir", folder_ / "nothing"});
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.err.find("there is no tickpipe data in"), std::string::npos) << result.err;

  backfill({file("a.jsonl", quote(1))});
  std::filesystem::create_directories(folder_ / "full/x");
  result = run({"backup", folder_ / "full", "--data-dir", data()});
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.err.find("is not an empty folder"), std::string::npos) << result.err;

  std::filesystem::create_directories(folder_ / "empty");
  EXPECT_EQ(run({"backup", folder_ / "empty", "--data-dir", data()}).status, 0);
  EXPECT_EQ(run({"backup"}).status, 2);
}

}  // namespace
}  // namespace tickpipe::internal::testing
