#include "load/hostile_slot.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "load/frame.h"
#include "load/target.h"

namespace tickpipe::internal::load {

namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kGiveUpUs = 5 * kSecondUs;
constexpr int kSmallBuffer = 4096;
// Behind the sources of good clients; several, because closed connections hold their ports for a minute.
constexpr std::uint32_t kFirstSource = 100;
constexpr std::uint32_t kSources = 64;

short poll_now(int socket, short events) {
  pollfd poll{socket, events, 0};
  ::poll(&poll, 1, 0);
  return poll.revents;
}

}  // namespace

void HostileSlot::step(const Options& options, const Greeting& greeting, HostileTally& tally, std::int64_t now_us) {
  now_us_ = now_us;
  if (now_us < next_us_) return;
  switch (state_) {
    case State::kAway:
      open(options, tally);
      break;
    case State::kConnecting: {
      const short events = poll_now(socket_.get(), POLLOUT);
      if ((events & (POLLERR | POLLHUP)) != 0) {
        ++tally.not_connected;
        leave(tally, false);
      } else if ((events & POLLOUT) != 0) {
        state_ = State::kHandshake;
        since_us_ = now_us;
        const bool is_no_http = kind_ == HostileKind::kGarbage && round_ % 4 == 0;
        const bool is_half = kind_ == HostileKind::kChurn && round_ % 3 == 2;
        send(tally, is_no_http ? garbage() : is_half ? greeting.handshake().substr(0, 40) : greeting.handshake());
        if (is_half) churn_away(tally);
      }
      break;
    }
    case State::kHandshake:
      await_handshake(greeting, tally);
      break;
    case State::kIn:
      misbehave(options, tally);
      break;
  }
}

void HostileSlot::open(const Options& options, HostileTally& tally) {
  const bool is_slow_reader = kind_ == HostileKind::kNeverRead || kind_ == HostileKind::kTrickle;
  socket_ =
      start_connecting(options.target, kFirstSource + (number_ + round_) % kSources, is_slow_reader ? kSmallBuffer : 0);
  if (!socket_.is_open()) {
    ++tally.not_connected;
    next_us_ = now_us_ + kSecondUs;
    return;
  }
  ++tally.opened;
  state_ = State::kConnecting;
  since_us_ = now_us_;
  flooded_ = 0;
  unsent_.clear();
}

void HostileSlot::await_handshake(const Greeting& greeting, HostileTally& tally) {
  std::array<char, 2048> head{};
  const ssize_t peeked = ::recv(socket_.get(), head.data(), head.size(), MSG_PEEK | MSG_DONTWAIT);
  if (peeked == 0 || (peeked < 0 && errno != EAGAIN)) {
    leave(tally, true);
    return;
  }
  const std::string_view text(head.data(), static_cast<std::size_t>(std::max<ssize_t>(peeked, 0)));
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (now_us_ - since_us_ > kGiveUpUs) leave(tally, false);
    return;
  }
  read(tally, end + 4);  // and nothing behind it
  if (!text.starts_with("HTTP/1.1 101")) {
    leave(tally, false);
    return;
  }
  state_ = State::kIn;
  since_us_ = now_us_;
  if (kind_ == HostileKind::kGarbage) {
    send(tally, garbage());
  } else {
    send(tally, greeting.frames(number_));
  }
}

void HostileSlot::misbehave(const Options& options, HostileTally& tally) {
  if (kind_ == HostileKind::kChurn) {
    churn_away(tally);
    return;
  }
  if (is_gone()) {
    leave(tally, true);
    return;
  }
  switch (kind_) {
    case HostileKind::kNeverRead:
      next_us_ = now_us_ + kSecondUs / 5;
      break;
    case HostileKind::kTrickle:
      read(tally, 1);
      next_us_ = std::max(next_us_, now_us_ + kSecondUs);
      break;
    case HostileKind::kGarbage:
      read(tally, 65536);
      if (state_ == State::kIn && now_us_ - since_us_ > 2 * kSecondUs) leave(tally, false);
      break;
    case HostileKind::kFlood:
      flood(options, tally);
      break;
    case HostileKind::kChurn:
      break;
  }
}

void HostileSlot::flood(const Options& options, HostileTally& tally) {
  read(tally, 65536);
  if (state_ != State::kIn) return;
  const std::int64_t due = (now_us_ - since_us_) * options.flood_rate / kSecondUs - flooded_;
  if (due <= 0 || !unsent_.empty()) {
    send(tally, {});
    return;
  }
  std::string frames;
  const std::int64_t now = std::min<std::int64_t>(due, 1000);
  for (std::int64_t i = 0; i < now; ++i) append_frame(frames, Opcode::kText, R"({"op":"ping"})", 0x1B5E77A3);
  flooded_ += due;
  send(tally, frames);
}

void HostileSlot::churn_away(HostileTally& tally) {
  if (round_ % 3 == 1) {
    const linger reset{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  leave(tally, false);
}

std::string HostileSlot::garbage() {
  std::string text;
  switch (round_ % 4) {
    case 2:
      append_frame(text, Opcode::kText, R"({"op":"subscribe","symbols":[[[{"\ud800":)", 0x77E1);
      break;
    case 3:
      text = "\x82\xFF\x40";
      text.append(7, '\0');
      text += "mask";
      break;
    default:
      for (int i = 0; i < 512; ++i) text += static_cast<char>(random_() >> 7);
  }
  return text;
}

void HostileSlot::send(HostileTally& tally, std::string_view text) {
  unsent_ += text;
  const ssize_t put = ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (put <= 0) return;
  tally.bytes_sent += static_cast<std::uint64_t>(put);
  unsent_.erase(0, static_cast<std::size_t>(put));
}

void HostileSlot::read(HostileTally& tally, std::size_t at_most) {
  std::array<char, 65536> buffer{};
  const ssize_t got = ::recv(socket_.get(), buffer.data(), std::min(at_most, buffer.size()), MSG_DONTWAIT);
  if (got > 0) tally.bytes_read += static_cast<std::uint64_t>(got);
  if (got == 0 || (got < 0 && errno != EAGAIN)) leave(tally, true);
}

/// Without reading: a reset shows, and so does a FIN once what came before it fits into the receive buffer.
bool HostileSlot::is_gone() const {
  return (poll_now(socket_.get(), POLLRDHUP) & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void HostileSlot::leave(HostileTally& tally, bool by_server) {
  if (by_server) ++tally.closed_by_server;
  socket_.reset();
  state_ = State::kAway;
  ++round_;
  switch (kind_) {
    case HostileKind::kNeverRead:
    case HostileKind::kTrickle:
      next_us_ = now_us_ + kSecondUs;
      break;
    case HostileKind::kGarbage:
    case HostileKind::kFlood:
      next_us_ = now_us_ + kSecondUs / 10;
      break;
    case HostileKind::kChurn:
      next_us_ = now_us_ + kSecondUs / 100;
      break;
  }
}

}  // namespace tickpipe::internal::load
