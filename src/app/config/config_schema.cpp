#include "app/config/config_schema.h"

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <map>
#include <utility>

#include "app/config/auth_value.h"
#include "app/config/feeds_value.h"
#include "app/config/schema_entries.h"
#include "app/config/structured_values.h"

namespace tickpipe::internal {
namespace {

using namespace std::chrono_literals;
using schema::choice;
using schema::custom;
using schema::decimal;
using schema::duration;
using schema::flag;
using schema::integer;
using schema::strings;
using schema::text;
using Words = schema::Choices<std::string_view>;

// Path and field in one word, so that they cannot be mixed up.
#define TICKPIPE_FIELD(name) #name, [](auto& config) -> auto& { return config.name; }
// The same for a field whose name ends in `_units`.
#define TICKPIPE_UNITS_FIELD(name) #name, [](auto& config) -> auto& { return config.name##_units; }

constexpr auto kYear = 365 * 24h;
constexpr std::int64_t kYearSeconds = std::int64_t{365} * 86400;
constexpr std::int64_t kMaxRetentionDays = 36500;
/// A few hundred MB of slots a shard; more is a typing error, not a buffer.
constexpr std::int64_t kMaxSlots = std::int64_t{1} << 22;
constexpr std::int64_t kMinSlots = 16;

std::string render_day_close(const PipelineConfig& config) {
  if (config.day_close_rules.empty()) return json_quote(config.day_close);
  std::string out = R"({"default": )" + json_quote(config.day_close) + R"(, "rules": [)";
  for (const CalendarRules::Rule& rule : config.day_close_rules) {
    if (&rule != &config.day_close_rules.front()) out += ", ";
    out += R"({"match": )" + json_quote(rule.match) + R"(, "day_close": )" + json_quote(rule.day_close) + "}";
  }
  return out + "]}";
}

/// Not one field, but two.
ConfigEntry day_close_entry(std::string_view comment) {
  ConfigEntry entry;
  entry.path = "day_close";
  entry.type = ConfigType::kDayClose;
  entry.comment = comment;
  entry.set = [](const ConfigNode& node, const ConfigSite& site, PipelineConfig& config) {
    std::optional<DayClose> day_close = read_day_close(node, site, PipelineConfig{}.day_close);
    if (!day_close) return;
    config.day_close = std::move(day_close->default_close);
    config.day_close_rules = std::move(day_close->rules);
  };
  entry.render = render_day_close;
  return entry;
}

std::string render_quote_source(const std::vector<std::string>& lps) {
  if (lps.empty()) return R"("last")";
  return lps.size() == 1 ? json_quote(lps.front()) : schema::render_strings(lps);
}

std::string render_timeframes(const std::vector<Timeframe>& timeframes) {
  std::vector<std::string> names;
  names.reserve(timeframes.size());
  for (const Timeframe timeframe : timeframes) names.push_back(timeframe.name());
  return schema::render_strings(names);
}

class Table {
 public:
  /// `not_built` names the part that is missing in this build, for keys that do nothing without it.
  void add(std::string_view section, std::string_view not_built, std::initializer_list<ConfigEntry> entries) {
    for (const ConfigEntry& entry : entries) {
      entries_.push_back(entry);
      entries_.back().section = section;
      entries_.back().not_built = not_built;
    }
  }
  std::vector<ConfigEntry> take() { return std::move(entries_); }

