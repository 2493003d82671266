#include <algorithm>

#include "core/json_writer.h"
#include "serve/api.h"
#include "serve/api_docs.h"
#include "serve/metrics.h"
#include "serve/problem.h"

namespace tickpipe::internal {
namespace {

using std::chrono::nanoseconds;

HttpResponse text_response(std::string_view content_type, std::string body) {
  HttpResponse response;
  response.content_type = content_type;
  response.body = std::move(body);
  return response;
}

HttpResponse json_response(JsonWriter& json) {
  HttpResponse response;
  response.body = json.take();
  return response;
}

/// Writes the members of one flat object.
class Members {
 public:
  explicit Members(JsonWriter& json) : json_(json) {}

  void count(std::string_view name, std::uint64_t value) {
    start(name);
    json_.number(value);
    json_.literal(",");
  }
  void text(std::string_view name, std::string_view value) {
    start(name);
    json_.text(value);
    json_.literal(",");
  }
  void boolean(std::string_view name, bool value) {
    start(name);
    json_.boolean(value);
    json_.literal(",");
  }
  /// A nanosecond is 1e-9 of a second, as a unit is of a number.
  void seconds(std::string_view name, nanoseconds value) {
    start(name);
    json_.decimal(value.count());
    json_.literal(",");
  }
  void millis(std::string_view name, nanoseconds value) {
    start(name);
    json_.decimal(static_cast<Int128>(value.count()) * 1000);
    json_.literal(",");
  }
  void time(std::string_view name, UnixNanos value) {
    start(name);
    json_.time_ns_or_null(value);
    json_.literal(",");
  }

 private:
  void start(std::string_view name) {
    json_.text(name);
    json_.literal(":");
  }
  JsonWriter& json_;
};

/// `shard-0` as part of a member's name: `shard_0`.
std::string as_identifier(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    const bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!is_word) c = '_';
  }
  return out;
}

void write_latency(Members& members, const std::string& stage, const LatencySummary& latency) {
  members.millis("avg_" + stage + "_latency_ms", latency.average);
  members.millis(stage + "_latency_p50_ms", latency.p50);
  members.millis(stage + "_latency_p99_ms", latency.p99);
  members.millis(stage + "_latency_max_ms", latency.max);
}

}  // namespace

Outcome Api::health(const Call&) {
  const HealthReport report = parts_.status.health();
  HttpResponse response;
  response.body = health_json(report);
  if (report.overall == HealthState::kUnhealthy) response.status = 503;
  return response;
}

std::string Api::health_json(const HealthReport& report) const {
  JsonWriter json(1024);
  Members members(json);
  json.literal("{");
  members.text("overall_status", to_string(report.overall));
  members.time("timestamp", parts_.clock.now());
  members.seconds("uptime_seconds", report.uptime);
  json.literal(R"("components":{)");
  for (const ComponentHealth& component : report.components) {
    json.text(component.name);
    json.literal(":{");
    members.text("status", to_string(component.state));
    if (!component.detail.empty()) members.text("detail", component.detail);
    for (const auto& [name, value] : component.figures) members.count(name, value);
    json.close('}');
    json.literal(",");
  }
  json.close('}');
  json.literal(R"(,"feeds":[)");
  for (const FeedStatus& feed : report.feeds) {
    json.literal("{");
    members.text("name", feed.name);
    members.text("state", to_string(feed.state));
    if (!feed.detail.empty()) members.text("detail", feed.detail);
    json.close('}');
    json.literal(",");
  }
  json.close(']');
  json.close('}');
  return json.take();
}

Outcome Api::stats(const Call&) {
  HttpResponse response;
  response.body = stats_json();
  return response;
}

