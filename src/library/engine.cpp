#include "library/engine.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "core/error.h"
#include "core/safe_text.h"
#include "library/config_conversion.h"
#include "library/conversions.h"
#include "library/signal_mask.h"
#include "model/names.h"
#include "serve/http.h"
#include "serve/problem.h"

namespace tickpipe::internal {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kUpkeepEvery{1};

/// The program may change its working directory later.
std::filesystem::path absolute_path(const std::filesystem::path& path) {
  std::error_code failure;
  std::filesystem::path absolute = std::filesystem::absolute(path, failure);
  if (failure) throw Error("data_dir: " + safe_text(path.string(), 4096) + ": " + failure.message());
  return absolute;
}

Server::Options server_options(const tickpipe::PipelineConfig& config) {
  Server::Options options;
  if (config.store.type != tickpipe::StoreType::kNone) options.data_dir = absolute_path(config.data_dir);
  options.feeds = checked_feeds(config);
  options.version = version();
  options.stats_interval = {};
  options.listens = config.http.enabled;
  return options;
}

HttpMethod method_of(std::string_view text) noexcept {
  constexpr std::array<std::pair<std::string_view, HttpMethod>, 7> kMethods = {{{"GET", HttpMethod::kGet},
                                                                                {"HEAD", HttpMethod::kHead},
                                                                                {"POST", HttpMethod::kPost},
                                                                                {"PUT", HttpMethod::kPut},
                                                                                {"DELETE", HttpMethod::kDelete},
                                                                                {"PATCH", HttpMethod::kPatch},
                                                                                {"OPTIONS", HttpMethod::kOptions}}};
  for (const auto& [name, method] : kMethods) {
    if (name == text) return method;
  }
  return HttpMethod::kOther;
}

/// Gives an answer exactly once, also when those who have it drop it.
class Answer {
 public:
  Answer(std::function<void(ApiResponse, TakeOver)> done, bool wants_body)
      : done_(std::move(done)), wants_body_(wants_body) {}
  ~Answer() {
    if (!is_given_) give(to_response({503, "draining", "shutting down"}));
  }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  void give(HttpResponse response) {
    is_given_ = true;
    ApiResponse out;
    out.status = response.status;
    if (!response.body.empty() || response.take_over) out.content_type = response.content_type;
    for (auto& [name, value] : response.headers) out.headers.emplace_back(name, std::move(value));
    if (wants_body_) out.body = std::move(response.body);
    if (!wants_body_) response.take_over = nullptr;
    done_(std::move(out), std::move(response.take_over));
  }

 private:
  const std::function<void(ApiResponse, TakeOver)> done_;
  const bool wants_body_;
  bool is_given_ = false;
};

}  // namespace

Engine::Engine(const tickpipe::PipelineConfig& config)
    : max_body_bytes_(config.http.max_body_bytes), stats_interval_(config.stats_interval), log_(clock_, config.log) {
  const SignalMask mask;
  server_ = std::make_unique<Server>(checked_config(config), server_options(config), log_, clock_);
  door_ = std::make_unique<QuoteDoor>(server_->intake(), server_->ledger());
  pipes_ = std::make_unique<StreamPipes>(server_->api(), log_);
}

Engine::~Engine() { close(); }

void Engine::start() {
  const std::lock_guard lock(life_mutex_);
  if (is_running()) return;
  if (state_.load() != State::kNew)
    throw Error("a pipeline that was stopped cannot be started again; make another one");
  const SignalMask mask;
  server_->start();
  door_->open();
  upkeep_ = std::jthread([this](const std::stop_token& stop) {
    pthread_setname_np(pthread_self(), "upkeep");
    upkeep(stop);
  });
  state_.store(State::kRunning, std::memory_order_release);
}

void Engine::stop() {
  if (handler_thread_.load() == std::this_thread::get_id()) {
    throw Error("stop() was called by a handler of a subscription, which it would have to wait for");
  }
  const std::lock_guard lock(life_mutex_);
  if (!is_running()) return;
  const SignalMask mask;  // the store may make threads for its last work
  state_.store(State::kStopping, std::memory_order_release);
  door_->close();
  upkeep_.request_stop();
  upkeep_.join();
  std::exception_ptr failure;
  try {
    server_->stop();
  } catch (const Error&) {
    failure = std::current_exception();
  }
  door_->end();
  pipes_->stop();
  if (is_monitoring_) server_->write_stats();
  log_.info("Pipeline", "Market data pipeline stopped");
  log_.tick();
  state_.store(State::kStopped, std::memory_order_release);
  if (failure) std::rethrow_exception(failure);
}

