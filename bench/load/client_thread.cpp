#include "load/client_thread.h"

#include <pthread.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <string>

#include "core/error.h"
#include "load/now.h"

namespace tickpipe::internal::load {

namespace {

constexpr std::size_t kReadBytes = 256 << 10;
constexpr std::int64_t kSlowHandshakeUs = 20'000'000;

}  // namespace

ClientThread::ClientThread(const Options& options, const Greeting& greeting, Progress& progress, Verifier* verifier,
                           std::uint32_t first, std::uint32_t count)
    : first_(first),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      world_{options, greeting, progress, tally_, verifier, epoll_.get(), -1, 0, 1, 0, {}, {}},
      clients_(count),
      alive_(count),
      buffer_(kReadBytes, '\0') {
  if (!epoll_.is_open()) throw Error("epoll_create1 failed");
}

void ClientThread::start() {
  thread_ = std::jthread([this] { run(); });
}

void ClientThread::join() {
  if (thread_.joinable()) thread_.join();
}

void ClientThread::run() {
  ::pthread_setname_np(::pthread_self(), ("clients-" + std::to_string(first_)).substr(0, 15).c_str());
  while (world_.progress.phase.load(std::memory_order_relaxed) != Phase::kStop) {
    open_more();
    turn(pending_.empty() ? 20 : 1);
    give_up_slow_ones();
  }
  close_all();
}

void ClientThread::open_more() {
  std::erase_if(pending_, [&](std::uint32_t index) { return clients_[index].is_settled(); });
  while (opened_ < clients_.size() && pending_.size() < world_.options.parallel) {
    const std::uint32_t index = opened_++;
    clients_[index].open(world_, first_ + index, index);
    pending_.push_back(index);
  }
}

void ClientThread::give_up_slow_ones() {
  const std::int64_t now = monotonic_us();
  for (const std::uint32_t index : pending_) {
    Client& client = clients_[index];
    if (client.is_settled() || now - client.opened_us() < kSlowHandshakeUs) continue;
    client.fail(world_, "no answer to handshake or subscription within 20 s");
  }
}

void ClientThread::turn(int timeout_ms) {
  std::array<epoll_event, 256> events{};
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
  world_.measurement = measurement_of(world_.progress.phase.load(std::memory_order_relaxed));
  world_.messages = 0;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    clients_[event.data.u32].on_events(world_, event.events, buffer_);
  }
  world_.progress.messages.fetch_add(world_.messages, std::memory_order_relaxed);
}

void ClientThread::close_all() {
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    alive_[i] = clients_[i].state() == Client::State::kOpen;
    if (clients_[i].state() != Client::State::kNew) clients_[i].start_close(world_);
  }
  const std::int64_t deadline = monotonic_us() + 2'000'000;
  const auto is_closing = [](const Client& client) { return client.state() == Client::State::kClosing; };
  while (monotonic_us() < deadline && std::any_of(clients_.begin(), clients_.end(), is_closing)) turn(20);
  for (Client& client : clients_) client.end();
}

}  // namespace tickpipe::internal::load
