#include "load/report.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "load/hostile_crowd.h"

namespace tickpipe::internal::load {

namespace {

using Json = nlohmann::ordered_json;

double rounded(double value) { return std::round(value * 1000) / 1000; }

std::uint64_t per_second(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<std::uint64_t>(std::llround(static_cast<double>(count) / seconds)) : 0;
}

Json latencies(const Latencies& from) {
  if (from.count() == 0) return nullptr;
  return {{"count", from.count()},         {"p50_us", from.quantile(0.5)},    {"p90_us", from.quantile(0.9)},
          {"p99_us", from.quantile(0.99)}, {"p999_us", from.quantile(0.999)}, {"max_us", from.max()}};
}

Json usage(const std::optional<ProcessUsage>& from) {
  if (!from) return nullptr;
  Json threads = Json::object();
  for (const auto& [name, share] : from->threads) {
    if (share >= 0.005) threads[name] = rounded(share);
  }
  return {{"cpu_cores", rounded(from->cores)},
          {"rss_mb", rounded(static_cast<double>(from->rss_bytes) / 1e6)},
          {"peak_rss_mb", rounded(static_cast<double>(from->peak_rss_bytes) / 1e6)},
          {"busiest_thread", from->busiest},
          {"busiest_thread_share", rounded(from->busiest_share)},
          {"threads", threads}};
}

Json interval_report(const Options& options, const RunResult& result, std::size_t index, const Arrivals& arrivals) {
  const Measurement& measurement = result.measurements[index];
  const std::uint64_t pairs = std::uint64_t{options.clients} * options.symbols.size();
  const std::uint64_t expected = pairs * measurement.expected_values;
  if (expected == 0) return nullptr;
  const double intervals = static_cast<double>(pairs) * measurement.seconds * 1000 / options.interval_ms;
  Json json{{"messages_per_interval", rounded(static_cast<double>(arrivals.messages) / intervals)}};
  if (result.findings) {
    const Findings::Regularity& regularity = result.findings->regularity[index];
    json["expected_values"] = expected;
    json["delivered_values"] = regularity.delivered;
    json["delivered_fraction"] = static_cast<double>(regularity.delivered) / static_cast<double>(expected);
    json["gaps_beyond_one_and_a_half"] = regularity.late_gaps;
    json["gap"] = latencies(regularity.gaps);
  }
  if (arrivals.since_send.count() > 0) {
    json["younger_than_interval_fraction"] =
        1 - static_cast<double>(arrivals.stale) / static_cast<double>(arrivals.since_send.count());
  }
  return json;
}

Json measurement_report(const Options& options, const RunResult& result, std::size_t index) {
  const Measurement& measurement = result.measurements[index];
  const Arrivals& arrivals = result.clients.arrivals[index];
  Json json{{"hostile_peers", index == 0 ? 0 : options.hostile.total()},
            {"seconds", rounded(measurement.seconds)},
            {"messages", arrivals.messages},
            {"messages_per_second", per_second(arrivals.messages, measurement.seconds)},
            {"bytes_per_second", per_second(arrivals.bytes, measurement.seconds)},
            {"examined", arrivals.examined},
            {"without_send_time", arrivals.unstamped},
            {"latency_since_send", latencies(arrivals.since_send)}};
  if (options.protocol == Protocol::kTickpipe) {
    json["latency_since_schedule"] = latencies(arrivals.since_schedule);
    if (options.mode == "conflate" && options.interval_ms > 0) {
      json["interval"] = interval_report(options, result, index, arrivals);
    }
  }
  if (result.feed) {
    const FeedTally::Measured& fed = result.feed->measured[index];
    json["feed"] = Json{{"ticks_per_second", per_second(fed.ticks, measurement.seconds)},
                        {"post_round_trip", latencies(fed.round_trip)},
                        {"behind_schedule", latencies(fed.lag)}};
  }
  json["server"] = usage(measurement.server);
  json["load_generator"] = usage(measurement.own);
  json["machine_busy"] = rounded(measurement.machine_busy);
  json["saturated"] = saturated_side(measurement);
  return json;
}

Json connection_report(const Options& options, const RunResult& result) {
  Json closed = Json::object();
  for (const auto& [code, count] : result.clients.closed) closed[std::to_string(code)] = count;
  Json json{{"clients", options.clients},
            {"connected", result.clients.connected},
            {"not_ready", result.not_ready},
            {"seconds", rounded(result.connect_seconds)},
            {"failures", result.clients.failures},
            {"closed_by_server", closed},
            {"server_errors", result.clients.server_errors},
            {"pings_answered", result.clients.pings},
            {"descriptor_limit", result.descriptor_limit}};
  if (!result.clients.first_server_error.empty()) json["first_server_error"] = result.clients.first_server_error;
  if (result.rss_before > 0) {
    const double grown = static_cast<double>(result.rss_connected) - static_cast<double>(result.rss_before);
    json["server_rss_before_mb"] = rounded(static_cast<double>(result.rss_before) / 1e6);
    json["server_rss_connected_mb"] = rounded(static_cast<double>(result.rss_connected) / 1e6);
    json["server_rss_per_connection_bytes"] = std::llround(grown / options.clients);
  }
  return json;
}

Json feed_report(const FeedTally& feed) {
  return {{"posted", feed.posted},     {"accepted", feed.accepted},     {"rejected", feed.rejected},
          {"repeated", feed.repeated}, {"rejections", feed.rejections}, {"failures", feed.failures}};
}

Json verification_report(const RunResult& result) {
  const Findings& findings = *result.findings;
  return {{"checked", findings.checked},
          {"skipped", findings.skipped},
          {"faults", findings.faults()},
          {"seq_holes", findings.seq_holes},
          {"seq_not_rising", findings.seq_not_rising},
          {"no_snapshot_first", findings.no_snapshot_first},
          {"foreign_symbol", findings.foreign_symbol},
          {"unreadable", findings.unreadable},
          {"pairs", result.pairs},
          {"final_values_checked", result.is_final_checked},
          {"wrong_final", findings.wrong_final},
          {"examples", findings.examples}};
}

Json hostile_report(const Options& options, const RunResult& result) {
  Json json = Json::object();
  for (std::size_t i = 0; i < kHostileKinds; ++i) {
    const auto kind = static_cast<HostileKind>(i);
    const HostileTally& tally = result.hostile[i];
    if (HostileCrowd::count(options.hostile, kind) == 0) continue;
    json[HostileCrowd::name(kind)] = Json{{"peers", HostileCrowd::count(options.hostile, kind)},
                                          {"opened", tally.opened},
                                          {"not_connected", tally.not_connected},
                                          {"closed_by_server", tally.closed_by_server},
                                          {"bytes_sent", tally.bytes_sent},
                                          {"bytes_read", tally.bytes_read}};
  }
  const Latencies& without = result.clients.arrivals[0].since_send;
  const Latencies& beside = result.clients.arrivals[1].since_send;
  if (without.count() > 0 && beside.count() > 0) {
    json["good_p99_us_without"] = without.quantile(0.99);
    json["good_p99_us_beside"] = beside.quantile(0.99);
  }
  return json;
}

}  // namespace

std::string saturated_side(const Measurement& measurement) {
  constexpr double kThreadFull = 0.9;
  constexpr double kMachineFull = 0.95;
  const double server = measurement.server ? measurement.server->busiest_share : 0;
  const double own = measurement.own ? measurement.own->busiest_share : 0;
  if (server >= kThreadFull && server >= own) return "server";
  if (own >= kThreadFull) return "load generator";
  return measurement.machine_busy >= kMachineFull ? "machine" : "none";
}

Json make_report(const Options& options, const RunResult& result) {
  Json json;
  json["command_line"] = options.command_line;
  json["target"] = options.target.scheme + "://" + options.target.authority() + options.target.path;
  json["protocol"] = options.protocol == Protocol::kPlain ? "plain" : options.subprotocol;
  json["server_pid"] = result.server_pid;
  json["connections"] = connection_report(options, result);
  json["measurements"] = Json::array();
  for (std::size_t i = 0; i < result.measurements.size(); ++i) {
    json["measurements"].push_back(measurement_report(options, result, i));
  }
  if (result.feed) json["feed"] = feed_report(*result.feed);
  if (result.findings) json["verification"] = verification_report(result);
  if (options.hostile.total() > 0) json["hostile"] = hostile_report(options, result);
  json["server_counters"] = result.server_counters;
  json["problems"] = result.problems;
  return json;
}

}  // namespace tickpipe::internal::load
