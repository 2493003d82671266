// The real server on a disk that is full: a small tmpfs in a mount namespace of its own.

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "support/server_fixture.h"
#include "support/small_disk.h"

namespace tickpipe::internal::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

class FullDiskTest : public ServerTest {
 protected:
  static constexpr int kBatch = 500;

  void SetUp() override {
    fs::create_directories(folder_ / "disk");
    disk_ = std::make_unique<SmallDisk>(folder_ / "disk", folder_ / "holder");
    if (!disk_->is_there()) GTEST_SKIP() << "no mount namespace here, the disk cannot be made: " << disk_->why_not();
    disk_->take_room(12'000'000);
    server_ = start();
  }

  std::unique_ptr<RunningServer> spawn_on_disk() {
    std::vector<std::string> arguments = disk_->enter();
    arguments.insert(arguments.end(), {TICKPIPE_EXECUTABLE, "serve", "--data-dir", folder_ / "disk/data", "--port", "0",
                                       "--feed", "none"});
    return std::make_unique<RunningServer>(std::move(arguments), folder_ / "on_disk" + std::to_string(++started_),
                                           std::vector<std::string>{});
  }
  std::unique_ptr<RunningServer> start() {
    auto server = spawn_on_disk();
    server->wait_until_ready();
    return server;
  }

  static std::string batch(int number) {
    std::string body;
    for (int i = 0; i < kBatch; ++i) {
      const std::int64_t n = number * kBatch + i;
      body += R"({"symbol":"EURUSD","bid":)" + std::to_string(1'000'000 + n) + R"(,"ask":5000000,"timestamp_ns":)" +
              std::to_string(1'770'033'600'000'000'000 + n * 1'000'003) + "}\n";
    }
    return body;
  }
  HttpReply send(int number) const { return server_->post("/api/ingest?historical=true", batch(number), kLines); }
  /// Sends until the disk is full; returns how many batches were acknowledged.
  int fill() {
    HttpClient client = server_->connect();
    for (int number = 0; number < 5'000; ++number) {
      const auto reply = client.post("/api/ingest?historical=true", batch(number), kLines);
      if (!reply) ADD_FAILURE() << "no answer to batch " << number;
      if (!reply || reply->status == 503) {
        refusal_ = reply.value_or(HttpReply{});
        return number;
      }
      EXPECT_EQ(reply->status, 200) << reply->body;
    }
    ADD_FAILURE() << "the disk does not get full";
    return 0;
  }
  /// Each quote of that many batches is there, once, in order.
  void expect_whole(int batches) const { expect_quotes(static_cast<std::size_t>(batches) * kBatch); }
  void expect_quotes(std::size_t count) const {
    const auto quotes = whole_history(*server_, "EURUSD", 10'000);
    ASSERT_EQ(quotes.size(), count);
    for (std::size_t i = 0; i < quotes.size(); ++i) {
      ASSERT_EQ(quotes[i].at("tick_id"), "EURUSD-" + std::to_string(i + 1));
      ASSERT_EQ(quotes[i].at("bid"), std::to_string(1'000'000 + i));
    }
  }
  [[nodiscard]] std::string newest() const { return server_->json("/api/quotes/latest/EURUSD").at("tick_id"); }

  static constexpr const char* kLines = "Content-Type: application/x-ndjson\r\n";
  std::unique_ptr<SmallDisk> disk_;
  std::unique_ptr<RunningServer> server_;
  HttpReply refusal_;
  int started_ = 0;
};

TEST_F(FullDiskTest, SaysSoShowsNothingUncommittedAndGoesOnByItself) {
  const int acknowledged = fill();
  ASSERT_GT(acknowledged, 10);
  const Json refusal = Json::parse(refusal_.body);
  EXPECT_GT(refusal.at("pending"), 0) << refusal_.body;
  EXPECT_EQ(refusal_.header("content-type"), "application/problem+json");

  const HttpReply health = server_->get("/api/pipeline/health");
  EXPECT_EQ(health.status, 503);
  EXPECT_EQ(Json::parse(health.body).at("overall_status"), "unhealthy") << health.body;
  EXPECT_NE(health.body.find("No space left"), std::string::npos) << health.body;

  // What is not committed is not shown, live quotes neither; what is committed is still served. The first quotes of the
  // body that was refused may be, when it went into two commits.
  const std::string last = newest();
  EXPECT_GE(std::stoi(last.substr(7)), acknowledged * kBatch);
  EXPECT_LT(std::stoi(last.substr(7)), (acknowledged + 1) * kBatch);
  EXPECT_EQ(send(acknowledged).status, 503);
  const std::string live =
      R"({"symbol":"GBPUSD","bid":1000001,"ask":5000000,"timestamp_ns":)" + std::to_string(wall_clock().ns) + "}";
  EXPECT_EQ(server_->post("/api/ingest", live).status, 503);
  EXPECT_EQ(newest(), last);
  EXPECT_NE(server_->get("/api/quotes/latest/GBPUSD").status, 200);
  expect_quotes(static_cast<std::size_t>(std::stoi(last.substr(7))));

  disk_->give_room();
  ASSERT_TRUE(eventually([&] { return send(acknowledged).status == 200; }));
  ASSERT_EQ(send(acknowledged + 1).status, 200);
  EXPECT_TRUE(eventually([&] { return server_->get("/api/pipeline/health").status == 200; }));
  expect_whole(acknowledged + 2);
  server_->stop();
  server_ = start();
  expect_whole(acknowledged + 2);
  server_->stop();
}

TEST_F(FullDiskTest, KilledWhileItIsFullItHasAllThatWasAcknowledged) {
  const int acknowledged = fill();
  ASSERT_GT(acknowledged, 10);
  server_->kill();
  {
    const auto refused = spawn_on_disk();
    if (eventually([&] { return refused->has_ended() || refused->has_logged("Listening on"); }) &&
        refused->has_ended()) {
      EXPECT_EQ(refused->wait(), 1) << refused->log();
      EXPECT_NE(refused->log().find("No space left"), std::string::npos) << refused->log();
    } else {
      refused->kill();  // it could start, and refuses what it cannot store
    }
  }
  disk_->give_room();
  server_ = start();
  // The batch that was refused may have been committed before the answer: the same again makes that no difference.
  EXPECT_EQ(send(acknowledged).status, 200);
  expect_whole(acknowledged + 1);
  server_->stop();
}

TEST_F(FullDiskTest, StoppedWhileItIsFullItEndsAndTells) {
  const int acknowledged = fill();
  ASSERT_GT(acknowledged, 10);
  server_->signal(SIGTERM);
  EXPECT_EQ(server_->wait(), 1);
  EXPECT_NE(server_->log().find("No space left"), std::string::npos) << server_->log();
  disk_->give_room();
  server_ = start();
  EXPECT_EQ(send(acknowledged).status, 200);
  expect_whole(acknowledged + 1);
  server_->stop();
}

}  // namespace
}  // namespace tickpipe::internal::testing
