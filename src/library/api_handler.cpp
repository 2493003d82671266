#include <poll.h>
#include <sys/socket.h>
#include <tickpipe/api_handler.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <future>
#include <memory>
#include <utility>

#include "library/engine.h"
#include "serve/api.h"

namespace tickpipe {
namespace {

constexpr std::size_t kReadAtOnce = 65'536;
constexpr std::chrono::hours kLongestWait{24};

ApiResponse problem(int status, std::string_view code, std::string_view title, std::string_view detail) {
  ApiResponse response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body.append(R"({"type":"about:blank","title":")").append(title);
  response.body.append(R"(","status":)").append(std::to_string(status));
  response.body.append(R"(,"detail":")").append(detail).append(R"(","code":")").append(code).append(R"("})");
  return response;
}

ApiResponse off() {
  return problem(503, "pipeline_off", "Service Unavailable",
                 "the pipeline is off: its configuration says enabled = false");
}

}  // namespace

ApiStream::~ApiStream() { ::close(descriptor_); }

// NOLINTNEXTLINE(readability-make-member-function-const): it ends the stream.
void ApiStream::close() noexcept { ::shutdown(descriptor_, SHUT_RDWR); }

std::optional<std::string> ApiStream::read(std::chrono::milliseconds timeout) {
  const auto wait = std::clamp<std::chrono::milliseconds>(timeout, std::chrono::milliseconds{0}, kLongestWait);
  pollfd waits{descriptor_, POLLIN, 0};
  const int ready = ::poll(&waits, 1, static_cast<int>(wait.count()));
  if (ready == 0 || (ready < 0 && errno == EINTR)) return std::string();
  std::string bytes(kReadAtOnce, '\0');
  const ssize_t count = ready < 0 ? -1 : ::recv(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return std::string();
  if (count <= 0) {
    close();  // who has ended it need not wait for the destructor
    return std::nullopt;
  }
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}

void ApiStream::pump(const std::function<bool(std::string_view bytes)>& write, std::chrono::milliseconds idle) {
  while (const auto bytes = read(idle)) {
    if (!write(*bytes)) return close();
  }
}

ApiHandler::ApiHandler(Pipeline& pipeline) : engine_(pipeline.engine_) {}
ApiHandler::~ApiHandler() = default;

ApiResponse ApiHandler::handle(ApiRequest request) {
  const auto answer = std::make_shared<std::promise<ApiResponse>>();
  auto future = answer->get_future();
  handle(std::move(request), [answer](ApiResponse response) { answer->set_value(std::move(response)); });
  return future.get();
}

void ApiHandler::handle(ApiRequest request, std::function<void(ApiResponse)> done) {
  if (!engine_) return done(off());
  engine_->handle(std::move(request), [engine = engine_.get(), done = std::move(done)](ApiResponse response,
                                                                                       internal::TakeOver take_over) {
    if (take_over) {
      const int descriptor = engine->open_stream(std::move(take_over));
      if (descriptor < 0) {
        return done(problem(503, "busy", "Service Unavailable", "no stream can be opened at the moment"));
      }
      response.stream = std::shared_ptr<ApiStream>(new ApiStream(descriptor));
    }
    done(std::move(response));
  });
}

bool ApiHandler::is_api_path(std::string_view target) noexcept {
  const std::string_view path = target.substr(0, target.find('?'));
  const auto routes = internal::Api::routes();
  return std::any_of(routes.begin(), routes.end(), [path](const internal::Route& route) {
    // `/` leads to /docs, and is most likely the program's own; WebSockets are not served here.
    if (route.path == "/" || route.path.starts_with("/ws")) return false;
    const std::size_t name = route.path.find('{');
    return name == std::string_view::npos ? path == route.path : path.starts_with(route.path.substr(0, name));
  });
}

}  // namespace tickpipe
