#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "load/target.h"

namespace tickpipe::internal::load {

enum class Protocol { kTickpipe, kPlain };

/// A number in a text message that says when its sender sent it, by the wall clock.
struct LatencyField {
  std::string quoted_name;  // "NAME": as it is on the wire
  double per_microsecond = 1e-3;
};

/// How many peers of each unfriendly kind there are.
struct HostileCounts {
  std::uint32_t never_read = 0;
  std::uint32_t trickle = 0;
  std::uint32_t garbage = 0;
  std::uint32_t flood = 0;
  std::uint32_t churn = 0;

  [[nodiscard]] std::uint32_t total() const noexcept { return never_read + trickle + garbage + flood + churn; }
};

struct FeedOptions {
  double rate = 0;  // ticks/s; 0 = only listen
  std::uint32_t symbols = 0;
  std::uint32_t batch = 0;
  std::uint32_t connections = 4;
  Target target;
  std::string line;  // of another server: one line with its placeholders filled in, in place of a quote
  std::string content_type = "application/x-ndjson";
  std::vector<std::string> headers;
};

/// The command line, checked.
struct Options {
  Target target;
  Protocol protocol = Protocol::kTickpipe;
  std::string subprotocol;

  std::uint32_t clients = 100;
  std::uint32_t threads = 1;
  std::uint32_t parallel = 64;
  std::uint32_t connect_timeout_s = 60;

  std::vector<std::string> symbols;
  std::string channel = "quotes";
  std::string mode = "conflate";
  std::uint32_t interval_ms = 0;
  bool is_msgpack = false;
  bool has_deflate = false;

  std::vector<std::string> sends;
  std::optional<LatencyField> latency_field;
  std::string answer_in;
  std::string answer_out;
  bool counts_lines = false;

  FeedOptions feed;
  double duration_s = 10;
  double warmup_s = 2;
  std::uint32_t sample = 17;
  bool verifies = false;
  HostileCounts hostile;
  std::uint32_t flood_rate = 5000;
  int server_pid = 0;

  std::vector<std::string> command_line;

  [[nodiscard]] bool expects_ticks() const {
    return protocol == Protocol::kTickpipe && channel == "quotes" && !symbols.empty();
  }
};

/// Prints help and ends the process with CLI11's status for --help; throws ConfigError for what cannot be used.
Options read_options(int argc, char** argv);

/// LOAD0000, LOAD0001, ...: the names the feeder writes and clients ask for.
std::string load_symbol(std::uint32_t number);

}  // namespace tickpipe::internal::load
