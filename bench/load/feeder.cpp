#include "load/feeder.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "load/now.h"

namespace tickpipe::internal::load {

namespace {

constexpr std::int64_t kRepeatAfterUs = 200'000;
constexpr std::int64_t kLastAnswersUs = 5'000'000;

}  // namespace

Feeder::Feeder(const Options& options, const Progress& progress) : options_(options), progress_(progress) {
  const FeedOptions& feed = options.feed;
  for (std::uint32_t i = 0; i < feed.connections; ++i) {
    Connection& connection = connections_.emplace_back(FeedBody(feed.line, i, feed.connections, feed.symbols));
    const double rate =
        feed.rate * static_cast<double>(connection.body.symbol_count()) / static_cast<double>(feed.symbols);
    connection.period_us = 1e6 * feed.batch / rate;
  }
}

std::string Feeder::headers() const {
  std::string lines = "Content-Type: " + options_.feed.content_type + "\r\n";
  for (const std::string& header : options_.feed.headers) lines += header + "\r\n";
  return lines;
}

void Feeder::prime() {
  for (Connection& connection : connections_) {
    connection.body.write(connection.lines, static_cast<std::uint32_t>(connection.body.symbol_count()), 0);
    const HttpAnswer answer =
        http_request(options_.feed.target, "POST", options_.feed.target.path, headers(), connection.lines);
    const nlohmann::json body = nlohmann::json::parse(answer.body, nullptr, false);
    const bool is_refused =
        options_.protocol == Protocol::kTickpipe && (!body.is_object() || body.value("rejected", 1) != 0);
    if (answer.status / 100 != 2 || is_refused) {
      throw Error("the server refuses the feeder's ticks: " + std::to_string(answer.status) + " " +
                  answer.body.substr(0, 300));
    }
  }
}

void Feeder::start() {
  for (Connection& connection : connections_) connection.socket = connect_blocking(options_.feed.target, 5);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Feeder::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void Feeder::run(const std::stop_token& stop) {
  ::pthread_setname_np(::pthread_self(), "feeder");
  const std::int64_t start = monotonic_us();
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(connections_.size());
    connections_[i].due_us = static_cast<double>(start) + connections_[i].period_us * (1 + share);
  }
  std::int64_t deadline = 0;
  for (;;) {
    const std::int64_t now = monotonic_us();
    if (stop.stop_requested() && deadline == 0) deadline = now + kLastAnswersUs;
    double next = static_cast<double>(now + 20'000);
    for (Connection& connection : connections_) {
      if (connection.is_busy) {
        if (connection.repeat_at_us != 0 && connection.repeat_at_us <= now) {
          connection.repeat_at_us = 0;
          connection.sent = 0;
          send_more(connection);
        }
        continue;
      }
      if (deadline == 0 && connection.due_us <= static_cast<double>(now)) post(connection, now);
      if (!connection.is_busy) next = std::min(next, connection.due_us);
    }
    const bool is_idle =
        std::none_of(connections_.begin(), connections_.end(), [](const Connection& c) { return c.is_busy; });
    if (deadline != 0 && (is_idle || now > deadline)) return;
    wait(static_cast<std::int64_t>(next));
  }
}

void Feeder::wait(std::int64_t until_us) {
  std::vector<pollfd> polls;
  for (const Connection& connection : connections_) {
    const bool is_sending = connection.is_busy && connection.sent < connection.request.size();
    polls.push_back({connection.socket.get(), static_cast<short>(is_sending ? POLLIN | POLLOUT : POLLIN), 0});
  }
  const std::int64_t left = std::max<std::int64_t>(until_us - monotonic_us(), 0);
  const timespec timeout{left / 1'000'000, left % 1'000'000 * 1000};
  if (::ppoll(polls.data(), polls.size(), &timeout, nullptr) <= 0) return;
  for (std::size_t i = 0; i < polls.size(); ++i) {
    if ((polls[i].revents & POLLOUT) != 0) send_more(connections_[i]);
    if ((polls[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) receive(connections_[i]);
  }
}

void Feeder::post(Connection& connection, std::int64_t now_us) {
  if (!connection.socket.is_open()) {
    try {
      connection.socket = connect_blocking(options_.feed.target, 1);
    } catch (const Error&) {
      ++tally_.failures["cannot connect"];
      connection.due_us = static_cast<double>(now_us + kRepeatAfterUs);
      return;
    }
  }
  const auto lag_us = static_cast<std::int64_t>(static_cast<double>(now_us) - connection.due_us);
  connection.due_us += connection.period_us;
  connection.ticks = options_.feed.batch;
  connection.body.write(connection.lines, connection.ticks, lag_us);
  connection.request =
      http_head(options_.feed.target, "POST", options_.feed.target.path, headers(), connection.lines.size());
  connection.request += connection.lines;
  connection.sent = 0;
  connection.started_us = now_us;
  connection.is_busy = true;
  connection.answer.reset();
  tally_.posted += connection.ticks;
  const int measurement = measurement_of(progress_.phase.load(std::memory_order_relaxed));
  if (measurement >= 0) tally_.measured[static_cast<std::size_t>(measurement)].lag.record(lag_us);
  send_more(connection);
}

void Feeder::send_more(Connection& connection) {
  while (connection.sent < connection.request.size()) {
    const ssize_t put = ::send(connection.socket.get(), connection.request.data() + connection.sent,
                               connection.request.size() - connection.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put <= 0) {
      if (errno != EAGAIN) lose(connection, std::strerror(errno));
      return;
    }
    connection.sent += static_cast<std::size_t>(put);
  }
}

void Feeder::receive(Connection& connection) {
  std::array<char, 16384> buffer{};
  const ssize_t got = ::recv(connection.socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    lose(connection, got == 0 ? "closed by the server" : std::strerror(errno));
    return;
  }
  try {
    if (connection.answer.read(std::string_view(buffer.data(), static_cast<std::size_t>(got)))) on_answer(connection);
  } catch (const Error& error) {
    lose(connection, error.what());
  }
}

void Feeder::lose(Connection& connection, const std::string& why) {
  if (connection.is_busy || connection.socket.is_open()) ++tally_.failures[why];
  connection.socket.reset();
  connection.is_busy = false;
}

void Feeder::on_answer(Connection& connection) {
  const int status = connection.answer.status();
  if (status == 429 || status == 503) {
    ++tally_.repeated;
    connection.answer.reset();
    connection.repeat_at_us = monotonic_us() + kRepeatAfterUs;
    return;
  }
  connection.is_busy = false;
  if (status / 100 != 2) {
    ++tally_.failures["status " + std::to_string(status)];
    return;
  }
  const int measurement = measurement_of(progress_.phase.load(std::memory_order_relaxed));
  if (measurement >= 0) {
    FeedTally::Measured& measured = tally_.measured[static_cast<std::size_t>(measurement)];
    measured.ticks += connection.ticks;
    measured.round_trip.record(monotonic_us() - connection.started_us);
  }
  if (options_.protocol == Protocol::kPlain) {
    tally_.accepted += connection.ticks;
    return;
  }
  const nlohmann::json answer = nlohmann::json::parse(connection.answer.body(), nullptr, false);
  if (!answer.is_object()) {
    ++tally_.failures["answer is not JSON"];
    return;
  }
  tally_.accepted += answer.value("accepted", std::uint64_t{0});
  tally_.rejected += answer.value("rejected", std::uint64_t{0});
  if (!answer.contains("errors")) return;
  for (const auto& error : answer["errors"]) ++tally_.rejections[error.value("reason", "unknown")];
}

}  // namespace tickpipe::internal::load
