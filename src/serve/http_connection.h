#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/log.h"
#include "serve/http.h"
#include "serve/http_timeouts.h"
#include "serve/io_loop.h"
#include "serve/request_reader.h"
#include "serve/response_writer.h"

namespace tickpipe::internal {

class HttpConnection;

/// What all connections of a server share.
struct HttpContext {
  HttpContext(HttpHandler& to, Log& lines) : handler(to), log(lines) {}
  HttpHandler& handler;
  Log& log;
  HttpTimeouts timeouts;
  RequestReader::Limits limits;
  bool allow_any_host = false;
  std::uint64_t max_held_bytes = 0;  ///< for large bodies on their way in or out, of all connections together
  std::atomic<std::uint64_t> held_bytes{0};
  std::atomic<bool> is_draining{false};
  std::atomic<std::uint64_t> connections{0};  ///< open ones without those turned away
  std::atomic<std::uint64_t> turning_away{0};
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> bad_requests{0};
  std::atomic<std::uint64_t> timeouts_count{0};
  std::atomic<std::uint64_t> turned_away{0};
  std::mutex mutex;
  std::condition_variable connection_closed;  ///< told while draining

  /// One of `count` has closed.
  void leave(std::atomic<std::uint64_t>& count) {
    count.fetch_sub(1);
    if (!is_draining.load()) return;
    const std::lock_guard lock(mutex);
    connection_closed.notify_all();
  }
};

/// The connections of one I/O thread and what they use in turn. Belongs to that thread.
struct ConnectionGroup {
  explicit ConnectionGroup(Log& log) : loop(std::make_shared<IoLoop>(log)), scratch(kScratchBytes) {}
  static constexpr std::size_t kScratchBytes = 65'536;

  void add(const std::shared_ptr<HttpConnection>& connection);
  void remove(std::size_t slot);
  void check_deadlines();
  /// Closes idle connections; the others close with their next answer.
  void drain();
  void close_all();

  std::shared_ptr<IoLoop> loop;
  std::vector<char> scratch;
  ResponseWriter writer;
  std::vector<std::shared_ptr<HttpConnection>> connections;
};

/// One client connection: cuts out requests, judges them, hands them on and sends the answers in the same order.
///
/// Bounds:  a request is handled once the previous one is answered and its answer is on its way; meanwhile nothing is
///          read. At most one head and one scratch buffer wait unparsed, and answers beyond kMaxOutBytes wait for the
///          peer to read.
/// Threads: everything on the thread of its group, but for answer(). A connection outlives its server as long as an
///          answer is owed; answering is then without effect.
class HttpConnection final : public IoEvents, public std::enable_shared_from_this<HttpConnection> {
 public:
  /// Takes over the descriptor.
  HttpConnection(HttpContext& context, ConnectionGroup& group, int descriptor, bool is_local_peer, bool is_turned_away);
  ~HttpConnection() override;
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  /// Once it is in its group under `slot`.
  void start(std::size_t slot);
  void move_to(std::size_t slot) noexcept { slot_ = slot; }
  void check_deadline(std::chrono::steady_clock::time_point now);
  void drain();
  void close();

  void on_readable() override;
  void on_writable() override;

  /// The answer to request `number`. From any thread; one that is not owed any more is ignored.
  void answer(std::uint64_t number, HttpResponse&& response);

 private:
  using SteadyClock = std::chrono::steady_clock;
  enum class Phase : std::uint8_t { kIdle, kHead, kBody, kHandling, kLingering, kClosed };
  class Answer;

  void run(std::string_view input);
  void process(std::string_view input);
  bool admit(bool body_follows);
  bool dispatch();
  void take_answer(std::uint64_t number, HttpResponse& response, bool is_compressed);
  void refuse(int status, std::string_view code, std::string_view detail);
  void write_answer(HttpResponse& response, bool is_compressed);
  void hand_over();
  void await_input(bool has_some);
  bool flush();
  void finish();
  void discard_input();
  [[nodiscard]] bool has_room() const noexcept;
  /// Tells the context what this connection holds now. Small bodies do not count.
  void account();

  HttpContext& context_;  // not to be used once closed
  ConnectionGroup& group_;
  const std::shared_ptr<IoLoop> loop_;
  std::unique_ptr<IoLoop::Watch> watch_;
  RequestReader reader_;
  std::size_t slot_ = 0;
  const bool is_local_peer_;
  const bool is_turned_away_;
  Phase phase_ = Phase::kIdle;
  bool is_writing_ = false;  ///< waits for the peer to read
  TakeOver take_over_;       ///< who gets the connection once its head is written
  bool closes_ = false;      ///< after what is to be written
  bool lingers_ = false;     ///< the peer may still be sending
  bool is_in_handler_ = false;
  bool is_stalled_ = false;   ///< input is left for want of room for answers
  bool is_first_ = true;      ///< no request was complete yet
  std::uint64_t number_ = 0;  ///< of the newest request
  AnswerForm form_;
  std::optional<HttpResponse> immediate_;  ///< given while the handler was called
  std::string in_;                         ///< read but not parsed
  std::string out_;
  std::string out_body_;    ///< a large body, after out_
  std::size_t sent_ = 0;    ///< of both
  std::uint64_t held_ = 0;  ///< as told to the context
  std::uint64_t discarded_ = 0;
  SteadyClock::time_point deadline_;
  SteadyClock::time_point body_end_;
};

}  // namespace tickpipe::internal
