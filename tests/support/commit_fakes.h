#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "core/error.h"
#include "model/commit_log.h"
#include "model/event_batch.h"

namespace tickpipe::internal::testing {

/// A batch by shard and number.
using BatchId = std::pair<std::uint32_t, std::uint64_t>;
using BatchIds = std::vector<BatchId>;

inline constexpr std::chrono::seconds kPatience{30};  // nothing takes this long unless it is broken

inline std::vector<std::uint64_t> seqs_of(const EventBatch& batch) {
  std::vector<std::uint64_t> seqs;
  for (const Tick& tick : batch.ticks) seqs.push_back(tick.seq);
  return seqs;
}

/// Remembers every try; fails and waits on demand.
class FakeLog final : public CommitLog {
 public:
  struct Try {
    Position position;
    BatchIds batches;
    std::vector<std::uint64_t> seqs;
    std::chrono::steady_clock::time_point at;
    bool failed = false;
  };

  void commit(Position position, std::span<const EventBatch* const> batches) override {
    Try attempt{.position = position, .batches = {}, .seqs = {}, .at = std::chrono::steady_clock::now()};
    for (const EventBatch* batch : batches) {
      attempt.batches.emplace_back(batch->shard, batch->number);
      for (const std::uint64_t seq : seqs_of(*batch)) attempt.seqs.push_back(seq);
    }
    std::unique_lock lock(mutex_);
    attempt.failed = failures_ != 0;
    if (failures_ > 0) --failures_;
    tries_.push_back(attempt);
    changed_.notify_all();
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [this] { return !is_shut_; }));
    // While this went on the shards went on too, with batches of their own.
    std::vector<std::uint64_t> seqs_now;
    for (const EventBatch* batch : batches) {
      for (const std::uint64_t seq : seqs_of(*batch)) seqs_now.push_back(seq);
    }
    EXPECT_EQ(seqs_now, attempt.seqs);
    if (attempt.failed) throw Error("the disk is full");
    for (const BatchId& id : attempt.batches) committed_[id] = position;
  }

  void resume() override {
    const std::lock_guard lock(mutex_);
    ++resumes_;
    if (failing_resumes_ == 0) return;
    --failing_resumes_;
    throw Error("the disk is still full");
  }

  /// The next `commits` tries fail; -1 = all.
  void fail(int commits, int resumes = 0) {
    const std::lock_guard lock(mutex_);
    failures_ = commits;
    failing_resumes_ = resumes;
  }
  /// Commits begin, and end only once it is opened.
  void shut() { set_shut(true); }
  void open() { set_shut(false); }
  void wait_for_tries(std::size_t count) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, kPatience, [&] { return tries_.size() >= count; }));
  }
  std::vector<Try> tries() const {
    const std::lock_guard lock(mutex_);
    return tries_;
  }
  int resumes() const {
    const std::lock_guard lock(mutex_);
    return resumes_;
  }
  /// The commit that holds the batch; 0 = none.
  Position position_of(const BatchId& id) const {
    const std::lock_guard lock(mutex_);
    const auto it = committed_.find(id);
    return it == committed_.end() ? Position{} : it->second;
  }

 private:
  void set_shut(bool is_shut) {
    const std::lock_guard lock(mutex_);
    is_shut_ = is_shut;
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Try> tries_;
  std::map<BatchId, Position> committed_;
  int failures_ = 0;
  int failing_resumes_ = 0;
  int resumes_ = 0;
  bool is_shut_ = false;
};

/// Remembers what was published, and checks that it was stored by then.
class FakeListener final : public BatchListener {
 public:
  explicit FakeListener(const FakeLog* log) : log_(log) {}

  void on_committed(const EventBatch& batch, Position position) override {
    const BatchId id(batch.shard, batch.number);
    if (log_ != nullptr) {
      EXPECT_EQ(log_->position_of(id), position) << "published, but not stored as that commit";
    }
    const std::lock_guard lock(mutex_);
    published_.push_back(id);
    positions_.push_back(position);
    for (const std::uint64_t seq : seqs_of(batch)) seqs_.push_back(seq);
    changed_.notify_all();
  }

  void wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, kPatience, [&] { return published_.size() >= count; }));
  }
  BatchIds published() const {
    const std::lock_guard lock(mutex_);
    return published_;
  }
  std::vector<Position> positions() const {
    const std::lock_guard lock(mutex_);
    return positions_;
  }
  std::vector<std::uint64_t> seqs() const {
    const std::lock_guard lock(mutex_);
    return seqs_;
  }

 private:
  const FakeLog* log_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  BatchIds published_;
  std::vector<Position> positions_;
  std::vector<std::uint64_t> seqs_;
};

}  // namespace tickpipe::internal::testing
