#include "serve/http_connection.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <utility>

#include "core/safe_text.h"
#include "serve/access_rules.h"
#include "serve/gzip.h"
#include "serve/http_text.h"

namespace tickpipe::internal {
namespace {

/// A body up to this size is copied behind its head, so that both go with one plain send.
constexpr std::size_t kCopiedBodyBytes = 16'384;
/// Answers to pipelined requests are collected up to this before they are sent.
constexpr std::size_t kMaxOutBytes = 65'536;
/// Buffers beyond this are given back when they are empty.
constexpr std::size_t kKeptBufferBytes = 32'768;
/// What a connection sends in one go, so that one with a large answer does not hold up the others of its thread.
constexpr std::size_t kSentAtOnce = 262'144;
/// What a refused peer may go on sending, beyond a body of the greatest size.
constexpr std::uint64_t kLingerBytes = 1'048'576;

void release(std::string& buffer) {
  if (buffer.capacity() > kKeptBufferBytes) {
    std::string().swap(buffer);
  } else {
    buffer.clear();
  }
}

}  // namespace

/// The promise to answer one request: kept by a call, or with a 500 when everyone who could call has gone.
class HttpConnection::Answer {
 public:
  Answer(std::shared_ptr<HttpConnection> connection, std::uint64_t number)
      : connection_(std::move(connection)), number_(number) {}
  ~Answer() {
    if (!is_given_.load()) give(transport_problem(500, "internal_error", "The request was not answered."));
  }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  void give(HttpResponse response) {
    if (!is_given_.exchange(true)) connection_->answer(number_, std::move(response));
  }

