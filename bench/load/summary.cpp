#include "load/summary.h"

#include <iomanip>

#include "load/report.h"

namespace tickpipe::internal::load {

namespace {

void write_latency(std::ostream& out, const char* name, const Latencies& latencies) {
  if (latencies.count() == 0) return;
  const auto ms = [](std::uint64_t us) { return static_cast<double>(us) / 1000; };
  out << "  " << name << ": p50 " << ms(latencies.quantile(0.5)) << " ms, p99 " << ms(latencies.quantile(0.99))
      << " ms, p99.9 " << ms(latencies.quantile(0.999)) << " ms, max " << ms(latencies.max()) << " ms ("
      << latencies.count() << " messages)\n";
}

void write_usage(std::ostream& out, const char* name, const std::optional<ProcessUsage>& usage) {
  if (!usage) return;
  out << "  " << name << ": " << usage->cores << " cores, " << static_cast<double>(usage->rss_bytes) / 1e6 << " MB";
  if (!usage->busiest.empty())
    out << ", busiest thread " << usage->busiest << " " << usage->busiest_share * 100 << " %";
  out << "\n";
}

}  // namespace

void write_summary(std::ostream& out, const Options& options, const RunResult& result) {
  out << std::fixed << std::setprecision(2);
  for (std::size_t i = 0; i < result.measurements.size(); ++i) {
    const Measurement& measurement = result.measurements[i];
    const Arrivals& arrivals = result.clients.arrivals[i];
    out << (i == 0 ? "measured " : "beside hostile peers, ") << measurement.seconds
        << " s: " << static_cast<double>(arrivals.messages) / measurement.seconds / 1e3 << " k messages/s, "
        << static_cast<double>(arrivals.bytes) / measurement.seconds / 1e6 << " MB/s\n";
    write_latency(out, "latency since send", arrivals.since_send);
    write_latency(out, "latency since schedule", arrivals.since_schedule);
    if (result.feed) {
      out << "  fed: " << static_cast<double>(result.feed->measured[i].ticks) / measurement.seconds << " ticks/s\n";
    }
    write_usage(out, "server", measurement.server);
    write_usage(out, "load generator", measurement.own);
    out << "  machine busy " << measurement.machine_busy * 100 << " %, saturated: " << saturated_side(measurement)
        << "\n";
  }
  if (result.rss_before > 0) {
    out << "server memory: " << static_cast<double>(result.rss_before) / 1e6 << " MB before, "
        << static_cast<double>(result.rss_connected) / 1e6 << " MB with " << options.clients << " clients\n";
  }
  if (result.findings) {
    out << "verified " << result.findings->checked << " messages: " << result.findings->faults()
        << " faults; final values " << (result.is_final_checked ? "checked" : "not checked") << "\n";
    for (const std::string& example : result.findings->examples) out << "  " << example << "\n";
  }
  for (const std::string& problem : result.problems) out << "FAILED: " << problem << "\n";
}

}  // namespace tickpipe::internal::load