std::string Api::stats_json() const {
  const SystemStats stats = parts_.status.stats();
  JsonWriter json(4096);
  Members members(json);
  json.literal("{");
  members.text("version", stats.version);
  members.text("epoch", stats.epoch);
  members.seconds("uptime_seconds", stats.uptime);
  members.count("ticks_received", stats.received);
  members.count("ticks_processed", stats.processed);
  members.count("ticks_dropped", stats.dropped);
  members.count("ticks_duplicate", stats.duplicates());
  members.count("ticks_out_of_order", stats.out_of_order);
  members.count("ticks_invalid", stats.invalid());
  members.count("ticks_in_flight", stats.in_flight);
  members.count("ticks_late_for_bars", stats.late_for_bars);
  members.count("ohlc_bars_generated", stats.bars_generated);
  members.count("quotes_distributed", stats.quotes_distributed);
  members.count("clients_connected", stats.clients_connected);
  members.count("stream_clients", stats.streams.clients);
  members.count("stream_messages", stats.streams.messages);
  members.count("stream_bytes", stats.streams.bytes);
  members.count("messages_encoded", stats.streams.encoded);
  members.count("catch_up_messages_encoded", stats.streams.encoded_missed);
  members.count("stream_overruns", stats.streams.overruns);
  write_latency(members, "tick", stats.tick);
  write_latency(members, "ohlc", stats.ohlc);
  write_latency(members, "distribution", stats.distribution);
  members.count("stale_feeds_detected", stats.stale_feeds_detected);
  members.count("abnormal_spikes_detected", stats.spikes);
  members.time("last_tick_time", stats.last_tick_time);
  members.count("symbols", stats.symbols);
  members.count("commits", stats.commits);
  members.count("workers", stats.workers);
  members.count("memory_bytes", stats.resident_bytes);
  members.seconds("cpu_seconds", seconds_of(stats.cpu_seconds));
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    members.count("refused_" + std::string(kReasonNames[i]), stats.refused[i]);
  }
  for (const QueueDepth& queue : stats.queues) {
    const std::string name = "queue_" + as_identifier(queue.name);
    members.count(name + "_depth", queue.depth);
    members.count(name + "_capacity", queue.capacity);
  }
  for (const SinkStatus& sink : stats.sinks) {
    members.count(sink.name + "_position", sink.position);
    members.count(sink.name + "_lag_commits", sink.lag_commits);
    members.seconds(sink.name + "_lag_seconds", sink.lag);
    for (const auto& [name, value] : sink.counters) members.count(sink.name + "_" + name, value);
  }
  json.close('}');
  return json.take();
}

Outcome Api::feed_health(const Call&) {
  return now_or_later(parts_.symbols.size(), [this] {
    struct Row {
      Name name;
      const SymbolHealth* health;
    };
    const auto all = parts_.status.feed_health();
    std::vector<Row> rows;
    rows.reserve(all.size());
    for (const SymbolHealth& health : all) rows.push_back({parts_.symbols.name(health.symbol), &health});
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.name.view() < b.name.view(); });

    JsonWriter json(rows.size() * 320 + 2);
    Members members(json);
    const auto write = [&](const auto& health) {
      members.time("last_tick_time", health.last_tick_time);
      members.count("tick_count", health.tick_count);
      members.boolean("is_stale", health.is_stale);
      members.seconds("stale_seconds", health.stale_for);
      members.text("status", to_string(health.state));
    };
    json.literal("{");
    for (const Row& row : rows) {
      json.text(row.name.view());
      json.literal(":{");
      members.text("symbol", row.name.view());
      write(*row.health);
      json.literal(R"("lps":{)");
      for (const LpHealth& lp : row.health->lps) {
        json.text(parts_.lps.name(lp.lp).view());
        json.literal(":{");
        write(lp);
        json.close('}');
        json.literal(",");
      }
      json.close('}');
      json.literal("},");
    }
    json.close('}');
    return json_response(json);
  });
}

Outcome Api::liveness(const Call&) { return text_response("application/json", R"({"status":"ok"})"); }

Outcome Api::readiness(const Call&) {
  switch (parts_.status.readiness()) {
    case Readiness::kStarting:
      return Problem{503, "starting", "not ready yet"};
    case Readiness::kDraining:
      return Problem{503, "draining", "shutting down"};
    case Readiness::kReady:
      break;
  }
  return text_response("application/json", R"({"status":"ready"})");
}

Outcome Api::metrics(const Call&) {
  return text_response(kMetricsType, render_metrics(parts_.status.stats(), parts_.status.health(),
                                                    parts_.status.readiness() == Readiness::kReady));
}

Outcome Api::openapi(const Call&) { return text_response("application/yaml", std::string(openapi_text())); }

Outcome Api::docs(const Call&) {
  HttpResponse response = text_response("text/html; charset=utf-8", std::string(docs_page()));
  response.headers.emplace_back("Content-Security-Policy", docs_content_policy());
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  return response;
}

Outcome Api::root(const Call&) {
  HttpResponse response = text_response("text/plain", "see /docs\n");
  response.status = 302;
  response.headers.emplace_back("Location", "/docs");
  return response;
}

}  // namespace tickpipe::internal
