#include "store/packer.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "store/keys.h"
#include "store/log_entry.h"

namespace tickpipe::internal {
namespace {

constexpr std::string_view kCannotPack = "cannot pack the store's log";
constexpr std::chrono::milliseconds kRetryAfter{200};

}  // namespace

Packer::Packer(const Rocks& rocks, Tail& tail, bool sync_writes, std::size_t run_weight)
    : rocks_(rocks), tail_(tail), sync_writes_(sync_writes), run_weight_(run_weight) {
  thread_ = std::jthread([this](const std::stop_token& stop) {
    pthread_setname_np(pthread_self(), "packer");
    loop(stop);
  });
}

Packer::~Packer() = default;

void Packer::make_room() {
  std::unique_lock lock(*rocks_.view);
  if (tail_.waiting() < kMaxWaiting) return;
  const std::uint64_t tries = tries_;
  changed_.wait(lock, [&] { return tail_.waiting() < kMaxWaiting || (tries_ != tries && !failure_.empty()); });
  if (tail_.waiting() >= kMaxWaiting) throw Error(failure_);
}

void Packer::committed() {
  const std::size_t wanted =
      run_weight_ != 0 ? run_weight_ : std::clamp(tail_.symbol_count() * kRunWeightOfSymbol, kRunWeight, kMaxRunWeight);
  if (tail_.newest_weight() < wanted) return;
  tail_.close_newest();
  changed_.notify_all();
}

void Packer::pack_all() {
  std::unique_lock lock(*rocks_.view);
  tail_.close_newest();
  changed_.notify_all();
  const std::uint64_t tries = tries_;
  changed_.wait(lock, [&] { return tail_.waiting() == 0 || (tries_ != tries && !failure_.empty()); });
  if (tail_.waiting() != 0) throw Error(failure_);
}

void Packer::loop(const std::stop_token& stop) {
  std::unique_lock lock(*rocks_.view);
  while (changed_.wait(lock, stop, [this] { return tail_.waiting() != 0; })) {
    lock.unlock();
    std::string failure;
    try {
      pack_oldest();
    } catch (const Error& error) {
      failure = error.what();
    }
    lock.lock();
    failure_ = failure;
    ++tries_;
    changed_.notify_all();
    if (!failure.empty()) {
      changed_.wait_for(lock, stop, kRetryAfter, [] { return false; });
      if (!stop.stop_requested()) {
        lock.unlock();
        try {
          resume(rocks_);
        } catch (const Error&) {  // the next try tells it
        }
        lock.lock();
      }
    }
    if (stop.stop_requested()) return;
  }
}

void Packer::pack_oldest() {
  const std::lock_guard packing(packing_);
  std::shared_ptr<const Tail::Run> run;
  {
    const std::lock_guard lock(*rocks_.view);
    run = tail_.oldest();
  }
  rocksdb::WriteBatch write;
  if (run->first < run->last) {
    check(write.DeleteRange(rocks_.log, keys::position(run->first), keys::position(run->last)), kCannotPack);
  }
  LogEntry entry = run->rest;
  entry.first = run->first;
  run_packer_.pack(rocks_, *run, std::move(entry), run->last, write);
  rocksdb::WriteOptions options;
  options.sync = sync_writes_;
  const std::lock_guard lock(*rocks_.view);
  check(rocks_.db->Write(options, &write), kCannotPack);
  tail_.drop_oldest();
}

}  // namespace tickpipe::internal
