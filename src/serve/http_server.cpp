#include "serve/http_server.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "serve/http_connection.h"
#include "serve/listening_socket.h"

namespace tickpipe::internal {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Connections accepted in a row before others have their turn: few, so that a storm holds up nobody who is there.
constexpr int kAcceptsAtOnce = 4;
/// Connections beyond the limit that are told so; further ones are just closed.
constexpr std::uint64_t kMaxTurningAway = 256;
constexpr milliseconds kAcceptPause{100};
constexpr std::chrono::minutes kAcceptLogPause{1};

unsigned thread_count(unsigned wanted) {
  return wanted != 0 ? wanted : std::clamp(std::thread::hardware_concurrency() / 2, 1U, 4U);
}

milliseconds tick_period(const HttpTimeouts& timeouts) {
  const milliseconds shortest = std::min(
      {timeouts.header, timeouts.body_progress, timeouts.body_total, timeouts.idle, timeouts.write, timeouts.linger});
  return std::clamp(shortest / 4, milliseconds{10}, milliseconds{1000});
}

}  // namespace

struct HttpServer::Impl {
  /// Takes connections in and gives them to the groups in turn. On the thread of the first group.
  class Acceptor final : public IoEvents, public std::enable_shared_from_this<Acceptor> {
   public:
    Acceptor(Impl& server, int descriptor) : server_(server), watch_(*server.groups.front()->loop, descriptor) {}

    void wait() { watch_.wait_read(shared_from_this()); }
    void close() { watch_.close(); }
    void on_readable() override {
      for (int i = 0; i < kAcceptsAtOnce; ++i) {
        const AcceptedSocket socket = accept_connection(watch_.descriptor());
        if (socket.descriptor >= 0) {
          server_.take(socket);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
          break;
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
          return pause(errno);
        }  // else that one connection is gone
      }
      wait();
    }
    void on_writable() override {}
    void on_tick() {
      if (!is_paused_ || watch_.descriptor() < 0 || SteadyClock::now() < resume_at_) return;
      is_paused_ = false;
      wait();
    }

   private:
    void pause(int error) {
      const auto now = SteadyClock::now();
      is_paused_ = true;
      resume_at_ = now + kAcceptPause;
      if (now < next_log_) return;
      next_log_ = now + kAcceptLogPause;
      server_.context.log.error("Http", "cannot accept connections (" + std::generic_category().message(error) +
                                            "): raise the limit of open files (ulimit -n), or lower "
                                            "http.max_connections; trying again");
    }

    Impl& server_;
    IoLoop::Watch watch_;
    bool is_paused_ = false;
    SteadyClock::time_point resume_at_;
    SteadyClock::time_point next_log_;
  };

  Impl(Options wanted, HttpHandler& handler, Log& log) : options(std::move(wanted)), context(handler, log) {
    context.timeouts = options.timeouts;
    context.limits = {.max_head_bytes = options.max_head_bytes,
                      .max_target_bytes = options.max_target_bytes,
                      .max_body_bytes = options.max_body_bytes};
    context.max_held_bytes = std::max(options.max_held_bytes, 2 * options.max_body_bytes);
    context.allow_any_host = options.allow_insecure;
  }

  void take(const AcceptedSocket& socket) {
    context.accepted.fetch_add(1, std::memory_order_relaxed);
    const bool is_turned_away = context.connections.load() >= options.max_connections;
    if (is_turned_away && context.turning_away.load() >= kMaxTurningAway) {
      context.turned_away.fetch_add(1, std::memory_order_relaxed);
      ::close(socket.descriptor);
      return;
    }
    (is_turned_away ? context.turning_away : context.connections).fetch_add(1);
    ConnectionGroup& group = *groups[next_group++ % groups.size()];
    const auto connection =
        std::make_shared<HttpConnection>(context, group, socket.descriptor, socket.is_local_peer, is_turned_away);
    if (group.loop->is_this_thread()) {
      group.add(connection);
    } else {
      group.loop->post([&group, connection] { group.add(connection); });
    }
  }

