// The same ticks by file, replay and HTTP, in one piece or with an end in the middle, leave the same data behind.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/decimal.h"
#include "core/timestamp_text.h"
#include "support/quote_scenario.h"
#include "support/server_fixture.h"

namespace tickpipe::internal::testing {
namespace {

constexpr std::array<const char*, 6> kTimeframes = {"1m", "5m", "15m", "1h", "4h", "1d"};
constexpr std::size_t kRecordedRows = 2'500;

/// What is stored of one symbol, as lines of `export` without the columns that depend on when ticks came.
struct StoredSymbol {
  std::vector<std::string> ticks;
  std::map<std::string, std::vector<std::string>> bars;
  std::size_t open_bars = 0;
};
using Stored = std::map<std::string, StoredSymbol>;

class ServerSameTicksTest : public ServerTest {
 protected:
  void make_quotes(int symbols) {
    quotes_ = make_scenario({.seed = 4711, .count = 9'000, .symbols = symbols, .lps = 3}).quotes;
    if (!recordings().empty()) {
      auto lines = lines_of(read_file(recordings() + "/fx/eurusd-2020-01-quotes.csv"));
      lines.resize(std::min(lines.size(), kRecordedRows));
      for (std::size_t i = 1; i < lines.size(); ++i) {
        const auto fields = fields_of(lines[i]);
        RawQuote quote;
        quote.lp = parse_lp("REC");
        quote.symbol = *parse_symbol(fields.at(1));
        quote.bid.units = parse_decimal(fields.at(2)).units;
        quote.ask.units = parse_decimal(fields.at(3)).units;
        quote.ts_event = UnixNanos{std::stoll(fields.at(0)) * kNanosPerMilli};
        quotes_.push_back(quote);
      }
    }
    for (const RawQuote& quote : quotes_) symbols_.emplace(quote.symbol.view());
    std::string text = "timestamp_ns,symbol,bid,ask,lp,bid_size\n";
    for (const RawQuote& quote : quotes_) {
      text += std::to_string(quote.ts_event->ns) + "," + std::string(quote.symbol.view()) + "," +
              decimal_to_string(quote.bid.units) + "," + decimal_to_string(quote.ask.units) + "," +
              std::string(quote.lp->view()) + "," +
              (quote.bid_size == kNoQuantity ? "" : decimal_to_string(quote.bid_size.units)) + "\n";
    }
    file_ = file("quotes.csv", text);
    const Result loaded = run({"backfill", file_, "--data-dir", folder_ / "reference"});
    ASSERT_EQ(loaded.status, 0) << loaded.err;
    const auto summary = nlohmann::json::parse(loaded.out);
    ASSERT_GT(summary["duplicate"], 100);
    ASSERT_GT(summary["out_of_order"], 100);
    ASSERT_EQ(summary["invalid"], 0);
    accepted_ = summary["accepted"];
    reference_ = stored_in(folder_ / "reference");
  }

  Stored stored_in(const std::string& folder) {
    Stored stored;
    const auto exported_lines = [&](std::vector<std::string> arguments) {
      arguments.insert(arguments.begin(), "export");
      arguments.insert(arguments.end(), {"--data-dir", folder});
      const Result result = run(std::move(arguments));
      EXPECT_EQ(result.status, 0) << result.err;
      auto lines = lines_of(result.out);
      if (!lines.empty()) lines.erase(lines.begin());
      return lines;
    };
    for (const std::string& symbol : symbols_) {
      StoredSymbol& each = stored[symbol];
      std::set<std::uint64_t> seqs;
      for (const std::string& line : exported_lines({"ticks", "--symbol", symbol})) {
        auto fields = fields_of(line);
        seqs.insert(std::stoull(fields.at(5)));
        fields.at(7).clear();  // received_ns
        std::string kept;
        for (const std::string& field : fields) kept += field + ",";
        each.ticks.push_back(kept);
      }
      EXPECT_EQ(seqs.size(), each.ticks.size()) << symbol;
      EXPECT_TRUE(seqs.empty() || (*seqs.begin() == 1 && *seqs.rbegin() == seqs.size())) << symbol << ": a hole in seq";
      for (const char* timeframe : kTimeframes) {
        for (const std::string& line : exported_lines({"bars", "--symbol", symbol, "--timeframe", timeframe})) {
          const auto fields = fields_of(line);
          std::string kept;
          for (std::size_t i = 0; i < 7; ++i) kept += fields.at(i) + ",";
          each.bars[timeframe].push_back(kept);
          if (fields.at(8) != "true") ++each.open_bars;
        }
      }
    }
    return stored;
  }

  void expect_reference(const Stored& stored) const {
    for (const auto& [symbol, wanted] : reference_) {
      const StoredSymbol& got = stored.at(symbol);
      ASSERT_EQ(got.ticks, wanted.ticks) << symbol;
      ASSERT_EQ(got.bars, wanted.bars) << symbol;
    }
  }

  /// What REST answers must be what `export` says.
  void expect_reference_over_rest(const RunningServer& server) const {
    HttpClient client = server.connect();
    for (const auto& [symbol, wanted] : reference_) {
      for (const auto& [timeframe, bars] : wanted.bars) {
        const auto reply = client.get("/api/ohlc/" + symbol + "?limit=10000&timeframe=" + timeframe);
        ASSERT_TRUE(reply && reply->status == 200);
        const auto got = raw_objects(reply->body);
        ASSERT_EQ(got.size(), bars.size()) << symbol << " " << timeframe;
        for (std::size_t i = 0; i < bars.size(); ++i) {
          const RawMembers& bar = got[i];
          const std::string line = std::to_string(parse_timestamp(bar.at("open_time"))->ns / kNanosPerMilli) + "," +
                                   bar.at("open") + "," + bar.at("high") + "," + bar.at("low") + "," + bar.at("close") +
                                   "," + bar.at("tick_count") + "," + bar.at("volume") + ",";
          ASSERT_EQ(line, bars[i]) << symbol << " " << timeframe;
        }
      }
      const auto quotes = whole_history(server, symbol, 777);
      ASSERT_EQ(quotes.size(), wanted.ticks.size()) << symbol;
      for (std::size_t i = 0; i < quotes.size(); ++i) {
        const RawMembers& quote = quotes[i];
        const auto fields = fields_of(wanted.ticks[i]);
        const auto ns = std::to_string(parse_timestamp(quote.at("timestamp"))->ns);
        ASSERT_EQ((std::vector{ns, quote.at("symbol"), quote.at("bid"), quote.at("ask"), quote.at("source"),
                               quote.at("seq")}),
                  (std::vector<std::string>(fields.begin(), fields.begin() + 6)));
        ASSERT_EQ(quote.contains("bid_size") ? quote.at("bid_size") : "", fields.at(8));
        ASSERT_EQ(quote.at("tick_id"), symbol + "-" + quote.at("seq"));
      }
    }
  }

  /// Compares everything while the server runs, and again after its end and a backfill of nothing, which closes bars.
  void expect_reference_after(RunningServer& server) {
    expect_reference_over_rest(server);
    if (HasFatalFailure()) return;
    expect_reference(stored_in(data()));
    server.stop();
    backfill({file("none.csv", "timestamp,symbol,bid,ask\n")});
    const Stored closed = stored_in(data());
    expect_reference(closed);
    for (const auto& [symbol, each] : closed) EXPECT_EQ(each.open_bars, 0U) << symbol;
  }

  static std::string json_of(const RawQuote& quote, std::mt19937_64& random) {
    const auto number = [&random](std::int64_t units) {
      const std::string text = decimal_to_string(units);
      return random() % 3 == 0 ? "\"" + text + "\"" : text;
    };
    std::string text = R"({"symbol":")" + std::string(quote.symbol.view()) + R"(","bid":)" + number(quote.bid.units) +
                       R"(,"ask":)" + number(quote.ask.units) + (random() % 2 == 0 ? R"(,"lp":")" : R"(,"source":")") +
                       std::string(quote.lp->view()) + "\"";
    if (quote.bid_size != kNoQuantity) text += R"(,"bid_size":)" + number(quote.bid_size.units);
    text += random() % 2 == 0 ? R"(,"timestamp_ns":)" + std::to_string(quote.ts_event->ns)
                              : R"(,"timestamp":")" + format_rfc3339(*quote.ts_event, 9) + "\"";
    return text + "}";
  }

  /// Posts quotes in order on one connection, in batches of random size and form. Returns how many were answered for;
  /// stops when the server goes away.
  static std::size_t post_all(const RunningServer& server, const std::vector<RawQuote>& quotes, std::uint64_t seed,
                              std::atomic<std::uint64_t>* accepted = nullptr) {
    std::mt19937_64 random(seed);
    HttpClient client = server.connect();
    std::size_t at = 0;
    while (at < quotes.size()) {
      const std::size_t form = random() % 3;
      const std::size_t size = form == 0 ? 1 : std::min<std::size_t>(1 + random() % 300, quotes.size() - at);
      std::string body;
      for (std::size_t i = 0; i < size; ++i) {
        if (!body.empty()) body += form == 1 ? "," : "\n";
        body += json_of(quotes[at + i], random);
      }
      if (form == 1) body = "[" + body + "]";
      const char* const type = form == 2 && random() % 2 == 0 ? "application/x-ndjson" : "application/json";
      const auto reply =
          client.post("/api/ingest?historical=true", body, std::string("Content-Type: ") + type + "\r\n");
      if (!reply || reply->status != 200) return at;
      const auto answer = nlohmann::json::parse(reply->body);
      EXPECT_EQ(answer["received"], size);
      EXPECT_EQ(answer["accepted"].get<std::size_t>() + answer["rejected"].get<std::size_t>(), size);
      for (const auto& error : answer["errors"]) EXPECT_EQ(error["reason"], "duplicate");
      if (accepted != nullptr) *accepted += answer["accepted"].get<std::uint64_t>();
      at += size;
    }
    return at;
  }

  static bool replay_has_ended(const RunningServer& server) {
    return eventually([&server] {
      const auto feeds = server.json("/api/pipeline/health")["feeds"];
      return feeds.size() == 1 && feeds[0]["state"] == "ended" &&
             server.json("/api/pipeline/stats")["ticks_in_flight"] == 0;
    });
  }
  [[nodiscard]] std::string replay_config() const {
    return R"({"feeds":[{"type":"replay","speed":"max","file":")" + file_ + R"("}]})";
  }

  std::vector<RawQuote> quotes_;
  std::set<std::string> symbols_;
  std::string file_;
  std::uint64_t accepted_ = 0;
  Stored reference_;
};

TEST_F(ServerSameTicksTest, AReplayLeavesWhatABackfillLeaves) {
  make_quotes(3);
  const auto server = serve_with(replay_config());
  ASSERT_TRUE(replay_has_ended(*server)) << server->log();
  EXPECT_EQ(server->json("/api/pipeline/stats")["ticks_processed"], accepted_);
  expect_reference_after(*server);
}

TEST_F(ServerSameTicksTest, AReplayThatWasKilledTwiceAndStartedAgainLeavesWhatABackfillLeaves) {
  make_quotes(3);
  for (const std::uint64_t wanted : {500U, 4'000U}) {
    const auto server = serve_with(replay_config());
    ASSERT_TRUE(eventually(
        [&] { return server->json("/api/pipeline/stats")["ticks_received"].get<std::uint64_t>() > wanted; }));
    server->kill();
  }
  const auto server = serve_with(replay_config());
  ASSERT_TRUE(replay_has_ended(*server)) << server->log();
  expect_reference_after(*server);
}

TEST_F(ServerSameTicksTest, PostedInBatchesOfAnySizeAndFormTheyLeaveWhatABackfillLeaves) {
  make_quotes(3);
  const auto server = serve();
  std::atomic<std::uint64_t> accepted{0};
  ASSERT_EQ(post_all(*server, quotes_, 1, &accepted), quotes_.size());
  EXPECT_EQ(accepted, accepted_);
  expect_reference_after(*server);
}

TEST_F(ServerSameTicksTest, PostedOverManyConnectionsTheyLeaveWhatABackfillLeaves) {
  make_quotes(12);
  const auto server = serve();
  std::map<std::string, std::vector<RawQuote>> by_symbol;
  for (const RawQuote& quote : quotes_) by_symbol[std::string(quote.symbol.view())].push_back(quote);
  std::atomic<std::uint64_t> accepted{0};
  std::vector<std::jthread> posters;
  for (const auto& [symbol, quotes] : by_symbol) {
    posters.emplace_back(
        [&, seed = posters.size()] { EXPECT_EQ(post_all(*server, quotes, seed, &accepted), quotes.size()); });
  }
  posters.clear();
  EXPECT_EQ(accepted, accepted_);
  expect_reference_after(*server);
}

TEST_F(ServerSameTicksTest, EndedWhilePostingAndPostedAgainTheyLeaveWhatABackfillLeaves) {
  make_quotes(3);
  std::mt19937_64 random(99);
  for (const int number : {SIGTERM, SIGKILL, SIGKILL, SIGTERM}) {
    const auto server = serve();
    const std::uint64_t before = 200 + random() % 5'000;
    std::jthread poster([&server, this, seed = random()] { post_all(*server, quotes_, seed); });
    ASSERT_TRUE(eventually(
        [&] { return server->json("/api/pipeline/stats")["ticks_received"].get<std::uint64_t>() >= before; }));
    server->signal(number);
    EXPECT_EQ(server->wait(), number == SIGTERM ? 0 : 128 + SIGKILL) << server->log();
  }
  const auto server = serve();
  ASSERT_EQ(post_all(*server, quotes_, 5), quotes_.size());
  expect_reference_after(*server);
}

}  // namespace
}  // namespace tickpipe::internal::testing
