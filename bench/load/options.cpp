#include "load/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "core/error.h"

namespace tickpipe::internal::load {

namespace {

/// What is checked after CLI11 has read it.
struct RawOptions {
  std::string url = "ws://127.0.0.1:7999/ws";
  std::string protocol = "tickpipe";
  std::uint32_t symbol_count = 50;
  std::string latency_field;
  std::string answer;
  std::string hostile;
  std::string feed;
  std::string feed_url;
};

LatencyField parse_latency_field(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const std::string unit = colon == std::string::npos ? "ms" : text.substr(colon + 1);
  static const std::map<std::string, double> kUnits{{"s", 1e-6}, {"ms", 1e-3}, {"us", 1}, {"ns", 1e3}};
  const auto found = kUnits.find(unit);
  if (found == kUnits.end()) throw ConfigError("--latency-field " + text + ": the unit is none of s, ms, us, ns");
  return {'"' + text.substr(0, colon) + "\":", found->second};
}

HostileCounts parse_hostile(const std::string& text) {
  HostileCounts counts;
  const std::map<std::string, std::uint32_t*> kinds{{"never-read", &counts.never_read},
                                                    {"trickle", &counts.trickle},
                                                    {"garbage", &counts.garbage},
                                                    {"flood", &counts.flood},
                                                    {"churn", &counts.churn}};
  if (text.empty()) return counts;
  for (const std::string& item : CLI::detail::split(text, ',')) {
    const std::size_t colon = item.find(':');
    const auto kind = kinds.find(item.substr(0, colon));
    std::uint32_t count = 0;
    if (kind == kinds.end() || colon == std::string::npos ||
        !CLI::detail::lexical_cast(item.substr(colon + 1), count) || count > 2000) {
      throw ConfigError("--hostile " + item + ": wanted is KIND:N, KIND one of never-read, trickle, garbage, flood, " +
                        "churn and N at most 2000");
    }
    *kind->second = count;
  }
  return counts;
}

std::string http_root(const Target& target) { return "http://" + target.authority(); }

void check_feed(Options& options, const RawOptions& raw) {
  FeedOptions& feed = options.feed;
  if (!raw.feed.empty() && raw.feed != "none") throw ConfigError("--feed takes 'none' only; see --feed-rate");
  if (raw.feed == "none") feed.rate = 0;
  feed.target = parse_target(raw.feed_url.empty() ? http_root(options.target) + "/api/ingest" : raw.feed_url);
  if (feed.symbols == 0) feed.symbols = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(options.symbols.size()));
  if (feed.symbols > 10'000) throw ConfigError("--feed-symbols is at most 10000");
  feed.connections = std::clamp<std::uint32_t>(feed.connections, 1, std::min(feed.symbols, 64U));
  // 200 POSTs a second: fine enough for latency, and their cost stays small beside the fan-out's.
  if (feed.batch == 0) feed.batch = static_cast<std::uint32_t>(std::clamp(feed.rate / 200, 1.0, 1000.0));
  if (options.protocol == Protocol::kPlain && feed.rate > 0 && (raw.feed_url.empty() || feed.line.empty())) {
    throw ConfigError("feeding another server takes --feed-url and --feed-line");
  }
}

void check(Options& options, const RawOptions& raw) {
  options.target = parse_target(raw.url);
  if (!raw.latency_field.empty()) options.latency_field = parse_latency_field(raw.latency_field);
  const bool is_plain = raw.protocol == "plain" || !options.sends.empty() || options.latency_field;
  options.protocol = is_plain ? Protocol::kPlain : Protocol::kTickpipe;
  if (is_plain && options.verifies) throw ConfigError("--verify knows tickpipe's protocol only");
  if (is_plain) {
    options.symbols.clear();
  } else if (options.symbols.empty()) {
    for (std::uint32_t i = 0; i < raw.symbol_count; ++i) options.symbols.push_back(load_symbol(i));
  }
  if (options.subprotocol.empty() && !is_plain) {
    options.subprotocol = options.is_msgpack ? "tickpipe.v1.msgpack" : "tickpipe.v1.json";
  }
  if (!raw.answer.empty()) {
    const std::size_t equals = raw.answer.find('=');
    if (equals == std::string::npos) throw ConfigError("--answer takes IN=OUT");
    options.answer_in = raw.answer.substr(0, equals);
    options.answer_out = raw.answer.substr(equals + 1);
  }
  options.hostile = parse_hostile(raw.hostile);
  if (options.clients == 0 || options.clients > 200'000) throw ConfigError("--clients is between 1 and 200000");
  if (options.threads == 0 || options.threads > 64) throw ConfigError("--threads is between 1 and 64");
  if (options.parallel == 0 || options.sample == 0) throw ConfigError("--parallel and --sample are at least 1");
  if (!(options.duration_s > 0 && options.duration_s <= 3600 && options.warmup_s >= 0 && options.warmup_s <= 600)) {
    throw ConfigError("--duration is at most 3600 and --warmup at most 600 seconds");
  }
  check_feed(options, raw);
}

}  // namespace

std::string load_symbol(std::uint32_t number) {
  const std::string digits = std::to_string(number);
  return "LOAD" + std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits;
}

Options read_options(int argc, char** argv) {
  Options options;
  RawOptions raw;
  CLI::App app{"Loads a WebSocket server on this machine with many clients and measures what arrives"};
  app.set_help_flag("--help", "Print this and exit");

  app.add_option("--url", raw.url, "ws://127.0.0.1:PORT/path of the server")->capture_default_str();
  app.add_option("--protocol", raw.protocol, "tickpipe, or plain for any other server; --send implies plain")
      ->check(CLI::IsMember({"tickpipe", "plain"}))
      ->capture_default_str();
  app.add_option("--clients", options.clients, "well-behaved connections")->capture_default_str();
  app.add_option("--threads", options.threads, "epoll threads for them")->capture_default_str();
  app.add_option("--parallel", options.parallel, "connections a thread opens at a time")->capture_default_str();
  app.add_option("--connect-timeout", options.connect_timeout_s, "until all are connected; seconds")
      ->capture_default_str();
  app.add_option("--duration", options.duration_s, "seconds that are measured")->capture_default_str();
  app.add_option("--warmup", options.warmup_s, "seconds before them")->capture_default_str();
  app.add_option("--server-pid", options.server_pid, "process to observe; default: the one that listens at the port");
  app.add_option("--sample", options.sample, "look into every Nth message; prime is best")->capture_default_str();

  auto* tickpipe = app.add_option_group("tickpipe's protocol");
  tickpipe->add_option("--symbols", options.symbols, "what each client subscribes to")->delimiter(',');
  tickpipe->add_option("--symbol-count", raw.symbol_count, "or: so many of the feeder's; 0 = stay idle")
      ->capture_default_str();
  tickpipe->add_option("--channel", options.channel, "quotes or bars")
      ->check(CLI::IsMember({"quotes", "bars"}))
      ->capture_default_str();
  tickpipe->add_option("--mode", options.mode, "conflate or all")
      ->check(CLI::IsMember({"conflate", "all"}))
      ->capture_default_str();
  tickpipe->add_option("--interval-ms", options.interval_ms, "of conflated quotes; 0 = not asked for");
  tickpipe->add_flag("--msgpack", options.is_msgpack, "subprotocol tickpipe.v1.msgpack");
  tickpipe->add_flag("--verify", options.verifies, "read every message and check seq, snapshots and final values");
  app.add_flag("--deflate", options.has_deflate, "offer permessage-deflate");

  auto* plain = app.add_option_group("another server's plain protocol");
  plain->add_option("--send", options.sends, "text sent after the handshake; {i} is the client's number")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  plain->add_option("--subprotocol", options.subprotocol, "asked for in the handshake");
  plain->add_option("--latency-field", raw.latency_field, "NAME[:s|ms|us|ns], a number: wall clock when it was sent");
  plain->add_option("--answer", raw.answer, "IN=OUT: a message that is exactly IN is answered with OUT");
  plain->add_flag("--count-lines", options.counts_lines, "a frame holds several messages, one a line");

  auto* feed = app.add_option_group("feeder");
  feed->add_option("--feed", raw.feed, "none: only listen (the default without --feed-rate)");
  feed->add_option("--feed-rate", options.feed.rate, "ticks/s")->check(CLI::Range(0.0, 1e6));
  feed->add_option("--feed-symbols", options.feed.symbols, "how many; default: as many as are subscribed to");
  feed->add_option("--feed-batch", options.feed.batch, "ticks a POST; default: 200 POSTs a second");
  feed->add_option("--feed-connections", options.feed.connections)->capture_default_str();
  feed->add_option("--feed-url", raw.feed_url, "where to POST; default: /api/ingest of the same server");
  feed->add_option("--feed-line", options.feed.line, "another server's line: {symbol} {bid} {ask} {ms} {us} {ns}");
  feed->add_option("--feed-type", options.feed.content_type, "Content-Type")->capture_default_str();
  feed->add_option("--feed-header", options.feed.headers, "further header, NAME: VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);

  auto* hostile = app.add_option_group("hostile peers");
  hostile->add_option("--hostile", raw.hostile, "never-read:N,trickle:N,garbage:N,flood:N,churn:N");
  hostile->add_option("--flood-rate", options.flood_rate, "messages/s of each flooding one")->capture_default_str();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) std::exit(app.exit(error));
    throw ConfigError(error.what());
  }
  options.command_line.assign(argv + 1, argv + argc);
  check(options, raw);
  return options;
}

}  // namespace tickpipe::internal::load
