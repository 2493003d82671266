#include "serve/stream/stream_client.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "serve/stream/stream_hub.h"

namespace tickpipe::internal {
namespace {

/// What is collected for a client at once.
constexpr std::size_t kFlushBytes = 65'536;
/// Answers wait here while a client does not read; beyond it nothing is taken from it.
constexpr std::size_t kMaxAnswerBytes = 65'536;
constexpr std::chrono::seconds kTooSlowAfter{10};
/// How long a client has to read a goodbye; less when the server ends, which waits for the last one.
constexpr std::chrono::seconds kGoodbye{10};
constexpr std::chrono::milliseconds kLastGoodbye{3000};

}  // namespace

StreamClient::StreamClient(std::shared_ptr<StreamGroup> group, HandedOver&& connection, StreamFormat format)
    : StreamReceiver(format),
      group_(std::move(group)),
      watch_(std::move(connection.watch)),
      place_(std::move(connection.place)),
      format_(format),
      in_(std::move(connection.unread)),
      out_(std::move(connection.unsent)) {}

StreamClient::~StreamClient() = default;

void StreamClient::start() {
  const auto keeps_it = shared_from_this();
  group_->add(keeps_it);
  if (group_->is_shut_down()) return end_gracefully();
  begin();
  const std::string first = std::exchange(in_, {});
  process(first);
  if (!is_closed_) group_->enqueue(*this);
}

void StreamClient::close() {
  if (std::exchange(is_closed_, true)) return;
  const auto keeps_it = shared_from_this();  // the group lets go of it
  watch_->close();
  group_->remove(*this);
  std::string().swap(in_);
  std::string().swap(out_);
  place_.reset();
}

// --- in -------------------------------------------------------------------------------------------------------------

void StreamClient::read_on() {
  if (is_closed_ || is_waiting_read_ || is_peer_done_ || !in_.empty()) return;
  if (!is_finishing_ && (!is_reading() || out_.size() > kMaxAnswerBytes)) return;
  is_waiting_read_ = true;
  watch_->wait_read(self());
}

void StreamClient::on_readable() {
  is_waiting_read_ = false;
  if (is_closed_) return;
  if (is_finishing_) return discard_input();
  auto& scratch = group_->scratch();
  const ssize_t count = ::recv(watch_->descriptor(), scratch.data(), scratch.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return read_on();
  if (count <= 0) return close();
  process({scratch.data(), static_cast<std::size_t>(count)});
}

void StreamClient::process(std::string_view input) {
  const auto keeps_it = shared_from_this();
  is_processing_ = true;
  std::size_t at = 0;
  while (at < input.size() && !is_closed_ && !is_finishing_ && is_reading() && out_.size() <= kMaxAnswerBytes) {
    at += take_input(input.substr(at));
  }
  is_processing_ = false;
  if (is_closed_) return;
  if (!is_finishing_ && at < input.size()) in_.assign(input.substr(at));
  read_on();
}

void StreamClient::resume_input() {
  if (is_processing_ || is_closed_ || is_finishing_) return;
  const std::string input = std::exchange(in_, {});
  process(input);
}

void StreamClient::discard_input() {
  auto& scratch = group_->scratch();
  const ssize_t count = ::recv(watch_->descriptor(), scratch.data(), scratch.size(), MSG_DONTWAIT);
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) return close();
  read_on();
}

// --- out ------------------------------------------------------------------------------------------------------------

void StreamClient::send(std::string_view message) {
  if (is_closed_ || is_finishing_) return;
  out_.append(message);
  group_->enqueue(*this);
}

void StreamClient::take_quote(std::string& out, const Tick& /*tick*/, std::string_view message,
                              const MessageExtras& extras, const QuoteSubscription& /*subscription*/) {
  append_with_extras(out, message, format_, extras);
}

void StreamClient::take_status(StatusMessage& message) { send(message.frame(format_, takes_deflate_)); }

void StreamClient::flush() {
  if (is_stuck()) return;
  if (sent_ != 0) {  // the rest of an earlier flush
    if (!send_some(out_)) return;
    out_.clear();
  }
  // One buffer of the group serves all clients in turn; only what is left over is the client's own.
  std::string& text = group_->flush_buffer();
  text.assign(out_);
  out_.clear();
  if (!is_finishing_) {
    is_collecting_ = true;
    group_->collect(*this, text, kFlushBytes);
    is_collecting_ = false;
    if (is_finishing_) {
      text.append(out_);  // it came to an end while it was collected for
      out_.clear();
      group_->unsubscribe_everything(*this);
    }
  }
  if (!send_some(text)) {
    if (!is_closed_) out_.assign(text);
    return;
  }
  std::string().swap(out_);
  if (is_finishing_) {
    ::shutdown(watch_->descriptor(), SHUT_WR);
    return read_on();
  }
  if (!ready_quotes.empty() || !ready_bars.empty()) group_->enqueue(*this);
  if (in_.empty()) {
    read_on();
  } else {
    resume_input();
  }
}

/// Sends what of `text` is unsent. Returns whether that was all; else it waits for the client to read, or has closed.
bool StreamClient::send_some(std::string_view text) {
  const std::size_t start = sent_;
  while (sent_ < text.size()) {
    const ssize_t count =
        ::send(watch_->descriptor(), text.data() + sent_, text.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) {
        close();
        return false;
      }
      if (sent_ != start || progress_ == SteadyClock::time_point{}) progress_ = SteadyClock::now();
      group_->hub().count_bytes(sent_ - start);
      is_writing_ = true;
      watch_->wait_write(self());
      return false;
    }
    sent_ += static_cast<std::size_t>(count);
  }
  group_->hub().count_bytes(sent_ - start);
  progress_ = {};
  sent_ = 0;
  return true;
}

