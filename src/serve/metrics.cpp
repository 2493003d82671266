#include "serve/metrics.h"

#include <cstdint>

#include "core/json_writer.h"

namespace tickpipe::internal {
namespace {

using std::chrono::nanoseconds;

struct Label {
  std::string_view name;
  std::string_view value;
};

/// Writes families of samples; a family's header comes before its first sample.
class Exposition {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    for (const std::string_view part : {std::string_view("# HELP tickpipe_"), name, std::string_view(" "), help,
                                        std::string_view("\n# TYPE tickpipe_"), name, std::string_view(" "), type}) {
      out_.raw(part);
    }
    out_.literal("\n");
  }
  void sample(std::uint64_t value, std::initializer_list<Label> labels = {}) {
    start(labels);
    out_.number(value);
    out_.literal("\n");
  }
  void sample(nanoseconds value, std::initializer_list<Label> labels = {}) {
    start(labels);
    out_.decimal(value.count());
    out_.literal("\n");
  }
  void counter(std::string_view name, std::string_view help, std::uint64_t value) {
    family(name, "counter", help);
    sample(value);
  }
  void gauge(std::string_view name, std::string_view help, std::uint64_t value) {
    family(name, "gauge", help);
    sample(value);
  }
  [[nodiscard]] std::string take() { return out_.take(); }

 private:
  void start(std::initializer_list<Label> labels) {
    out_.literal("tickpipe_");
    out_.raw(name_);
    if (labels.size() != 0) {
      out_.literal("{");
      for (const Label& label : labels) {
        out_.raw(label.name);
        out_.literal("=\"");
        escape(label.value);
        out_.literal("\",");
      }
      out_.close('}');
    }
    out_.literal(" ");
  }
  void escape(std::string_view value) {
    for (const char& c : value) {
      if (c == '\\') {
        out_.literal("\\\\");
      } else if (c == '"') {
        out_.literal("\\\"");
      } else if (c == '\n') {
        out_.literal("\\n");
      } else {
        out_.raw({&c, 1});
      }
    }
  }

