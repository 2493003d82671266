#include "load/client.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "load/handshake.h"
#include "load/now.h"
#include "load/stamp.h"
#include "load/target.h"

namespace tickpipe::internal::load {

namespace {

constexpr std::uint32_t kMask = 0x2F8B61D4;
constexpr int kNoCode = 1005;
constexpr int kNoCloseFrame = 1006;

}  // namespace

void Client::open(ClientWorld& world, std::uint32_t number, std::uint32_t index) {
  number_ = number;
  index_ = index;
  opened_us_ = monotonic_us();
  socket_ = start_connecting(world.options.target, number / kConnectionsPerSource);
  if (!socket_.is_open()) {
    fail(world, std::string("connect: ") + std::strerror(errno));
    return;
  }
  state_ = State::kConnecting;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT;
  event.data.u32 = index_;
  is_watching_write_ = true;
  ::epoll_ctl(world.epoll, EPOLL_CTL_ADD, socket_.get(), &event);
}

void Client::fail(ClientWorld& world, const std::string& reason) {
  ++world.tally.failures[reason];
  world.progress.failed.fetch_add(1, std::memory_order_relaxed);
  end();
}

void Client::end() noexcept {
  socket_.reset();
  state_ = State::kClosed;
}

void Client::closed_by_server(ClientWorld& world, int code) {
  const bool was_asked_for = state_ == State::kClosing;
  if (state_ == State::kHandshake || state_ == State::kConnecting) {
    fail(world, "closed during the handshake");
    return;
  }
  if (!was_asked_for) {
    ++world.tally.closed[code];
    world.progress.failed.fetch_add(1, std::memory_order_relaxed);
  }
  end();
}

void Client::start_close(ClientWorld& world) {
  if (state_ != State::kOpen) {
    end();
    return;
  }
  append_frame(out_, Opcode::kClose, std::string_view("\x03\xE8", 2), kMask);
  state_ = State::kClosing;
  flush(world);
}

void Client::on_events(ClientWorld& world, std::uint32_t events, std::string& buffer) {
  if (state_ == State::kClosed) return;
  if (state_ == State::kConnecting) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      fail(world, std::string("connect: ") + std::strerror(error));
      return;
    }
    if ((events & EPOLLOUT) == 0) return;
    on_connected(world);
  } else if ((events & EPOLLOUT) != 0) {
    flush(world);
  }
  if (state_ == State::kClosed || (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) == 0) return;
  const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (got > 0) {
    world.now_us = monotonic_us();
    if (world.measurement >= 0) {
      world.tally.arrivals[static_cast<std::size_t>(world.measurement)].bytes += static_cast<std::uint64_t>(got);
    }
    on_bytes(world, std::string_view(buffer.data(), static_cast<std::size_t>(got)));
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    closed_by_server(world, kNoCloseFrame);
  }
}

void Client::on_connected(ClientWorld& world) {
  state_ = State::kHandshake;
  out_ = world.greeting.handshake();
  flush(world);
}

void Client::on_bytes(ClientWorld& world, std::string_view bytes) {
  if (state_ == State::kHandshake) {
    head_ += bytes;
    const std::size_t end = head_.find("\r\n\r\n");
    if (end == std::string::npos) {
      if (head_.size() > 16384) fail(world, "handshake: endless answer");
      return;
    }
    const HandshakeAnswer answer =
        read_handshake(std::string_view(head_).substr(0, end + 2), world.options.subprotocol);
    if (!answer.is_accepted) {
      fail(world, answer.problem);
      return;
    }
    ++world.tally.connected;
    state_ = State::kOpen;
    has_deflate_ = answer.has_deflate;
    out_ += world.greeting.frames(number_);
    if (world.options.protocol == Protocol::kPlain) become_ready(world);
    flush(world);
    const std::string rest = head_.substr(end + 4);
    head_ = {};
    if (!rest.empty() && state_ == State::kOpen) on_bytes(world, rest);
    return;
  }
  Sink sink{*this, world};
  if (!reader_.read(bytes, sink) && state_ != State::kClosed) fail(world, "frame: not one of a server");
}

bool Client::wants(ClientWorld& world, const FrameHeader& header) {
  if (header.is_control()) return true;
  ++world.messages;
  if (world.measurement >= 0) {
    Arrivals& arrivals = world.tally.arrivals[static_cast<std::size_t>(world.measurement)];
    ++arrivals.frames;
    if (header.is_final && !world.options.counts_lines) ++arrivals.messages;
  }
  if (header.opcode == Opcode::kContinuation) return is_assembling_;
  is_assembling_ = false;
  const bool is_short = header.length == world.options.answer_in.size() && header.length > 0;
  if (world.verifier != nullptr || !is_ready_ || is_short || world.options.counts_lines) return true;
  if (--world.until_sample > 0) return false;
  world.until_sample = world.options.sample;
  return true;
}

void Client::on_frame(ClientWorld& world, const FrameHeader& header, std::string_view payload) {
  if (state_ == State::kClosed) return;
  if (header.is_control()) {
    on_control(world, header, payload);
    return;
  }
  if (header.opcode != Opcode::kContinuation && header.is_final) {
    on_message(world, payload, header.is_compressed);
    return;
  }
  if (header.opcode != Opcode::kContinuation) {
    fragments_.clear();
    is_assembling_ = true;
    is_fragment_compressed_ = header.is_compressed;
  }
  fragments_ += payload;
  if (!header.is_final) return;
  is_assembling_ = false;
  on_message(world, fragments_, is_fragment_compressed_);
}