 private:
  std::shared_ptr<HttpConnection> connection_;
  std::uint64_t number_;
  std::atomic<bool> is_given_{false};
};

HttpConnection::HttpConnection(HttpContext& context, ConnectionGroup& group, int descriptor, bool is_local_peer,
                               bool is_turned_away)
    : context_(context),
      group_(group),
      loop_(group.loop),
      watch_(std::make_unique<IoLoop::Watch>(*group.loop, descriptor)),
      reader_(context.limits),
      is_local_peer_(is_local_peer),
      is_turned_away_(is_turned_away) {}

HttpConnection::~HttpConnection() = default;

void HttpConnection::start(std::size_t slot) {
  slot_ = slot;
  deadline_ = SteadyClock::now() + context_.timeouts.header;
  if (is_turned_away_) {
    refuse(503, "too_many_connections", "The server has as many connections as it may have.");
    if (flush()) finish();
    return;
  }
  watch_->wait_read(shared_from_this());
}

void HttpConnection::close() {
  if (phase_ == Phase::kClosed) return;
  const auto self = shared_from_this();  // the group lets go of it
  phase_ = Phase::kClosed;
  watch_->close();
  context_.held_bytes.fetch_sub(std::exchange(held_, 0));
  group_.remove(slot_);
  context_.leave(is_turned_away_ ? context_.turning_away : context_.connections);
}

void HttpConnection::drain() {
  if (phase_ == Phase::kIdle && !is_writing_) close();
}

void HttpConnection::check_deadline(SteadyClock::time_point now) {
  if (phase_ == Phase::kClosed || (phase_ == Phase::kHandling && !is_writing_) || now < deadline_) return;
  if (is_writing_) context_.timeouts_count.fetch_add(1, std::memory_order_relaxed);
  if (is_writing_ || phase_ == Phase::kLingering || phase_ == Phase::kIdle) return close();
  context_.timeouts_count.fetch_add(1, std::memory_order_relaxed);
  refuse(408, "request_timeout", "The request did not arrive in time.");
  if (flush()) finish();
}

void HttpConnection::on_readable() {
  if (phase_ == Phase::kClosed) return;
  if (phase_ == Phase::kLingering) return discard_input();
  const ssize_t count = ::recv(watch_->descriptor(), group_.scratch.data(), group_.scratch.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    return watch_->wait_read(shared_from_this());
  }
  if (count <= 0) return close();  // nothing is owed while it reads
  const std::string_view fresh(group_.scratch.data(), static_cast<std::size_t>(count));
  if (in_.empty()) return run(fresh);
  in_.append(fresh);
  run(in_);
}

void HttpConnection::on_writable() {
  if (phase_ == Phase::kClosed) return;
  is_writing_ = false;
  if (!flush()) return;
  if (closes_) return finish();
  if (phase_ != Phase::kHandling) run(in_);
}

bool HttpConnection::has_room() const noexcept { return out_body_.empty() && out_.size() < kMaxOutBytes; }

/// Handles input until there is nothing left to do but wait.
void HttpConnection::run(std::string_view input) {
  process(input);
  if (take_over_) return hand_over();
  while (flush()) {
    if (closes_) return finish();
    if (phase_ == Phase::kHandling) return;
    if (!is_stalled_) return watch_->wait_read(shared_from_this());
    process(in_);
    if (take_over_) return hand_over();
  }
}

/// Parses and handles requests until more input, an answer or room for answers is needed; keeps the rest of `input`,
/// which is in_ or in the scratch buffer.
void HttpConnection::process(std::string_view input) {
  std::size_t at = 0;
  bool goes_on = !closes_;
  while (goes_on && has_room() && !take_over_) {
    std::size_t consumed = 0;
    const auto step = reader_.read(input.substr(at), consumed);
    at += consumed;
    switch (step) {
      case RequestReader::Step::kNeedMore:
        await_input(at < input.size() || consumed > 0);
        if (reader_.is_in_body()) {
          account();
          if (held_ != 0 && context_.held_bytes.load() > context_.max_held_bytes) {
            refuse(503, "busy", "The server holds as much of other requests as it may. Send it again in a moment.");
          }
        }
        goes_on = false;
        break;
      case RequestReader::Step::kHead:
        goes_on = admit(at < input.size());
        break;
      case RequestReader::Step::kComplete:
        goes_on = dispatch() && !closes_;
        break;
      case RequestReader::Step::kFault:
        refuse(reader_.fault().status, reader_.fault().code, reader_.fault().detail);
        goes_on = false;
        break;
    }
  }
  is_stalled_ = goes_on;
  if (input.data() == in_.data()) {
    in_.erase(0, at);
  } else {
    in_.assign(input.substr(at));
  }
  if (in_.empty()) release(in_);
}

void HttpConnection::account() {
  const std::size_t coming = reader_.is_in_body() ? reader_.request().body.size() : 0;
  const std::uint64_t holds = coming > kMaxOutBytes || !out_body_.empty() ? coming + out_body_.size() : 0;
  if (holds == held_) return;
  context_.held_bytes.fetch_add(holds - held_);  // modulo 2^64, so that it may also become less
  held_ = holds;
}

/// Sets phase and deadline for a read.
void HttpConnection::await_input(bool has_some) {
  const auto now = SteadyClock::now();
  if (reader_.is_in_body()) {
    phase_ = Phase::kBody;
    deadline_ = std::min(now + context_.timeouts.body_progress, body_end_);
  } else if (has_some && phase_ != Phase::kHead) {
    phase_ = Phase::kHead;
    deadline_ = now + context_.timeouts.header;
  } else if (!has_some) {
    phase_ = Phase::kIdle;
    deadline_ = now + (is_first_ ? context_.timeouts.header : context_.timeouts.idle);
  }
}

/// Judges a head. What is refused here closes the connection, as its body is not read.
bool HttpConnection::admit(bool body_follows) {
  const HttpRequest& request = reader_.request();
  const RequestReader::Traits& traits = reader_.traits();
  const bool reads = request.method == HttpMethod::kGet || request.method == HttpMethod::kHead;
  form_ = {.is_http_1_1 = traits.is_http_1_1,
           .keeps_alive = traits.keeps_alive,
           .is_head = request.method == HttpMethod::kHead,
           .allows_gzip = accepts_gzip(traits.accept_encoding),
           .is_readable_by_all = reads && !may_be_admin_path(request.raw_path()),
           .is_read_preflight =
               request.method == HttpMethod::kOptions && traits.asks_to_read && !may_be_admin_path(request.raw_path())};
  switch (judge_access(request, context_.allow_any_host)) {
    case Access::kForeignHost:
      refuse(403, "host_not_allowed", "The Host header does not name this machine.");
      return false;
    case Access::kForeignOrigin:
      refuse(403, "origin_not_allowed", "Pages of other origins may not do this.");
      return false;
    case Access::kAllowed:
      break;
  }
  if (!request.content_encoding.empty() && !equals_ignoring_case(request.content_encoding, "identity")) {
    refuse(415, "unsupported_media_type", "A request body must not be compressed.");
    return false;
  }
  body_end_ = SteadyClock::now() + context_.timeouts.body_total;
  if (traits.expects_continue && request.has_body && !body_follows) out_.append("HTTP/1.1 100 Continue\r\n\r\n");
  return true;
}

/// Hands the request on. Returns whether it is answered already.
bool HttpConnection::dispatch() {
  HttpRequest request = std::move(reader_.request());
  request.is_local_peer = is_local_peer_;
  reader_.next();
  account();
  is_first_ = false;
  phase_ = Phase::kHandling;
  context_.requests.fetch_add(1, std::memory_order_relaxed);
  auto answer = std::make_shared<Answer>(shared_from_this(), ++number_);
  is_in_handler_ = true;
  try {
    context_.handler.handle(std::move(request),
                            [answer = std::move(answer)](HttpResponse response) { answer->give(std::move(response)); });
  } catch (const std::exception& error) {
    context_.log.error("Http", "a handler threw: " + safe_text(error.what(), 256));
  }
  is_in_handler_ = false;
  if (!immediate_) return false;
  HttpResponse response = std::move(*immediate_);
  immediate_.reset();
  write_answer(response, false);
  return true;
}

void HttpConnection::answer(std::uint64_t number, HttpResponse&& response) {
  const bool is_loop = loop_->is_this_thread();
  if (is_loop && is_in_handler_ && number == number_) {
    immediate_ = std::move(response);
    return;
  }
  // Another thread compresses for the I/O thread. form_ stands still while its answer is owed.
  if (!is_loop) compress_body(response, form_.allows_gzip);
  loop_->post([self = shared_from_this(), number, kept = std::move(response), is_loop]() mutable {
    self->take_answer(number, kept, !is_loop);
  });
}

void HttpConnection::take_answer(std::uint64_t number, HttpResponse& response, bool is_compressed) {
  if (phase_ != Phase::kHandling || number != number_) return;
  write_answer(response, is_compressed);
  if (take_over_) return hand_over();
  if (!is_writing_) run(in_);
}

void HttpConnection::refuse(int status, std::string_view code, std::string_view detail) {
  if (status < 500 && status != 408) context_.bad_requests.fetch_add(1, std::memory_order_relaxed);
  if (is_turned_away_) context_.turned_away.fetch_add(1, std::memory_order_relaxed);
  HttpResponse response = transport_problem(status, code, detail);
  if (!reader_.is_in_body()) form_ = {};  // it is that of an earlier request
  form_.keeps_alive = false;
  lingers_ = true;
  write_answer(response, false);
}

void HttpConnection::write_answer(HttpResponse& response, bool is_compressed) {
  if (!is_compressed) compress_body(response, form_.allows_gzip);
  if (response.body.size() > kMaxOutBytes && context_.held_bytes.load() > context_.max_held_bytes) {
    response = transport_problem(503, "busy", "Other clients have not read their answers yet. Ask again in a moment.");
    response.headers.emplace_back("Retry-After", "1");
  }
  if (context_.is_draining.load(std::memory_order_relaxed) || response.take_over) form_.keeps_alive = false;
  if (form_.is_head) response.take_over = {};
  phase_ = Phase::kIdle;
  closes_ = !form_.keeps_alive;
  group_.writer.append_head(out_, response, form_);
  if (response.take_over) {
    take_over_ = std::move(response.take_over);
    return;
  }
  if (form_.is_head || response.status == 204 || response.status == 304) return;
  if (response.body.size() <= kCopiedBodyBytes) {
    out_.append(response.body);
  } else {
    out_body_ = std::move(response.body);
    account();
  }
}

/// Lets go of the socket. What is left of this object is closed, but for its place among the connections, which goes
/// with the socket.
void HttpConnection::hand_over() {
  const auto self = shared_from_this();
  HandedOver out;
  out.loop = loop_;
  out.unread = std::exchange(in_, {});
  out.unsent = std::exchange(out_, {}).substr(sent_);
  sent_ = 0;
  out.place = std::shared_ptr<void>(nullptr, [context = &context_](void*) { context->leave(context->connections); });
  phase_ = Phase::kClosed;
  out.watch = std::move(watch_);
  context_.held_bytes.fetch_sub(std::exchange(held_, 0));
  group_.remove(slot_);
  std::exchange(take_over_, {})(std::move(out));
}

/// Sends what is to be sent. Returns whether all of it is; otherwise it waits or has closed.
bool HttpConnection::flush() {
  if (phase_ == Phase::kClosed || is_writing_) return false;
  const std::size_t total = out_.size() + out_body_.size();
  const std::size_t turn_ends = sent_ + kSentAtOnce;
  while (sent_ < total) {
    if (sent_ >= turn_ends) {
      is_writing_ = true;
      deadline_ = SteadyClock::now() + context_.timeouts.write;
      watch_->wait_write(shared_from_this());
      return false;
    }
    std::array<iovec, 2> parts{};
    std::size_t count = 0;
    if (sent_ < out_.size()) parts[count++] = {out_.data() + sent_, out_.size() - sent_};
    const std::size_t from = sent_ > out_.size() ? sent_ - out_.size() : 0;
    if (from < out_body_.size()) {
      parts[count++] = {out_body_.data() + from, std::min(out_body_.size() - from, turn_ends - sent_)};
    }
    ssize_t sent = 0;
    if (count == 1) {
      sent = ::send(watch_->descriptor(), parts[0].iov_base, parts[0].iov_len, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
      msghdr message{};
      message.msg_iov = parts.data();
      message.msg_iovlen = count;
      sent = ::sendmsg(watch_->descriptor(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) {
        close();
        return false;
      }
      is_writing_ = true;
      deadline_ = SteadyClock::now() + context_.timeouts.write;
      watch_->wait_write(shared_from_this());
      return false;
    }
    sent_ += static_cast<std::size_t>(sent);
  }
  sent_ = 0;
  release(out_);
  release(out_body_);
  account();
  return true;
}

/// Ends the connection after its last answer. A peer that may still be sending gets time to read it: closing with
/// unread input would reset the connection and could take the answer away.
void HttpConnection::finish() {
  if (!lingers_ && (in_.empty() || context_.is_draining.load(std::memory_order_relaxed))) return close();
  std::string().swap(in_);
  ::shutdown(watch_->descriptor(), SHUT_WR);
  phase_ = Phase::kLingering;
  deadline_ = SteadyClock::now() + context_.timeouts.linger;
  watch_->wait_read(shared_from_this());
}

void HttpConnection::discard_input() {
  const ssize_t count = ::recv(watch_->descriptor(), group_.scratch.data(), group_.scratch.size(), MSG_DONTWAIT);
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) return close();
  if (count > 0) discarded_ += static_cast<std::uint64_t>(count);
  if (discarded_ > context_.limits.max_body_bytes + kLingerBytes) return close();
  watch_->wait_read(shared_from_this());
}

}  // namespace tickpipe::internal
