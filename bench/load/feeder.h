#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "load/descriptor.h"
#include "load/feed_body.h"
#include "load/http_client.h"
#include "load/latencies.h"
#include "load/options.h"
#include "load/tally.h"

namespace tickpipe::internal::load {

/// What became of what was fed.
struct FeedTally {
  struct Measured {
    std::uint64_t ticks = 0;  // of POSTs that were answered
    Latencies round_trip;     // of a POST, in microseconds
    Latencies lag;            // behind the schedule when a POST was put together
  };
  std::array<Measured, kMeasurements> measured;
  std::uint64_t posted = 0;
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t repeated = 0;                       // POSTs answered 429 or 503 and sent again
  std::map<std::string, std::uint64_t> rejections;  // by reason; of each answer the first 100
  std::map<std::string, std::uint64_t> failures;    // by what went wrong with a POST
};

/// Posts live ticks at a fixed rate from a thread of its own, over keep-alive connections. Each has a schedule of POSTs
/// and at most one under way: when the server is slow they are late, never left out, and what they carry says by how
/// much.
class Feeder {
 public:
  Feeder(const Options& options, const Progress& progress);

  /// One tick of each symbol, so that all have a value before clients come. Throws Error when any is refused.
  void prime();
  void start();
  /// Ends the schedule, waits for what is under way, at most 5 s.
  void stop();

  /// After stop().
  [[nodiscard]] const FeedTally& tally() const noexcept { return tally_; }

 private:
  struct Connection {
    explicit Connection(FeedBody its_body) : body(std::move(its_body)) {}

    Descriptor socket;
    FeedBody body;
    double period_us = 0;  // between POSTs
    double due_us = 0;
    std::string request;
    std::string lines;
    std::size_t sent = 0;
    std::uint32_t ticks = 0;
    std::int64_t started_us = 0;
    std::int64_t repeat_at_us = 0;
    bool is_busy = false;
    HttpAnswerReader answer;
  };

  void run(const std::stop_token& stop);
  void post(Connection& connection, std::int64_t now_us);
  void send_more(Connection& connection);
  void receive(Connection& connection);
  void on_answer(Connection& connection);
  void lose(Connection& connection, const std::string& why);
  [[nodiscard]] std::string headers() const;
  void wait(std::int64_t until_us);

  const Options& options_;
  const Progress& progress_;
  std::vector<Connection> connections_;
  FeedTally tally_;
  std::jthread thread_;
};

}  // namespace tickpipe::internal::load
