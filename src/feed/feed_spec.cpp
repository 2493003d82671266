#include "feed/feed_spec.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>

#include "core/error.h"
#include "core/safe_text.h"
#include "feed/setting_values.h"

namespace tickpipe::internal {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr double kMaxRate = 2'000'000;
constexpr double kMinRate = 0.001;
constexpr double kMinSpeed = 0.000'001;
constexpr double kMaxSpeed = 1'000'000'000;
constexpr std::size_t kLongestPathShown = 256;
constexpr std::string_view kKnownFeeds = "sim, sim:EURUSD,BTCUSD, replay:FILE, none";

template <typename Options>
struct KnownKey {
  std::string_view key;
  void (*read)(const Setting& setting, Options& out);
};

using SimKey = KnownKey<SimOptions>;
constexpr std::array kSimKeys = {
    SimKey{"symbols", [](const Setting& s, SimOptions& out) { out.symbols = s.symbols(); }},
    SimKey{"rate",
           [](const Setting& s, SimOptions& out) {
             out.rate = s.number(0, kMaxRate);
             if (out.rate > 0 && out.rate < kMinRate) s.fail("0 (none) or from 0.001 to 2000000");
           }},
    SimKey{"seed", [](const Setting& s, SimOptions& out) { out.seed = s.integer(); }},
    SimKey{"lp", [](const Setting& s, SimOptions& out) { out.lp = s.lp(); }},
    SimKey{"drop", [](const Setting& s, SimOptions& out) { out.drop_share = s.share(); }},
    SimKey{"duplicate", [](const Setting& s, SimOptions& out) { out.duplicate_share = s.share(); }},
    SimKey{"garble", [](const Setting& s, SimOptions& out) { out.garble_share = s.share(); }},
    SimKey{"delay_share", [](const Setting& s, SimOptions& out) { out.delay_share = s.share(); }},
    SimKey{"delay",
           [](const Setting& s, SimOptions& out) {
             out.delay = s.duration(milliseconds{1}, hours{1}, R"(a duration from "1ms" to "1h")");
           }},
    SimKey{"mute_share", [](const Setting& s, SimOptions& out) { out.mute_share = s.share(); }},
    SimKey{"mute",
           [](const Setting& s, SimOptions& out) {
             out.mute = s.duration(milliseconds{1}, hours{1}, R"(a duration from "1ms" to "1h")");
           }},
    SimKey{"clock_skew",
           [](const Setting& s, SimOptions& out) {
             out.clock_skew = s.duration(-seconds{2}, seconds{2}, R"(a duration from "-2s" to "2s")");
           }},
    SimKey{"sessions", [](const Setting& s, SimOptions& out) { out.sessions = s.boolean(); }},
    SimKey{"fill",
           [](const Setting& s, SimOptions& out) {
             out.fill = s.duration(nanoseconds{0}, hours{1}, R"(a duration from "0s" to "1h")");
           }},
};

using ReplayKey = KnownKey<ReplayOptions>;
constexpr std::array kReplayKeys = {
    ReplayKey{"file", [](const Setting& s, ReplayOptions& out) { out.file = s.value; }},
    ReplayKey{"lp", [](const Setting& s, ReplayOptions& out) { out.lp = s.lp(); }},
    ReplayKey{"speed",
              [](const Setting& s, ReplayOptions& out) {
                if (s.value == "max") {
                  out.speed = 0;
                } else if (s.value != "recorded") {
                  out.speed =
                      s.number(kMinSpeed, kMaxSpeed, R"("recorded", "max" or a factor from 0.000001 to 1000000000)");
                }
              }},
    ReplayKey{"loop", [](const Setting& s, ReplayOptions& out) { out.loop = s.boolean(); }},
    ReplayKey{"restamp", [](const Setting& s, ReplayOptions& out) { out.restamp = s.boolean(); }},
    ReplayKey{"symbols", [](const Setting& s, ReplayOptions& out) { out.symbols = s.symbols(); }},
    ReplayKey{"format",
              [](const Setting& s, ReplayOptions& out) {
                if (s.value == "auto") {
                  out.format = ReplayFormat::kAuto;
                } else if (s.value == "csv") {
                  out.format = ReplayFormat::kCsv;
                } else if (s.value == "jsonl") {
                  out.format = ReplayFormat::kJsonLines;
                } else {
                  s.fail("auto, csv or jsonl");
                }
              }},
};

template <typename Options>
Options read_settings(std::string_view feed, const FeedSettings& settings, std::span<const KnownKey<Options>> keys) {
  Options out;
  for (auto each = settings.begin(); each != settings.end(); ++each) {
    const std::string_view name = each->first;
    const auto known = std::find_if(keys.begin(), keys.end(), [&](const auto& key) { return key.key == name; });
    if (known == keys.end()) {
      std::string text = "feed " + std::string(feed) + ": unknown key \"" + safe_text(name) + "\"; known are";
      for (const auto& key : keys) text.append(" ").append(key.key);
      throw ConfigError(text);
    }
    if (std::any_of(settings.begin(), each, [&](const auto& earlier) { return earlier.first == name; })) {
      throw ConfigError("feed " + std::string(feed) + ": " + std::string(name) + " is given twice");
    }
    known->read({feed, name, each->second}, out);
  }
  return out;
}

FeedSpec sim_spec(SimOptions options) {
  std::string name = "sim";
  for (const Name& symbol : options.symbols) name.append(name == "sim" ? ":" : ",").append(symbol.view());
  return {std::move(name), std::move(options)};
}

FeedSpec replay_spec(ReplayOptions options) {
  if (options.file.empty()) throw ConfigError("feed replay: which file? As in replay:quotes.csv");
  if (options.file == "-") throw ConfigError("feed replay: it reads files, not standard input; use backfill -");
  if (options.loop && !options.restamp) {
    throw ConfigError("feed replay: loop needs restamp, as the same quotes with the same times are duplicates");
  }
  std::string name = "replay:" + safe_text(options.file, kLongestPathShown);
  return {std::move(name), std::move(options)};
}

[[noreturn]] void refuse_kind(std::string_view kind, std::string_view whole) {
  if (kind == "binance") throw ConfigError("feed binance is not in this build; there are " + std::string(kKnownFeeds));
  throw ConfigError("unknown feed \"" + safe_text(whole) + "\"; there are " + std::string(kKnownFeeds));
}

}  // namespace

FeedSpec parse_feed_spec(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const bool has_rest = colon != std::string_view::npos;
  const std::string_view rest = has_rest ? text.substr(colon + 1) : std::string_view();
  if (text == "none") return {"none", NoFeed{}};
  if (kind == "sim") {
    SimOptions options;
    if (has_rest) options.symbols = Setting{kind, "symbols", rest}.symbols();
    return sim_spec(std::move(options));
  }
  if (kind == "replay") {
    ReplayOptions options;
    options.file = rest;
    return replay_spec(std::move(options));
  }
  refuse_kind(kind, text);
}

FeedSpec make_feed_spec(std::string_view kind, const FeedSettings& settings) {
  if (kind == "sim") return sim_spec(read_settings<SimOptions>(kind, settings, kSimKeys));
  if (kind == "replay") return replay_spec(read_settings<ReplayOptions>(kind, settings, kReplayKeys));
  refuse_kind(kind, kind);
}

}  // namespace tickpipe::internal