void Client::on_control(ClientWorld& world, const FrameHeader& header, std::string_view payload) {
  if (header.opcode == Opcode::kPing) {
    ++world.tally.pings;
    append_frame(out_, Opcode::kPong, payload, kMask);
    flush(world);
  } else if (header.opcode == Opcode::kClose) {
    int code = kNoCode;
    if (payload.size() >= 2) code = static_cast<std::uint8_t>(payload[0]) << 8 | static_cast<std::uint8_t>(payload[1]);
    if (state_ == State::kOpen) {
      append_frame(out_, Opcode::kClose, payload.substr(0, 2), kMask);
      flush(world);
    }
    if (state_ != State::kClosed) closed_by_server(world, code);
  }
}

void Client::on_message(ClientWorld& world, std::string_view message, bool is_compressed) {
  if (is_compressed) {
    if (!has_deflate_ || !world.inflater.inflate(message, world.inflated)) {
      fail(world, "frame: cannot be decompressed");
      return;
    }
    message = world.inflated;
  }
  if (world.options.protocol == Protocol::kPlain) {
    on_plain(world, message);
  } else {
    on_tickpipe(world, message);
  }
}

void Client::on_plain(ClientWorld& world, std::string_view message) {
  if (!world.options.answer_in.empty() && message == world.options.answer_in) {
    append_frame(out_, Opcode::kText, world.options.answer_out, kMask);
    flush(world);
    return;
  }
  if (world.measurement < 0) return;
  Arrivals& arrivals = world.tally.arrivals[static_cast<std::size_t>(world.measurement)];
  if (world.options.counts_lines) {
    arrivals.messages += static_cast<std::uint64_t>(std::count(message.begin(), message.end(), '\n'));
    if (!message.ends_with('\n')) ++arrivals.messages;
    if (--world.until_sample > 0) return;
    world.until_sample = world.options.sample;
  }
  ++arrivals.examined;
  if (!world.options.latency_field) return;
  const std::optional<double> sent = find_number(message, world.options.latency_field->quoted_name);
  if (!sent) {
    ++arrivals.unstamped;
    return;
  }
  const double sent_us = *sent / world.options.latency_field->per_microsecond;
  arrivals.since_send.record(static_cast<std::int64_t>(static_cast<double>(wall_ns()) / 1e3 - sent_us));
}

void Client::on_tickpipe(ClientWorld& world, std::string_view message) {
  MessageFields fields;
  const bool is_readable = world.options.is_msgpack ? scan_msgpack(message, fields) : scan_json(message, fields);
  if (world.measurement >= 0) ++world.tally.arrivals[static_cast<std::size_t>(world.measurement)].examined;
  if (!is_readable) {
    if (world.verifier != nullptr) world.verifier->on_unreadable(index_, message);
    return;
  }
  switch (fields.kind) {
    case MessageKind::kTick:
      on_tick(world, fields);
      break;
    case MessageKind::kWelcome:
      if (world.options.symbols.empty()) become_ready(world);
      break;
    case MessageKind::kSubscribed:
      on_subscribed(world, message);
      break;
    case MessageKind::kError:
      ++world.tally.server_errors;
      if (world.tally.first_server_error.empty()) world.tally.first_server_error = message.substr(0, 300);
      break;
    case MessageKind::kBar:
    case MessageKind::kOther:
      break;
  }
}

void Client::on_tick(ClientWorld& world, const MessageFields& tick) const {
  if (world.verifier != nullptr) world.verifier->on_tick(index_, tick, world.now_us, world.measurement);
  // A snapshot's price may be of any age, and a price that was not stamped by this program says nothing.
  if (world.measurement < 0 || tick.is_snapshot) return;
  Arrivals& arrivals = world.tally.arrivals[static_cast<std::size_t>(world.measurement)];
  if (!tick.symbol.starts_with("LOAD")) {
    ++arrivals.unstamped;
    return;
  }
  const Stamp stamp = stamp_of(tick.bid, tick.spread);
  const std::int64_t elapsed_us = since(stamp, world.now_us);
  arrivals.since_send.record(elapsed_us);
  arrivals.since_schedule.record(elapsed_us + stamp.lag_us);
  if (world.options.interval_ms > 0 && elapsed_us > world.options.interval_ms * 1000LL) ++arrivals.stale;
}

void Client::on_subscribed(ClientWorld& world, std::string_view message) {
  const nlohmann::json answer = world.options.is_msgpack ? nlohmann::json::from_msgpack(message, true, false)
                                                         : nlohmann::json::parse(message, nullptr, false);
  if (answer.is_object() && answer.contains("errors") && !answer["errors"].empty()) {
    world.tally.server_errors += answer["errors"].size();
    if (world.tally.first_server_error.empty()) world.tally.first_server_error = answer["errors"][0].dump();
  }
  become_ready(world);
}

void Client::become_ready(ClientWorld& world) {
  if (is_ready_) return;
  is_ready_ = true;
  world.progress.ready.fetch_add(1, std::memory_order_relaxed);
}

void Client::flush(ClientWorld& world) {
  std::size_t sent = 0;
  while (sent < out_.size()) {
    const ssize_t put = ::send(socket_.get(), out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
    if (put <= 0) break;  // a broken connection shows when it is read from
    sent += static_cast<std::size_t>(put);
  }
  out_.erase(0, sent);
  if (out_.empty() == is_watching_write_) watch(world, !out_.empty());
}

void Client::watch(ClientWorld& world, bool wants_write) {
  epoll_event event{};
  event.events = wants_write ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u32 = index_;
  ::epoll_ctl(world.epoll, EPOLL_CTL_MOD, socket_.get(), &event);
  is_watching_write_ = wants_write;
}

}  // namespace tickpipe::internal::load
