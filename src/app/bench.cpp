#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "app/allocation_counter.h"
#include "app/bench_redis.h"
#include "app/commands.h"
#include "app/output.h"
#include "core/error.h"
#include "core/latency_histogram.h"
#include "ingest/quote_producer.h"
#include "pipeline/pipeline.h"

namespace tickpipe::internal {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr double kDefaultSeconds = 5;
/// Share of the run after which allocations count: rings and batches have their size by then.
constexpr double kWarmUpShare = 0.25;
constexpr std::chrono::microseconds kPacing{100};
constexpr std::uint32_t kMostSymbols = 100'000;

/// Measures from the ingest call to the published event.
class LatencyListener final : public BatchListener {
 public:
  explicit LatencyListener(const Clock& clock) : clock_(clock) {}
  void on_committed(const EventBatch& batch, Position /*position*/) override {
    const UnixNanos now = clock_.now();
    const auto& ticks = batch.ticks;
    for (std::size_t i = 0; i < ticks.size();) {  // ticks of one read share their receive time
      std::size_t end = i + 1;
      while (end < ticks.size() && ticks[end].ts_recv == ticks[i].ts_recv) ++end;
      latencies_.record(now - ticks[i].ts_recv, end - i);
      i = end;
    }
  }
  [[nodiscard]] const LatencyHistogram& latencies() const { return latencies_; }

 private:
  const Clock& clock_;
  LatencyHistogram latencies_;
};

/// An endless random walk over a number of symbols, in turn; each ticks every millisecond of event time, all different.
class QuoteStream {
 public:
  QuoteStream(std::uint32_t symbols, UnixNanos start) : time_(start) {
    for (std::uint32_t i = 0; i < symbols; ++i) {
      RawQuote& quote = quotes_.emplace_back();
      quote.symbol = *parse_symbol("SYM" + std::to_string(i));
      quote.bid.units = kUnitsPerOne + 1000 * static_cast<std::int64_t>(i);
    }
  }
  const RawQuote& next() {
    if (at_ == quotes_.size()) {
      at_ = 0;
      time_.ns += kNanosPerMilli;
    }
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    RawQuote& quote = quotes_[at_++];
    const auto step = static_cast<std::int64_t>(random_ & 7) - 3 - (quote.bid.units > kUnitsPerOne ? 1 : 0);
    quote.bid.units += step * kPip;
    quote.ask.units = quote.bid.units + kPip * static_cast<std::int64_t>(1 + (random_ >> 62));
    quote.ts_event = UnixNanos{time_.ns + static_cast<std::int64_t>((random_ >> 8) & 0xffff)};
    return quote;
  }

 private:
  static constexpr std::int64_t kPip = 10'000;
  std::vector<RawQuote> quotes_;
  std::size_t at_ = 0;
  UnixNanos time_;
  std::uint64_t random_ = 0x9e3779b97f4a7c15;
};

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tickpipe-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw Error("cannot create a temporary folder " + pattern);
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// When the run and its warm-up end, in ticks or in time.
class Extent {
 public:
  Extent(const BenchOptions& options, SteadyClock::time_point start)
      : ticks_(options.ticks), start_(start), seconds_(options.seconds.value_or(kDefaultSeconds)) {}
  [[nodiscard]] double done(std::uint64_t ticks) const {
    if (ticks_) return *ticks_ == 0 ? 1 : static_cast<double>(ticks) / static_cast<double>(*ticks_);
    return std::chrono::duration<double>(SteadyClock::now() - start_).count() / seconds_;
  }

 private:
  std::optional<std::uint64_t> ticks_;
  SteadyClock::time_point start_;
  double seconds_;
};

struct Offered {
  std::uint64_t ticks = 0;
  std::uint64_t warm_up_ticks = 0;
  std::uint64_t warm_up_allocations = 0;
};

/// As a feed that is live, all of whose quotes go over the channels of Redis.
void submit_live(QuoteProducer& producer, QuoteStream& stream, UnixNanos now, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    RawQuote quote = stream.next();
    quote.ts_event = UnixNanos{now.ns + static_cast<std::int64_t>(i)};
    producer.submit(quote, std::nullopt, QuoteOrigin::kLive);
  }
}

/// Feeds the pipeline until the extent is reached.
Offered offer(Pipeline& pipeline, const BenchOptions& options, SteadyClock::time_point start) {
  constexpr std::uint64_t kBurst = 256;
  using WhenFull = QuoteProducer::WhenFull;
  QuoteProducer producer(pipeline.intake(), *parse_lp("BENCH"), options.rate != 0 ? WhenFull::kDrop : WhenFull::kWait);
  QuoteStream stream(options.symbols, pipeline.clock().now() - std::chrono::hours{24 * 30});
  const Extent extent(options, start);
  Offered offered;
  for (double done = 0; done < 1; done = extent.done(offered.ticks)) {
    if (offered.warm_up_ticks == 0 && done >= kWarmUpShare) {
      offered.warm_up_ticks = offered.ticks;
      offered.warm_up_allocations = allocation_count();
    }
    std::uint64_t count = kBurst;
    if (options.rate != 0) {
      const std::chrono::duration<double> elapsed = SteadyClock::now() - start;
      const auto due = static_cast<std::uint64_t>(elapsed.count() * static_cast<double>(options.rate));
      if (due <= offered.ticks) {
        std::this_thread::sleep_for(kPacing);
        continue;
      }
      count = due - offered.ticks;
    }
    if (options.ticks) count = std::min(count, *options.ticks - offered.ticks);
    producer.take_time();
    if (options.store == "redis") {
      submit_live(producer, stream, pipeline.clock().now(), count);
    } else {
      for (std::uint64_t i = 0; i < count; ++i) producer.submit(stream.next());
    }
    offered.ticks += count;
    if (options.rate != 0) producer.flush();
  }
  producer.flush();
  return offered;
}

