#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "app/commands.h"
#include "app/config/config_schema.h"
#include "app/config/feeds_value.h"
#include "app/log/program_log.h"
#include "core/clock.h"
#include "core/doorbell.h"
#include "core/error.h"
#include "core/safe_text.h"
#include "pipeline/edge_server.h"
#include "pipeline/server.h"

namespace tickpipe::internal {
namespace {

/// Keys that a reload takes over; the others keep their value until the next start.
constexpr std::string_view kReloadable[] = {"symbols",
                                            "max_tick_age_seconds",
                                            "max_future_seconds",
                                            "live_tick_age",
                                            "bar_close_grace",
                                            "bar_revision_window",
                                            "price_sanity_threshold",
                                            "price_sanity_action",
                                            "price_reject_ratio",
                                            "hot_data_retention",
                                            "warm_data_retention_days",
                                            "bar_retention_days",
                                            "stale_quote_threshold",
                                            "feeds",
                                            "log.level",
                                            "log.format",
                                            "log.file"};
constexpr std::string_view kReloadableOfEdge[] = {"live_tick_age", "stale_quote_threshold", "log.level", "log.format",
                                                  "log.file"};

ProgramLog::Settings log_settings(const PipelineConfig& config) {
  ProgramLog::Settings settings;
  settings.level.reset();
  constexpr std::pair<std::string_view, LogLevel> kLevels[] = {{"trace", LogLevel::kTrace},
                                                               {"debug", LogLevel::kDebug},
                                                               {"info", LogLevel::kInfo},
                                                               {"warn", LogLevel::kWarn},
                                                               {"error", LogLevel::kError}};
  for (const auto& [name, level] : kLevels) {
    if (config.log.level == name) settings.level = level;
  }
  settings.format = config.log.format == "json" ? ProgramLog::Format::kJson : ProgramLog::Format::kText;
  settings.file = config.log.file;
  return settings;
}

std::vector<ConfiguredFeed> feeds_of(const ServeOptions& options, const LoadedConfig& loaded) {
  std::vector<ConfiguredFeed> feeds;
  if (!options.feeds.empty()) {
    for (const std::string& spec : options.feeds) feeds.push_back(feed_of_option(spec));
    return feeds;
  }
  // Who just starts it sees a living market; who has a configuration gets what that says.
  if (loaded.file.empty() && loaded.config.feeds_json == "[]") return {feed_of_option("sim")};
  return configured_feeds(loaded.config.feeds_json);
}

/// Receives the signals of the process on a thread of its own, so that they work at any moment.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR2}) sigaddset(&set_, number);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);  // threads that are made from now on inherit it
    thread_ = std::jthread([this](const std::stop_token& stop) {
      pthread_setname_np(pthread_self(), "signals");
      receive(stop);
    });
  }
  ~Signals() {
    thread_.request_stop();
    pthread_kill(thread_.native_handle(), SIGUSR2);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// From now on the first signal asks for a graceful end; before, it ends the process at once.
  void started() {
    // A signal that came first has decided already: nothing may happen, nor be logged, while the process goes down.
    while (is_decided_.exchange(true)) ::pause();
  }

  /// Waits until something is asked for, at most `timeout`.
  void wait(std::chrono::nanoseconds timeout) {
    bell_.wait_for(timeout, [this] { return end_.load() != 0 || reload_.load(); });
  }
  [[nodiscard]] int end_asked_by() const { return end_.load(); }
  [[nodiscard]] bool take_reload() { return reload_.exchange(false); }

 private:
  void receive(const std::stop_token& stop) {
    while (true) {
      int number = 0;
      if (sigwait(&set_, &number) != 0 || stop.stop_requested()) return;
      if (number == SIGHUP) {
        reload_.store(true);
      } else if (number != SIGUSR2) {
        if (!is_decided_.exchange(true) || end_.load() != 0) ::_exit(128 + number);
        end_.store(number);
      }
      bell_.ring();
    }
  }

  sigset_t set_{};
  std::atomic<bool> is_decided_{false};  // whether the first signal ends it gracefully or at once
  std::atomic<int> end_{0};
  std::atomic<bool> reload_{false};
  Doorbell bell_;
  std::jthread thread_;
};

/// Lets the process have as many connections as it may.
void raise_file_limit(const PipelineConfig& config, Log& log) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < config.http.max_connections) {
    log.warn("Server", "the process may have " + std::to_string(limit.rlim_cur) +
                           " open files, which is less than http.max_connections needs; raise the limit (ulimit -n)");
  }
}