void StreamClient::on_writable() {
  if (is_closed_) return;
  is_writing_ = false;
  group_->enqueue(*this);
}

// --- the end --------------------------------------------------------------------------------------------------------

void StreamClient::finish() {
  if (is_closed_ || std::exchange(is_finishing_, true)) return;
  close_at_ = SteadyClock::now() +
              (group_->is_shut_down() ? kLastGoodbye : std::chrono::duration_cast<std::chrono::milliseconds>(kGoodbye));
  if (!is_collecting_) group_->unsubscribe_everything(*this);
  group_->enqueue(*this);
}

void StreamClient::send_last(std::string_view message) {
  if (is_closed_ || is_finishing_) return;
  out_.append(message);
  finish();
}

void StreamClient::end(Goodbye why, std::string_view reason) {
  if (is_closed_ || is_finishing_) return;
  if (why == Goodbye::kTooSlow) out_.resize(whole_messages(out_, sent_));  // what it does not read is not waited for
  append_goodbye(out_, why, reason);
  finish();
}

void StreamClient::end_gracefully() { end(Goodbye::kShuttingDown, "the server is shutting down"); }
void StreamClient::end_as_too_slow(std::string_view reason) { end(Goodbye::kTooSlow, reason); }
void StreamClient::end_as_failed(std::string_view reason) { end(Goodbye::kFailed, reason); }

void StreamClient::each_second(SteadyClock::time_point now) {
  if (is_closed_) return;
  if (close_at_ && now >= *close_at_) return close();
  if (is_finishing_) return;
  if (is_writing_) {
    const bool needs_all = !ready_bars.empty() || std::any_of(quotes.begin(), quotes.end(), [](const auto& one) {
      return one->is_all || one->is_catching_up || one->backlog;
    });
    if (needs_all && now - progress_ > kTooSlowAfter) return end_as_too_slow("nothing was read for 10 s");
    if (group_->unsent_bar_bytes(*this) > parts().client_buffer_bytes) {
      return end_as_too_slow("too many closed bars are unsent");
    }
  }
  tick(now);
}

}  // namespace tickpipe::internal