double micros(std::chrono::nanoseconds latency) { return static_cast<double>(latency.count()) / 1000; }

std::string number(double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.3f", value);
  return buffer;
}

/// Bytes that the process has handed to write() and its like so far; 0 where the kernel does not tell.
std::uint64_t bytes_written() {
  std::ifstream io("/proc/self/io");
  std::string name;
  std::uint64_t value = 0;
  while (io >> name >> value) {
    if (name == "wchar:") return value;
  }
  return 0;
}

std::uint64_t bytes_in(const std::filesystem::path& folder) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

}  // namespace

int run_bench(PipelineConfig config, const BenchOptions& options) {
  if (options.symbols == 0 || options.symbols > kMostSymbols) throw ConfigError("--symbols: 1 to 100000");
  if (options.workers) config.worker_count = *options.workers;
  config.store.type = options.store == "none" ? StoreType::kNone : StoreType::kEmbedded;
  config.max_symbols = std::max(config.max_symbols, options.symbols);

  std::optional<TemporaryFolder> temporary;
  std::filesystem::path data_dir = options.data_dir;
  if (config.store.type == StoreType::kEmbedded && data_dir.empty()) data_dir = temporary.emplace().path() / "data";

  const SystemClock clock;
  LatencyListener listener(clock);
  const bool with_redis = options.store == "redis";
  Pipeline pipeline(config, {.data_dir = data_dir,
                             .clock = &clock,
                             .listeners = {&listener},
                             .give_up_after = std::chrono::seconds{30},
                             .is_service = with_redis});
  std::optional<BenchRedis> redis;
  if (with_redis) redis.emplace(config, pipeline);
  pipeline.start();
  if (redis) redis->start();
  const std::uint64_t written_before = bytes_written();
  const auto start = SteadyClock::now();
  const Offered offered = offer(pipeline, options, start);
  const std::uint64_t allocations = allocation_count() - offered.warm_up_allocations;
  pipeline.drain();
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
  pipeline.stop();
  if (const std::string failure = pipeline.failure(); !failure.empty()) throw Error(failure);
  if (redis) redis->finish();

  const PipelineStats stats = pipeline.stats();
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto cpu = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  const std::uint64_t measured = offered.ticks - offered.warm_up_ticks;
  const LatencyHistogram& latencies = listener.latencies();

  std::string out = "{";
  const auto field = [&out](std::string_view name, const std::string& value) {
    if (out.size() > 1) out += ',';
    append_json_string(out, name);
    out.append(":").append(value);
  };
  field("ticks", std::to_string(stats.processed));
  field("offered", std::to_string(stats.received));
  field("seconds", number(seconds));
  field("ticks_per_second", number(static_cast<double>(stats.processed) / seconds));
  field("dropped", std::to_string(stats.dropped));
  field("refused", std::to_string(stats.refused_total()));
  field("p50_us", number(micros(latencies.quantile(0.5))));
  field("p99_us", number(micros(latencies.quantile(0.99))));
  field("p999_us", number(micros(latencies.quantile(0.999))));
  field("max_us", number(micros(latencies.max())));
  field("peak_rss_mb", number(static_cast<double>(usage.ru_maxrss) / 1024));
  field("cpu_seconds", number(cpu(usage.ru_utime) + cpu(usage.ru_stime)));
  field("allocations_per_tick",
        number(measured != 0 ? static_cast<double>(allocations) / static_cast<double>(measured) : 0));
  field("bars", std::to_string(stats.bar_events));
  field("commits", std::to_string(stats.commits));
  const LatencySummary commit = pipeline.latencies().commit;
  field("commit_p50_us", number(micros(commit.p50)));
  field("commit_p99_us", number(micros(commit.p99)));
  field("symbols", std::to_string(options.symbols));
  field("workers", std::to_string(config.worker_count));
  field("store", "\"" + options.store + "\"");
  if (config.store.type == StoreType::kEmbedded) {
    const auto written = static_cast<double>(bytes_written() - written_before);
    const auto stored = static_cast<double>(bytes_in(data_dir));
    field("written_mb", number(written / 1e6));
    field("stored_mb", number(stored / 1e6));
    field("write_amplification", number(stored != 0 ? written / stored : 0));
  }
  if (redis) {
    for (const auto& [name, value] : redis->figures()) field(name, number(value));
  }
  Output output;
  output.write(out + "}\n");
  output.flush();
  return kExitSuccess;
}

}  // namespace tickpipe::internal