void refuse_what_is_not_built(const PipelineConfig& config) {
  if (config.auth_json == PipelineConfig{}.auth_json) return;
  throw ConfigError("auth: authentication is not in this build; leave auth.mode at \"none\"");
}

void take_over(Server& server, const LoadedConfig& fresh, const ServeOptions& options) {
  server.reload(fresh.config, feeds_of(options, fresh));
}
void take_over(EdgeServer& server, const LoadedConfig& fresh, const ServeOptions& /*options*/) {
  server.reload(fresh.config);
}

/// Reads the configuration again and hands over what may change.
template <typename AnyServer>
void reload(AnyServer& server, ProgramLog& log, const ServeOptions& options, LoadedConfig& current) {
  LoadedConfig fresh = options.load();
  for (const LoadedConfig::Problem& problem : fresh.problems) {
    log.write(problem.is_warning ? LogLevel::kWarn : LogLevel::kError, "Config", problem.text);
  }
  if (!fresh.is_usable) {
    log.error("Config", "the configuration cannot be used; the old one stays in force");
    return;
  }
  try {
    refuse_what_is_not_built(fresh.config);
    log.reconfigure(log_settings(fresh.config));
    take_over(server, fresh, options);
  } catch (const Error& error) {
    log.error("Config", safe_text(error.what(), 512) + "; the old configuration stays in force");
    return;
  }
  std::string later;
  const std::span<const std::string_view> reloadable =
      std::is_same_v<AnyServer, EdgeServer> ? std::span<const std::string_view>(kReloadableOfEdge) : kReloadable;
  for (const ConfigEntry& entry : config_schema()) {
    const bool is_taken_over = std::find(reloadable.begin(), reloadable.end(), entry.path) != reloadable.end();
    if (is_taken_over || entry.render(fresh.config) == entry.render(current.config)) continue;
    later.append(later.empty() ? "" : ", ").append(entry.path);
  }
  if (!later.empty()) log.warn("Config", "changed, in force from the next start on: " + later);
  log.info("Config", "configuration reloaded");
  current = std::move(fresh);
}

/// Until a signal ends it.
template <typename AnyServer>
void run(AnyServer& server, Signals& signals, ProgramLog& log, const ServeOptions& options, LoadedConfig& loaded) {
  signals.started();  // recovery is over; what comes now is short, and a signal in it must not end the process at once
  server.start();
  while (signals.end_asked_by() == 0) {
    signals.wait(std::chrono::seconds{1});
    if (signals.take_reload()) reload(server, log, options, loaded);
    server.tick();
    log.tick();
  }
  log.info("Server", std::string(signals.end_asked_by() == SIGINT ? "SIGINT" : "SIGTERM") +
                         ": stopping; a second signal ends the process at once");
  server.stop();
  log.info("Server", "stopped");
  log.tick();
}

/// An edge may have the configuration of its node, feeds included; what is asked for by hand is not ignored.
void refuse_feeds_of_edge(const ServeOptions& options) {
  const bool has_feed =
      std::any_of(options.feeds.begin(), options.feeds.end(), [](const std::string& spec) { return spec != "none"; });
  if (has_feed) throw ConfigError("--feed: an edge (role) reads from Redis only; give the feed to the node");
}

}  // namespace

int run_serve(LoadedConfig loaded, const ServeOptions& options) {
  refuse_what_is_not_built(loaded.config);
  Signals signals;
  const SystemClock clock;
  ProgramLog log(clock, log_settings(loaded.config));
  raise_file_limit(loaded.config, log);
  if (loaded.config.role == Role::kEdge) {
    refuse_feeds_of_edge(options);
    EdgeServer server(loaded.config, {.version = std::string(version_text())}, log, clock);
    run(server, signals, log, options, loaded);
    return kExitSuccess;
  }
  Server server(
      loaded.config,
      {.data_dir = options.data_dir, .feeds = feeds_of(options, loaded), .version = std::string(version_text())}, log,
      clock);
  run(server, signals, log, options, loaded);
  return kExitSuccess;
}

}  // namespace tickpipe::internal
