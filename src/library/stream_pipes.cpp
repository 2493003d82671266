#include "library/stream_pipes.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <system_error>
#include <utility>

#include "library/signal_mask.h"

namespace tickpipe::internal {
namespace {

constexpr std::chrono::seconds kGoodbye{3};
constexpr std::chrono::milliseconds kLookAgain{5};

}  // namespace

int StreamPipes::open(TakeOver take_over) {
  const std::lock_guard lock(mutex_);
  if (is_stopped_) return -1;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) return -1;
  try {
    if (!loop_) {
      const SignalMask mask;
      auto loop = std::make_shared<IoLoop>(log_);
      thread_ = std::thread([loop] {
        pthread_setname_np(pthread_self(), "api-streams");
        loop->run();
      });
      loop_ = std::move(loop);
    }
    streams_->fetch_add(1);
    const std::shared_ptr<void> place(nullptr, [streams = streams_](void*) { streams->fetch_sub(1); });
    loop_->post([loop = loop_, place, end = ends[0], take_over = std::move(take_over)] {
      HandedOver connection{.loop = loop, .watch = nullptr, .unread = {}, .unsent = {}, .place = place};
      connection.watch = std::make_unique<IoLoop::Watch>(*loop, end);
      take_over(std::move(connection));
    });
  } catch (const std::exception&) {
    ::close(ends[0]);
    ::close(ends[1]);
    return -1;
  }
  return ends[1];
}

void StreamPipes::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  if (!thread_.joinable()) return;
  loop_->post([this] { handler_.shut_down_streams(*loop_); });
  const auto deadline = std::chrono::steady_clock::now() + kGoodbye;
  while (streams_->load() != 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(kLookAgain);
  loop_->post([this] {
    handler_.close_streams(*loop_);
    loop_->stop();
  });
  thread_.join();
  loop_->close();
}

}  // namespace tickpipe::internal
