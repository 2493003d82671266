#include "load/hostile_crowd.h"

#include <pthread.h>

#include <chrono>

#include "load/now.h"

namespace tickpipe::internal::load {

namespace {

constexpr std::chrono::milliseconds kStep{2};

}  // namespace

HostileCrowd::HostileCrowd(const Options& options, const Greeting& greeting) : options_(options), greeting_(greeting) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < kHostileKinds; ++i) {
    const auto kind = static_cast<HostileKind>(i);
    for (std::uint32_t n = count(options.hostile, kind); n > 0; --n) {
      members_.push_back({kind, HostileSlot(kind, number++)});
    }
  }
}

const char* HostileCrowd::name(HostileKind kind) {
  switch (kind) {
    case HostileKind::kNeverRead:
      return "never-read";
    case HostileKind::kTrickle:
      return "trickle";
    case HostileKind::kGarbage:
      return "garbage";
    case HostileKind::kFlood:
      return "flood";
    case HostileKind::kChurn:
      return "churn";
  }
  return "";
}

std::uint32_t HostileCrowd::count(const HostileCounts& counts, HostileKind kind) {
  switch (kind) {
    case HostileKind::kNeverRead:
      return counts.never_read;
    case HostileKind::kTrickle:
      return counts.trickle;
    case HostileKind::kGarbage:
      return counts.garbage;
    case HostileKind::kFlood:
      return counts.flood;
    case HostileKind::kChurn:
      return counts.churn;
  }
  return 0;
}

void HostileCrowd::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void HostileCrowd::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  members_.clear();
}

void HostileCrowd::run(const std::stop_token& stop) {
  ::pthread_setname_np(::pthread_self(), "hostile");
  while (!stop.stop_requested()) {
    const std::int64_t now = monotonic_us();
    for (Member& member : members_) {
      member.slot.step(options_, greeting_, tallies_[static_cast<std::size_t>(member.kind)], now);
    }
    std::this_thread::sleep_for(kStep);
  }
}

}  // namespace tickpipe::internal::load