  /// Runs `task` for each group on its thread and waits for all.
  template <typename Task>
  void on_every_group(Task task) {
    std::vector<std::future<void>> done;
    for (const auto& group : groups) {
      auto promise = std::make_shared<std::promise<void>>();
      done.push_back(promise->get_future());
      group->loop->post([&group = *group, task, promise] {
        task(group);
        promise->set_value();
      });
    }
    for (auto& one : done) one.wait();
  }

  Options options;
  HttpContext context;
  std::vector<std::unique_ptr<ConnectionGroup>> groups;
  std::size_t next_group = 0;
  std::shared_ptr<Acceptor> acceptor;
  std::atomic<std::uint16_t> port{0};
  bool is_accepting = false;
  bool is_running = false;
  std::vector<std::jthread> threads;
};

HttpServer::HttpServer(Options options, HttpHandler& handler, Log& log)
    : impl_(std::make_unique<Impl>(std::move(options), handler, log)) {}

HttpServer::~HttpServer() { stop(milliseconds{0}); }

void HttpServer::start() {
  Impl& impl = *impl_;
  ListeningSocket socket(impl.options.address, impl.options.port, impl.options.allow_insecure);
  const milliseconds period = tick_period(impl.options.timeouts);
  for (unsigned i = 0; i < thread_count(impl.options.threads); ++i) {
    impl.groups.push_back(std::make_unique<ConnectionGroup>(impl.context.log));
  }
  impl.port.store(socket.port());
  impl.acceptor = std::make_shared<Impl::Acceptor>(impl, socket.release());
  for (std::size_t i = 0; i < impl.groups.size(); ++i) {
    impl.groups[i]->loop->tick_every(period, [&impl, &group = *impl.groups[i], accepts = i == 0] {
      group.check_deadlines();
      if (accepts) impl.acceptor->on_tick();
    });
  }
  impl.acceptor->wait();
  impl.is_accepting = impl.is_running = true;
  for (std::size_t i = 0; i < impl.groups.size(); ++i) {
    impl.threads.emplace_back([&group = *impl.groups[i], i] {
      pthread_setname_np(pthread_self(), ("http-" + std::to_string(i)).c_str());
      group.loop->run();
    });
  }
}

void HttpServer::stop_accepting() {
  if (!std::exchange(impl_->is_accepting, false)) return;
  impl_->on_every_group([this](ConnectionGroup& group) {
    if (&group == impl_->groups.front().get()) impl_->acceptor->close();
  });
}

void HttpServer::stop(milliseconds grace) {
  Impl& impl = *impl_;
  if (!std::exchange(impl.is_running, false)) return;
  stop_accepting();
  impl.context.is_draining.store(true);
  impl.on_every_group([&impl](ConnectionGroup& group) {
    impl.context.handler.shut_down_streams(*group.loop);
    group.drain();
  });
  {
    std::unique_lock lock(impl.context.mutex);
    impl.context.connection_closed.wait_for(
        lock, grace, [&] { return impl.context.connections.load() + impl.context.turning_away.load() == 0; });
  }
  impl.on_every_group([&impl](ConnectionGroup& group) {
    impl.context.handler.close_streams(*group.loop);
    group.close_all();
  });
  for (const auto& group : impl.groups) group->loop->stop();
  impl.threads.clear();
  for (const auto& group : impl.groups) group->loop->close();
}

std::uint16_t HttpServer::port() const noexcept { return impl_->port.load(); }

std::uint64_t HttpServer::connections() const noexcept { return impl_->context.connections.load(); }

HttpServer::Counters HttpServer::counters() const noexcept {
  const HttpContext& context = impl_->context;
  return {.accepted = context.accepted.load(std::memory_order_relaxed),
          .requests = context.requests.load(std::memory_order_relaxed),
          .bad_requests = context.bad_requests.load(std::memory_order_relaxed),
          .timeouts = context.timeouts_count.load(std::memory_order_relaxed),
          .turned_away = context.turned_away.load(std::memory_order_relaxed)};
}

}  // namespace tickpipe::internal