 private:
  std::vector<ConfigEntry> entries_;
};

std::vector<ConfigEntry> make_schema() {
  Table table;
  table.add("Role", "",
            {choice(TICKPIPE_FIELD(role), schema::Choices<Role>{{"node", Role::kNode}, {"edge", Role::kEdge}},
                    "edge takes no quotes in and stores nothing: it serves what a node writes to Redis.")});
  table.add(
      "Redis", "",
      {custom(TICKPIPE_FIELD(redis_addr), ConfigType::kString,
              "host:port of the Redis that gets a copy; empty = none. If it cannot be reached, health is "
              "degraded and nothing else suffers.",
              read_host_and_port, json_quote),
       text(TICKPIPE_FIELD(redis_username), "Empty = the default user."),
       text(TICKPIPE_FIELD(redis_password), "Empty = no AUTH. Better in the environment: TICKPIPE_REDIS_PASSWORD."),
       integer(TICKPIPE_FIELD(redis_db), {0, 65535}, "Number of the Redis database."),
       flag(TICKPIPE_FIELD(redis_tls), "Whether the connection is encrypted, and the server's certificate checked."),
       text(TICKPIPE_FIELD(redis_tls_ca), "File of the certificates to trust; empty = those of the system."),
       strings(TICKPIPE_FIELD(redis_sentinels), read_hosts_and_ports,
               "Sentinels to ask for the server, in place of redis_addr."),
       text(TICKPIPE_FIELD(redis_master), "What the sentinels call the server; needed with redis_sentinels."),
       strings(TICKPIPE_FIELD(redis_symbols), read_symbols, "Symbols that go to Redis; empty = all.")});

  table.add("Shards and queues", "",
            {integer(TICKPIPE_FIELD(worker_count), {1, 256},
                     "Shards, one thread each; a symbol belongs to one of them. More than the cores of the machine "
                     "makes it slower."),
             integer(TICKPIPE_FIELD(tick_buffer_size), {kMinSlots, kMaxSlots},
                     "Slots of each shard's inbox. Too few: sources wait or drop ticks in bursts.")});
  table.add("Shards and queues", "the bar queue",
            {integer(TICKPIPE_FIELD(ohlc_buffer_size), {kMinSlots, kMaxSlots}, "Slots of the bar queue.")});
  table.add(
      "Shards and queues", "",
      {integer(TICKPIPE_FIELD(distribution_buffer_size), {kMinSlots, kMaxSlots},
               "Quotes that may wait for the threads that serve streams. Too few: in a burst they read the newest "
               "ones from memory instead, and clients that want all are slower.")});

  table.add("Which ticks are accepted", "",
            {flag(TICKPIPE_FIELD(enable_deduplication), "Whether a tick that was accepted before is refused."),
             duration(TICKPIPE_FIELD(dedup_window), {0ns, 24h},
                      "Event time of each LP and symbol whose ticks are compared in memory; older ones are looked up "
                      "in the store, which is slower. 0ms = always looked up."),
             flag(TICKPIPE_FIELD(enable_out_of_order_check), "Whether ticks behind their LP's newest are flagged.")});
  table.add("Which ticks are accepted", "",
            {integer(TICKPIPE_FIELD(max_tick_age_seconds), {0, kYearSeconds},
                     "Seconds; an older live tick is refused as too_old. 0 = no limit.")});
  table.add("Which ticks are accepted", "",
            {integer(TICKPIPE_FIELD(max_future_seconds), {0, kYearSeconds},
                     "Seconds; a tick further ahead of the clock is refused as in_future. 0 = no limit, and then one "
                     "wrong date makes a bar in the far future.")});
  table.add("Which ticks are accepted", "",
            {duration(TICKPIPE_FIELD(live_tick_age), {1ms, kYear},
                      "An older live tick is stored, but is not shown as the latest quote.")});
  table.add("Which ticks are accepted", "",
            {decimal(TICKPIPE_UNITS_FIELD(price_sanity_threshold), {1, 1'000'000 * kUnitsPerOne},
                     "Relative move of the mid that is a spike; 0.10 = 10 %. Too low flags ordinary ticks."),
             choice(TICKPIPE_FIELD(price_sanity_action),
                    schema::Choices<PriceSanityAction>{{"flag", PriceSanityAction::kFlag},
                                                       {"reject", PriceSanityAction::kReject}},
                    "What happens to a spike."),
             decimal(TICKPIPE_UNITS_FIELD(price_reject_ratio), {kUnitsPerOne + 1, 1'000'000 * kUnitsPerOne},
                     "A price this many times the last one, or one such part of it, is refused as "
                     "implausible_price."),
             strings(TICKPIPE_FIELD(symbols), read_symbols, "Allow-list; empty = any symbol."),
             integer(TICKPIPE_FIELD(max_symbols), {1, 1'000'000},
                     "Further symbols are refused as too_many_symbols; bounds the memory."),
             integer(TICKPIPE_FIELD(max_lps), {1, 65535}, "Further LPs are refused as too_many_lps.")});

  table.add(
      "Bars", "",
      {custom(TICKPIPE_FIELD(timeframes), ConfigType::kList,
              "Ns, Nm, Nh, 1d or 1w; each divides 24 h and is a multiple of the smallest (1w is exempt). "
              "Another smallest one means that stored bars are rebuilt.",
              read_timeframes, render_timeframes),
       choice(TICKPIPE_FIELD(bar_price),
              schema::Choices<BarPrice>{{"mid", BarPrice::kMid}, {"bid", BarPrice::kBid}, {"ask", BarPrice::kAsk}},
              "The price that bars are made of. A change means that stored bars are rebuilt."),
       day_close_entry(R"(HH:MM and an IANA zone, e.g. "17:00 America/New_York"; other closes for some symbols: )"
                       R"({"default": "17:00 America/New_York", "rules": [{"match": "BTC*", "day_close": )"
                       R"("00:00 UTC"}]}. Falls on a boundary of the smallest timeframe. A change means that )"
                       "stored bars are rebuilt."),
       custom(TICKPIPE_FIELD(quote_source), ConfigType::kQuoteSource,
              R"(LPs whose quotes make up bars and the latest quote: "last" = all, an LP name or a list of )"
              "them. Ticks of others are stored, marked.",
              read_quote_source, render_quote_source)});
  table.add("Bars", "",
            {duration(TICKPIPE_FIELD(bar_close_grace), {0ns, 1h},
                      "Wait after the end of a bar, by the clock, until it closes without a newer tick. 0ms = none."),
             duration(TICKPIPE_FIELD(bar_revision_window), {0ns, kYear},
                      "How late a live tick may still correct a closed bar. 0ms = a closed bar stays as it is.")});

  table.add("Store", "",
            {choice(TICKPIPE_FIELD(store.type),
                    schema::Choices<StoreType>{{"embedded", StoreType::kEmbedded}, {"none", StoreType::kNone}},
                    "none keeps nothing: all is lost at the end, and older duplicates are not found."),
             duration(TICKPIPE_FIELD(store.flush_interval), {0ns, 1min},
                      "Longest wait before a group of ticks is committed. 0ms = as soon as the previous one is "
                      "written."),
             duration(TICKPIPE_FIELD(store.fsync_interval), {0ns, 1h},
                      "Time between fsyncs: what a power failure can cost. 0ms = every commit, slow.")});
  table.add("Reading input", "",
            {integer(TICKPIPE_FIELD(ingest.max_line_bytes), {256, 16 << 20},
                     "Bytes; a longer line of input is refused as line_too_long.")});

  table.add("Retention", "",
            {integer(TICKPIPE_FIELD(hot_data_retention), {1, 1'000'000}, "Ticks of each symbol kept in memory."),
             integer(TICKPIPE_FIELD(warm_data_retention_days), {0, kMaxRetentionDays},
                     "Days that ticks are stored. 0 = for ever."),
             integer(TICKPIPE_FIELD(bar_retention_days), {0, kMaxRetentionDays},
                     "Days that bars are stored. 0 = for ever.")});

  table.add("Health checks", "",
            {flag(TICKPIPE_FIELD(enable_health_checks), "Whether feeds are watched."),
             duration(TICKPIPE_FIELD(health_check_interval), {100ms, 24h}, "Time between two checks."),
             duration(TICKPIPE_FIELD(stale_quote_threshold), {1ms, kYear}, "A quote older than this is stale.")});

  table.add("HTTP and WebSocket server", "",
            {custom(TICKPIPE_FIELD(http.address), ConfigType::kString,
                    "Address to listen on. Without auth only loopback addresses are taken, unless allow_insecure.",
                    read_address, json_quote),
             integer(TICKPIPE_FIELD(http.port), {0, 65535}, "0 = any free port."),
             flag(TICKPIPE_FIELD(http.allow_insecure), "Lets anyone who reaches the address read, write and clean up."),
             integer(TICKPIPE_FIELD(http.max_connections), {1, 1'000'000}, "Further ones are turned away."),
             integer(TICKPIPE_FIELD(http.max_body_bytes), {1024, 1 << 30}, "Bytes; a larger body gets 413."),
             duration(TICKPIPE_FIELD(http.ingest_wait), {0ns, 5min},
                      "How long a POST waits for room before it gets 429. 0ms = not at all.")});
  table.add("HTTP and WebSocket server", "auth",
            {strings(TICKPIPE_FIELD(http.cors_origins), read_origins,
                     "Web origins that may read with auth on, such as https://charts.example.com.")});
  table.add("HTTP and WebSocket server", "",
            {flag(TICKPIPE_FIELD(ws.compression),
                  "Whether messages of 1 KiB and more are compressed for clients that offer permessage-deflate."),
             integer(TICKPIPE_FIELD(ws.client_buffer_bytes), {65536, 1 << 30},
                     "Bytes of closed bars that a WebSocket client may have unsent; beyond it is closed with 4008.")});
  table.add("Feeds", "",
            {custom(TICKPIPE_FIELD(feeds_json), ConfigType::kFeeds,
                    R"(LP connections: texts such as "sim", "sim:EURUSD", "replay:quotes.csv", or objects with )"
                    R"("type" and settings: {"type": "sim", "rate": 1000}.)",
                    read_feeds, [](const std::string& json) { return json; })});
  table.add("Access", "auth",
            {custom(TICKPIPE_FIELD(auth_json), ConfigType::kAuth,
                    R"({"mode": "none"}; {"mode": "api_key", "keys": [{"id", "sha256", "roles"}]}; or {"mode": "jwt", )"
                    R"("jwt": {"alg", "secret_file" or "public_key_file", "issuer", "audience", "roles_claim"}}. )"
                    "Roles: read, ingest, admin.",
                    read_auth, [](const std::string& json) { return json; })});

  table.add("Log", "",
            {choice(TICKPIPE_FIELD(log.level),
                    Words{{"trace", "trace"},
                          {"debug", "debug"},
                          {"info", "info"},
                          {"warn", "warn"},
                          {"error", "error"},
                          {"off", "off"}},
                    "Lines below this level are not written."),
             choice(TICKPIPE_FIELD(log.format), Words{{"text", "text"}, {"json", "json"}}, "One line each either way."),
             text(TICKPIPE_FIELD(log.file), "File that lines are added to; empty = standard error.")});

  std::vector<ConfigEntry> entries = table.take();
  // Kept as JSON text in the configuration, which the names of the fields tell.
  for (ConfigEntry& entry : entries) {
    if (entry.path.ends_with("_json")) entry.path.remove_suffix(std::string_view("_json").size());
  }
  return entries;
}

#undef TICKPIPE_FIELD
#undef TICKPIPE_UNITS_FIELD

}  // namespace

const std::vector<ConfigEntry>& config_schema() {
  static const std::vector<ConfigEntry> kSchema = make_schema();
  return kSchema;
}

const ConfigEntry* find_config_entry(std::string_view path) {
  static const std::map<std::string_view, const ConfigEntry*> kByPath = [] {
    std::map<std::string_view, const ConfigEntry*> map;
    for (const ConfigEntry& entry : config_schema()) map.emplace(entry.path, &entry);
    return map;
  }();
  const auto it = kByPath.find(path);
  return it == kByPath.end() ? nullptr : it->second;
}

bool is_config_group(std::string_view path) {
  const auto& schema = config_schema();
  return std::any_of(schema.begin(), schema.end(), [path](const ConfigEntry& entry) {
    return entry.path.size() > path.size() && entry.path.starts_with(path) && entry.path[path.size()] == '.';
  });
}

std::vector<std::string_view> config_paths() {
  std::vector<std::string_view> paths;
  for (const ConfigEntry& entry : config_schema()) paths.push_back(entry.path);
  return paths;
}

std::string environment_name(std::string_view path) {
  std::string name = "TICKPIPE_";
  for (const char c : path) {
    if (c == '.') {
      name += "__";
    } else {
      name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return name;
}

}  // namespace tickpipe::internal
