#include "serve/io_loop.h"

#include <atomic>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/safe_text.h"

namespace tickpipe::internal {

namespace asio = boost::asio;
using boost::system::error_code;

struct IoLoop::Impl {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  asio::steady_timer timer{context};
  std::chrono::milliseconds period{0};
  Task tick;
  std::atomic<std::thread::id> thread;
  std::mutex mutex;  ///< guards what follows
  std::vector<Task> posted;
  bool is_closed = false;
};

struct IoLoop::Watch::Impl {
  Impl(asio::io_context& context, int descriptor) : handle(context, descriptor) {}
  asio::posix::stream_descriptor handle;
};

IoLoop::IoLoop(Log& log) : log_(log), impl_(std::make_unique<Impl>()) {}
IoLoop::~IoLoop() { close(); }

void IoLoop::tick_every(std::chrono::milliseconds period, Task tick) {
  impl_->period = period;
  impl_->tick = std::move(tick);
  arm_tick();
}

void IoLoop::arm_tick() {
  impl_->timer.expires_after(impl_->period);
  impl_->timer.async_wait([this](const error_code& ec) {
    if (ec || !impl_->tick) return;
    arm_tick();
    impl_->tick();
  });
}

void IoLoop::run() {
  impl_->thread.store(std::this_thread::get_id());
  while (!impl_->context.stopped()) {
    try {
      impl_->context.run();
    } catch (const std::exception& error) {
      log_.error("Http", "an I/O task failed: " + safe_text(error.what()));
    }
  }
  impl_->thread.store(std::thread::id{});
}

void IoLoop::stop() { impl_->context.stop(); }

void IoLoop::close() {
  std::vector<Task> dropped;  // destroyed outside of the lock: a task may hold what posts again
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->is_closed = true;
    dropped.swap(impl_->posted);
  }
  impl_->tick = {};
  impl_->timer.cancel();
  // Lets go of what cancelled waits hold, which may be the last to hold this loop.
  impl_->context.restart();
  impl_->context.poll();
}

void IoLoop::post(Task task) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->is_closed) return;
    impl_->posted.push_back(std::move(task));
    if (impl_->posted.size() > 1) return;  // the loop is on its way
  }
  asio::post(impl_->context, [this] { run_posted(); });
}

void IoLoop::run_posted() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(impl_->mutex);
    tasks.swap(impl_->posted);
  }
  for (Task& task : tasks) {
    try {
      task();
    } catch (const std::exception& error) {
      log_.error("Http", "an I/O task failed: " + safe_text(error.what()));
    }
  }
}

bool IoLoop::is_this_thread() const noexcept { return impl_->thread.load() == std::this_thread::get_id(); }

struct IoLoop::Timer::Impl {
  explicit Impl(asio::io_context& context) : timer(context) {}
  asio::steady_timer timer;
  std::uint64_t number = 0;  ///< of the newest start; earlier ones are void
};

IoLoop::Timer::Timer(IoLoop& loop) : impl_(std::make_shared<Impl>(loop.impl_->context)) {}
IoLoop::Timer::~Timer() { cancel(); }

void IoLoop::Timer::start(std::chrono::steady_clock::time_point at, Task task) {
  const std::uint64_t number = ++impl_->number;
  impl_->timer.expires_at(at);
  impl_->timer.async_wait([weak = std::weak_ptr(impl_), number, task = std::move(task)](const error_code& ec) {
    const auto impl = weak.lock();
    if (!ec && impl && impl->number == number) task();
  });
}

void IoLoop::Timer::cancel() {
  ++impl_->number;
  impl_->timer.cancel();
}

IoLoop::Watch::Watch(IoLoop& loop, int descriptor)
    : impl_(std::make_unique<Impl>(loop.impl_->context, descriptor)), descriptor_(descriptor) {}

IoLoop::Watch::~Watch() { close(); }

void IoLoop::Watch::wait_read(std::shared_ptr<IoEvents> events) {
  impl_->handle.async_wait(asio::posix::stream_descriptor::wait_read, [events = std::move(events)](error_code ec) {
    if (!ec) events->on_readable();
  });
}

void IoLoop::Watch::wait_write(std::shared_ptr<IoEvents> events) {
  impl_->handle.async_wait(asio::posix::stream_descriptor::wait_write, [events = std::move(events)](error_code ec) {
    if (!ec) events->on_writable();
  });
}

void IoLoop::Watch::close() {
  if (descriptor_ < 0) return;
  descriptor_ = -1;
  error_code ignored;
  impl_->handle.close(ignored);
}

}  // namespace tickpipe::internal