void Engine::close() noexcept {
  const SignalMask mask;
  try {
    stop();
  } catch (const std::exception& error) {
    log_.error("Pipeline", safe_text(error.what(), 512));
  }
  door_->end();
  const std::lock_guard lock(close_mutex_);
  if (!server_) return;
  pipes_->stop();
  door_->close();  // of a pipeline that was never started
  server_.reset();
}

LpQuoteVerdict Engine::wait(const LpQuote& quote, std::chrono::nanoseconds timeout) {
  // The lock keeps the ledger there; stop() does not need it, and lets everyone go who waits.
  const std::shared_lock lock(close_mutex_);
  if (!server_) return {LpQuoteVerdict::Status::kStopped};
  return door_->process_and_wait(quote, timeout);
}

void Engine::start_monitoring() noexcept { is_monitoring_.store(true); }

void Engine::upkeep(const std::stop_token& stop) {
  auto next_stats = SteadyClock::time_point{};
  const auto period = std::min<std::chrono::nanoseconds>(kUpkeepEvery, stats_interval_);
  while (true) {
    {
      std::unique_lock lock(upkeep_mutex_);
      upkeep_wake_.wait_for(lock, stop, period, [] { return false; });
    }
    if (stop.stop_requested()) return;
    try {
      server_->tick();
      log_.tick();
      if (!is_monitoring_) continue;
      const auto now = SteadyClock::now();
      if (next_stats == SteadyClock::time_point{}) next_stats = now + stats_interval_;
      if (now < next_stats) continue;
      next_stats = now + stats_interval_;
      server_->write_stats();
    } catch (const std::exception& error) {
      log_.error("Pipeline", "Upkeep failed: " + safe_text(error.what(), 512));
    }
  }
}

std::unique_ptr<LocalSubscription> Engine::subscribe(const std::vector<std::string>& symbols, TickHandler handler,
                                                     const SubscribeOptions& options) {
  if (!handler) throw ConfigError("subscribe: the handler is empty");
  if (options.interval.count() < 0 || options.interval > std::chrono::hours{24}) {
    throw ConfigError("subscribe: interval is not from 0 to 24 h");
  }
  std::vector<Name> names;
  for (const std::string& text : symbols) {
    const auto name = parse_symbol(text);
    if (!name) throw ConfigError("subscribe: \"" + safe_text(text) + "\" is no symbol");
    names.push_back(*name);
  }
  QuoteOptions quote_options;
  quote_options.is_all = options.all;
  quote_options.interval_ms = static_cast<std::uint32_t>(options.interval.count());
  const std::shared_lock lock(close_mutex_);
  if (!server_) return nullptr;
  const SignalMask mask;
  // The handlers end before the server does, so they may refer to it and to this.
  auto call = [this, server = server_.get(), handler = std::move(handler), out = std::make_shared<tickpipe::Tick>()](
                  const Tick& tick, const MessageExtras& extras) {
    handler_thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    convert(tick, server->symbols(), server->lps(), *out);
    out->is_snapshot = extras.is_snapshot;
    out->is_after_gap = extras.is_unrecovered;
    out->skipped = extras.skipped;
    handler(*out);
  };
  return server_->subscribe(std::move(names), quote_options, std::move(call));
}

void Engine::handle(ApiRequest&& request, std::function<void(ApiResponse, TakeOver)> done) {
  const auto answer = std::make_shared<Answer>(std::move(done), request.method != "HEAD");
  const std::shared_lock lock(close_mutex_);
  if (!server_) return answer->give(to_response({503, "stopped", "the pipeline has ended"}));
  HttpRequest in;
  in.method = method_of(request.method);
  if (in.method == HttpMethod::kPost && state_.load() == State::kNew) {
    return answer->give(to_response({503, "starting", "not started yet"}));
  }
  if (request.body.size() > max_body_bytes_) {
    return answer->give(to_response(
        {413, "body_too_large", "the body is longer than http.max_body_bytes, " + std::to_string(max_body_bytes_)}));
  }
  in.target = std::move(request.target);
  in.has_body = !request.body.empty();
  in.body = std::move(request.body);
  in.content_type = std::move(request.content_type);
  in.is_local_peer = true;
  if (!request.last_event_id.empty()) {
    in.stream = std::make_shared<StreamHeaders>();
    in.stream->last_event_id = std::move(request.last_event_id);
  }
  server_->api().handle(std::move(in), [answer](HttpResponse response) { answer->give(std::move(response)); });
}

int Engine::open_stream(TakeOver take_over) { return pipes_->open(std::move(take_over)); }

}  // namespace tickpipe::internal
