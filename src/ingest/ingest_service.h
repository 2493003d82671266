#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ingest/intake.h"
#include "ingest/verdict_ledger.h"
#include "model/ingest_door.h"

namespace tickpipe::internal {

class QuoteProducer;

/// Takes bodies of raw quotes from clients that wait for the outcome, and answers once everything accepted is
/// committed.
///
/// Place:   HTTP -> [ingest service] -> shards; the verdicts come back through the VerdictLedger.
/// Threads: ingest() from any; its own threads decode. Bodies of one client are taken in the order in which it sent
/// them
///          if it waits for each answer.
/// Bound:   bodies that wait for a thread take at most `max_queued_bytes`; more are answered kBusy at once.
class IngestService final : public IngestDoor {
 public:
  struct Options {
    unsigned threads = 2;
    std::chrono::nanoseconds wait_for_room = std::chrono::seconds{5};  ///< then kBusy
    std::size_t max_line_bytes = 65536;
    std::size_t max_queued_bytes = std::size_t{256} << 20;
  };

  /// The references outlive it; `ledger` must be told of every commit.
  IngestService(Options options, Intake& intake, VerdictLedger& ledger);
  ~IngestService() override;

  void start();
  /// Answers kStopping from now on, works off what is queued and ends its threads. Answers that wait for commits come
  /// when those are made.
  void stop();
  /// Answers whatever still waits for a commit that will not come. After the committer has ended.
  void give_up();

  void ingest(std::string body, QuoteOrigin origin, std::function<void(IngestAnswer)> done) override;

 private:
  struct Job {
    std::string body;
    QuoteOrigin origin = QuoteOrigin::kLive;
    std::function<void(IngestAnswer)> done;
    std::chrono::steady_clock::time_point deadline;
  };
  class Request;
  struct Decoders;

  void work();
  void take(Job job, QuoteProducer& producer, Decoders& decoders);
  void forget(const Request& request);
  /// Answers requests whose commits do not come as the store fails.
  void answer_stalled(bool all);

  const Options options_;
  Intake& intake_;
  VerdictLedger& ledger_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  std::size_t queued_bytes_ = 0;
  bool is_stopping_ = false;
  std::mutex open_mutex_;
  std::vector<std::shared_ptr<Request>> open_;  ///< wait for their commits
  std::vector<std::jthread> threads_;
};

}  // namespace tickpipe::internal
