#include "load/run.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/error.h"
#include "load/client_thread.h"
#include "load/greeting.h"
#include "load/hostile_crowd.h"
#include "load/http_client.h"
#include "load/now.h"

namespace tickpipe::internal::load {

namespace {

constexpr std::uint64_t kOtherDescriptors = 64;

void sleep_seconds(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

class Run {
 public:
  explicit Run(const Options& options)
      : options_(options),
        greeting_(options),
        symbols_(options.symbols),
        feeder_(options, progress_),
        crowd_(options, greeting_) {}

  ~Run() { progress_.phase = Phase::kStop; }  // the threads wait for it, also after an exception
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  RunResult go() {
    check_descriptors();
    result_.server_pid = options_.server_pid != 0 ? options_.server_pid : find_listener(options_.target.port);
    if (is_fed()) feeder_.prime();
    const auto counters = server_counters();
    if (const auto sample = sample_process(result_.server_pid)) result_.rss_before = sample->rss_bytes;
    connect();
    if (progress_.ready == 0) {
      finish(std::vector<std::uint64_t>(symbols_.size(), 0));
      return std::move(result_);
    }
    if (is_fed()) feeder_.start();
    measure(Phase::kWarmup, Phase::kMeasure);
    if (options_.hostile.total() > 0) {
      crowd_.start();
      measure(Phase::kHostileWarmup, Phase::kHostileMeasure);
      crowd_.stop();
      result_.hostile = crowd_.tallies();
    }
    progress_.phase = Phase::kSettle;
    feeder_.stop();
    settle();
    const std::vector<std::uint64_t> last = latest_seqs();
    for (const auto& [name, value] : server_counters()) {
      const auto before = counters.find(name);
      if (before != counters.end()) result_.server_counters[name] = value - before->second;
    }
    finish(last);
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool is_fed() const { return options_.feed.rate > 0; }

  void check_descriptors() {
    result_.descriptor_limit = raise_descriptor_limit();
    const std::uint64_t wanted = options_.clients + options_.hostile.total() + kOtherDescriptors;
    std::cerr << "limit of open files: " << result_.descriptor_limit << "\n";
    if (wanted <= result_.descriptor_limit) return;
    throw ConfigError("these connections take " + std::to_string(wanted) + " descriptors, the hard limit is " +
                      std::to_string(result_.descriptor_limit) + "; raise it with ulimit -Hn");
  }

  void connect() {
    const std::vector<std::uint64_t> known = options_.verifies ? latest_seqs() : std::vector<std::uint64_t>{};
    std::vector<bool> has_value;
    has_value.reserve(known.size());
    for (const std::uint64_t seq : known) has_value.push_back(seq > 0);
    std::uint32_t first = 0;
    for (std::uint32_t i = 0; i < options_.threads; ++i) {
      const std::uint32_t count = options_.clients / options_.threads + (i < options_.clients % options_.threads);
      if (options_.verifies) {
        verifiers_.push_back(std::make_unique<Verifier>(symbols_, has_value, count, options_.interval_ms));
      }
      threads_.push_back(std::make_unique<ClientThread>(
          options_, greeting_, progress_, options_.verifies ? verifiers_.back().get() : nullptr, first, count));
      first += count;
    }
    const std::int64_t start = monotonic_us();
    for (const auto& thread : threads_) thread->start();
    while (progress_.ready + progress_.failed < options_.clients &&
           monotonic_us() - start < std::int64_t{options_.connect_timeout_s} * 1'000'000) {
      sleep_seconds(0.005);
    }
    result_.connect_seconds = static_cast<double>(monotonic_us() - start) / 1e6;
    result_.not_ready = options_.clients - std::min(options_.clients, progress_.ready.load());
    sleep_seconds(0.5);  // snapshots
    if (const auto sample = sample_process(result_.server_pid)) result_.rss_connected = sample->rss_bytes;
    std::cerr << progress_.ready << " of " << options_.clients << " clients ready after " << result_.connect_seconds
              << " s\n";
  }

  void measure(Phase warmup, Phase phase) {
    progress_.phase = warmup;
    sleep_seconds(options_.warmup_s);
    const auto server = sample_process(result_.server_pid);
    const auto own = sample_process(static_cast<int>(::getpid()));
    const MachineSample machine = sample_machine();
    const std::int64_t start = monotonic_us();
    progress_.phase = phase;
    sleep_seconds(options_.duration_s);
    progress_.phase = warmup;
    Measurement& measurement = result_.measurements.emplace_back();
    measurement.seconds = static_cast<double>(monotonic_us() - start) / 1e6;
    const MachineSample machine_end = sample_machine();
    const auto server_end = sample_process(result_.server_pid);
    const auto own_end = sample_process(static_cast<int>(::getpid()));
    if (server && server_end) measurement.server = usage_between(*server, *server_end);
    if (own && own_end) measurement.own = usage_between(*own, *own_end);
    if (machine_end.total > machine.total) {
      measurement.machine_busy =
          static_cast<double>(machine_end.busy - machine.busy) / static_cast<double>(machine_end.total - machine.total);
    }
    if (options_.interval_ms > 0) {
      // One less: a value that is due at either edge of the measurement may fall to its other side.
      const double intervals = std::floor(measurement.seconds * 1000 / options_.interval_ms);
      measurement.expected_values = static_cast<std::uint32_t>(std::max(intervals - 1, 0.0));
    }
  }

  /// Until nothing has come for three tenths of a second and two intervals, at most 15 s. A feed that is not ours may
  /// go on for ever: then this is short.
  void settle() {
    const double quiet_s = 0.3 + 2e-3 * options_.interval_ms;
    if (!is_fed()) return;
    const std::int64_t deadline = monotonic_us() + 15'000'000;
    std::uint64_t before = 0;
    do {
      before = progress_.messages;
      sleep_seconds(quiet_s);
    } while (progress_.messages != before && monotonic_us() < deadline);
  }

  /// Per subscribed symbol, the `seq` of the server's latest quote; 0 = it has none or does not say.
  std::vector<std::uint64_t> latest_seqs() const {
    std::vector<std::uint64_t> seqs(symbols_.size(), 0);
    if (!options_.expects_ticks()) return seqs;
    const nlohmann::json quotes = get("/api/quotes/latest");
    if (!quotes.is_array()) return seqs;
    for (const auto& quote : quotes) {
      const int symbol = symbols_.find(quote.value("symbol", ""));
      if (symbol >= 0) seqs[static_cast<std::size_t>(symbol)] = quote.value("seq", std::uint64_t{0});
    }
    return seqs;
  }

  std::map<std::string, std::int64_t> server_counters() const {
    std::map<std::string, std::int64_t> counters;
    if (options_.protocol == Protocol::kPlain) return counters;
    const nlohmann::json stats = get("/api/pipeline/stats");
    if (!stats.is_object()) return counters;
    for (const char* name : {"ticks_received", "ticks_processed", "ticks_dropped", "ticks_duplicate",
                             "ticks_out_of_order", "ticks_invalid", "abnormal_spikes_detected", "quotes_distributed"}) {
      if (stats.contains(name) && stats[name].is_number()) counters[name] = stats[name].get<std::int64_t>();
    }
    return counters;
  }

  nlohmann::json get(const char* path) const {
    try {
      const HttpAnswer answer = http_request(options_.target, "GET", path);
      return answer.status == 200 ? nlohmann::json::parse(answer.body, nullptr, false) : nlohmann::json{};
    } catch (const Error&) {
      return {};
    }
  }

  void finish(const std::vector<std::uint64_t>& last) {
    progress_.phase = Phase::kStop;
    for (const auto& thread : threads_) thread->join();
    for (const auto& thread : threads_) result_.clients.add(thread->tally());
    if (is_fed()) result_.feed = feeder_.tally();
    if (options_.verifies) verify(last);
    judge();
  }

  void verify(const std::vector<std::uint64_t>& last) {
    result_.is_final_checked =
        is_fed() && std::all_of(last.begin(), last.end(), [](std::uint64_t seq) { return seq > 0; });
    std::array<std::uint32_t, kMeasurements> expected{};
    for (std::size_t i = 0; i < result_.measurements.size(); ++i) expected[i] = result_.measurements[i].expected_values;
    Findings& all = result_.findings.emplace();
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      if (result_.is_final_checked) verifiers_[i]->check_final(last, threads_[i]->alive());
      verifiers_[i]->count_regularity(expected);
      all.add(verifiers_[i]->findings());
      result_.pairs += verifiers_[i]->pairs();
    }
  }

  void judge() {
    const auto blame = [&](bool is_wrong, const std::string& text) {
      if (is_wrong) result_.problems.push_back(text);
    };
    std::uint64_t failures = 0;
    for (const auto& [reason, count] : result_.clients.failures) failures += count;
    std::uint64_t closed = 0;
    for (const auto& [code, count] : result_.clients.closed) closed += count;
    blame(failures > 0, std::to_string(failures) + " clients failed");
    blame(result_.not_ready > failures, std::to_string(result_.not_ready) + " clients were not ready in time");
    blame(closed > 0, std::to_string(closed) + " good clients were closed by the server");
    blame(result_.clients.server_errors > 0, "the server answered with errors");
    if (result_.findings) {
      blame(result_.findings->faults() > 0,
            "verification found " + std::to_string(result_.findings->faults()) + " faults");
      blame(result_.findings->checked == 0 && options_.expects_ticks(), "nothing came that could be verified");
      blame(is_fed() && !result_.is_final_checked, "final values could not be checked: the server names none");
    }
    if (result_.feed) {
      blame(result_.feed->rejected > 0, std::to_string(result_.feed->rejected) + " ticks were refused");
      blame(!result_.feed->failures.empty(), "some POSTs of the feeder failed");
    }
  }

  const Options& options_;
  Greeting greeting_;
  SymbolIndex symbols_;
  Progress progress_;
  RunResult result_;
  Feeder feeder_;
  HostileCrowd crowd_;
  std::vector<std::unique_ptr<Verifier>> verifiers_;
  std::vector<std::unique_ptr<ClientThread>> threads_;
};

}  // namespace

RunResult run_load(const Options& options) { return Run(options).go(); }

}  // namespace tickpipe::internal::load