  JsonWriter out_{8192};
  std::string_view name_;
};

void write_ticks(Exposition& out, const SystemStats& stats) {
  out.counter("ticks_received_total", "Raw quotes received.", stats.received);
  out.counter("ticks_processed_total", "Ticks accepted and committed.", stats.processed);
  out.counter("ticks_dropped_total", "Quotes for which there was no room.", stats.dropped);
  out.family("ticks_refused_total", "counter", "Quotes refused, by reason; duplicates included.");
  for (std::size_t i = 0; i < kReasonCount; ++i) out.sample(stats.refused[i], {{"reason", kReasonNames[i]}});
  out.gauge("ticks_in_flight", "Quotes received whose fate is not decided or not committed.", stats.in_flight);
  out.counter("ticks_out_of_order_total", "Accepted ticks older than the newest of their LP and symbol.",
              stats.out_of_order);
  out.counter("ticks_late_for_bars_total", "Accepted ticks that are in no bar.", stats.late_for_bars);
  out.counter("abnormal_spikes_total", "Ticks that moved by price_sanity_threshold or more.", stats.spikes);
  out.counter("ohlc_bars_generated_total", "Closed bars and revisions committed.", stats.bars_generated);
  out.counter("commits_total", "Commits.", stats.commits);
  out.counter("quotes_distributed_total", "Quotes handed to clients.", stats.quotes_distributed);
  out.gauge("stream_clients", "Clients of WebSocket and event streams.", stats.streams.clients);
  out.counter("stream_messages_total", "Quotes and bars sent on streams.", stats.streams.messages);
  out.counter("stream_bytes_total", "Bytes sent on streams, framing included.", stats.streams.bytes);
  out.counter("messages_encoded_total", "Messages encoded, each once for all clients of a format.",
              stats.streams.encoded);
  out.counter("catch_up_messages_encoded_total", "Quotes encoded for one client that had missed them.",
              stats.streams.encoded_missed);
  out.counter("stream_overruns_total", "Times that quotes were taken from the read side instead of the full hub.",
              stats.streams.overruns);
  out.counter("stale_feeds_detected_total", "Times that a feed went stale.", stats.stale_feeds_detected);
  out.family("last_tick_timestamp_seconds", "gauge", "Greatest event time of a tick; absent before the first.");
  if (stats.last_tick_time != kNoTime) out.sample(nanoseconds{stats.last_tick_time.ns});
}

void write_latencies(Exposition& out, const SystemStats& stats) {
  const struct {
    std::string_view name;
    const LatencySummary& latency;
  } stages[] = {{"tick", stats.tick}, {"ohlc", stats.ohlc}, {"distribution", stats.distribution}};
  out.family("stage_latency_seconds", "gauge",
             "Since start; tick: received to accepted, ohlc: accepted to bar, distribution: committed to handed over.");
  for (const auto& [name, latency] : stages) {
    out.sample(latency.p50, {{"stage", name}, {"quantile", "0.5"}});
    out.sample(latency.p99, {{"stage", name}, {"quantile", "0.99"}});
    out.sample(latency.max, {{"stage", name}, {"quantile", "1"}});
  }
  out.family("stage_latency_seconds_count", "counter", "Durations measured per stage.");
  for (const auto& [name, latency] : stages) out.sample(latency.count, {{"stage", name}});
}

void write_process(Exposition& out, const SystemStats& stats) {
  out.family("build_info", "gauge", "Always 1.");
  out.sample(std::uint64_t{1}, {{"version", stats.version}});
  out.family("uptime_seconds", "gauge", "Since the start of the pipeline.");
  out.sample(stats.uptime);
  out.gauge("resident_memory_bytes", "Memory of the process.", stats.resident_bytes);
  out.family("cpu_seconds_total", "counter", "CPU time used by the process.");
  out.sample(seconds_of(stats.cpu_seconds));
  out.gauge("workers", "Shards.", stats.workers);
  out.gauge("symbols", "Known symbols.", stats.symbols);
  out.gauge("clients_connected", "Connected clients.", stats.clients_connected);
  out.family("queue_depth", "gauge", "Entries in a queue.");
  for (const QueueDepth& queue : stats.queues) out.sample(queue.depth, {{"queue", queue.name}});
  out.family("queue_capacity", "gauge", "Slots of a queue.");
  for (const QueueDepth& queue : stats.queues) out.sample(queue.capacity, {{"queue", queue.name}});
}

void write_sinks(Exposition& out, const SystemStats& stats) {
  if (stats.sinks.empty()) return;
  out.family("sink_lag_commits", "gauge", "Commits that a copy outside the store lacks.");
  for (const SinkStatus& sink : stats.sinks) out.sample(sink.lag_commits, {{"sink", sink.name}});
  out.family("sink_lag_seconds", "gauge", "How long the oldest commit that a copy lacks has waited.");
  for (const SinkStatus& sink : stats.sinks) out.sample(sink.lag, {{"sink", sink.name}});
  for (const SinkStatus& sink : stats.sinks) {
    for (const auto& [name, value] : sink.counters) {
      out.counter(sink.name + "_" + name + "_total", "Since start; docs/redis.md says of what.", value);
    }
  }
}

void write_health(Exposition& out, const HealthReport& health, bool is_ready) {
  out.gauge("ready", "1 while quotes are taken.", is_ready ? 1 : 0);
  out.family("component_status", "gauge", "1 for the state that a component is in.");
  for (const ComponentHealth& component : health.components) {
    for (const auto state : {HealthState::kHealthy, HealthState::kDegraded, HealthState::kUnhealthy}) {
      out.sample(std::uint64_t{component.state == state},
                 {{"component", component.name}, {"status", to_string(state)}});
    }
  }
  out.family("feed_up", "gauge", "1 while a feed is live.");
  for (const FeedStatus& feed : health.feeds) {
    out.sample(std::uint64_t{feed.state == FeedState::kLive}, {{"feed", feed.name}});
  }
}

}  // namespace

std::string render_metrics(const SystemStats& stats, const HealthReport& health, bool is_ready) {
  Exposition out;
  write_ticks(out, stats);
  write_latencies(out, stats);
  write_process(out, stats);
  write_sinks(out, stats);
  write_health(out, health, is_ready);
  return out.take();
}

nanoseconds seconds_of(double seconds) noexcept {
  constexpr double kMost = 9e9;
  if (!(seconds > 0) || seconds > kMost) return nanoseconds{0};
  return nanoseconds{static_cast<std::int64_t>(seconds * 1e9)};
}

}  // namespace tickpipe::internal
