// Clients that subscribe, unsubscribe, vanish and resume at random while quotes come in: per symbol nothing is
// repeated, nothing steps back, what is left out is accounted for, and the last value arrives.

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/server_fixture.h"
#include "support/websocket_client.h"

namespace tickpipe::internal::testing {
namespace {

using Json = nlohmann::json;

constexpr int kSymbols = 6;
std::string symbol_name(int i) { return "RND" + std::to_string(i); }

/// Posts quotes, one body after the other, so that it knows which seq each has got.
class Feeder {
 public:
  Feeder(const RunningServer& server, unsigned seed) : client_(server.connect()), random_(seed), is_live_(kSymbols) {}

  void post_some() {
    const bool is_historical = random_() % 10 == 0;
    std::string body;
    std::vector<int> symbols;
    const unsigned count = 1 + static_cast<unsigned>(random_() % 20);
    for (unsigned i = 0; i < count; ++i) {
      const int symbol = static_cast<int>(random_() % kSymbols);
      // Late ones among them; each time is used once.
      std::int64_t time = std::max(wall_clock().ns, newest_ + 1'000);
      newest_ = time;
      if (random_() % 8 == 0) time -= 1'000'000'500 + static_cast<std::int64_t>(random_() % 1'000'000'000);
      if (is_historical) time = 1'700'000'000'000'000'000 + ++history_ * 1'000'003;
      body += R"({"symbol":")" + symbol_name(symbol) + R"(","bid":100,"ask":)" + std::to_string(101 + random_() % 50) +
              R"(,"timestamp_ns":)" + std::to_string(time) + "}\n";
      symbols.push_back(symbol);
    }
    const auto reply = client_.post(is_historical ? "/api/ingest?historical=true" : "/api/ingest", body,
                                    "Content-Type: application/x-ndjson\r\n");
    ASSERT_TRUE(reply && reply->status == 200) << (reply ? reply->body : "no answer");
    ASSERT_EQ(Json::parse(reply->body).at("accepted"), count) << reply->body;
    const std::lock_guard lock(mutex_);
    for (const int symbol : symbols) is_live_[static_cast<std::size_t>(symbol)].push_back(!is_historical);
  }

  /// Whether the quote with that seq belongs to the live stream.
  bool is_live(int symbol, std::uint64_t seq) const {
    const std::lock_guard lock(mutex_);
    return is_live_[static_cast<std::size_t>(symbol)].at(seq - 1);
  }
  std::uint64_t newest_seq(int symbol) const {
    const std::lock_guard lock(mutex_);
    return is_live_[static_cast<std::size_t>(symbol)].size();
  }

 private:
  HttpClient client_;
  std::mt19937_64 random_;
  mutable std::mutex mutex_;
  std::vector<std::vector<bool>> is_live_;
  std::int64_t newest_ = 0;
  std::int64_t history_ = 0;
};

/// One client that does what comes to its mind and checks what it is sent.
class RandomClient {
 public:
  RandomClient(const RunningServer& server, unsigned seed, bool is_all)
      : server_(server), random_(seed), is_all_(is_all) {}

  void run(const std::atomic<bool>& stop) {
    connect(false);
    while (!stop && !::testing::Test::HasFatalFailure()) {
      switch (random_() % 12) {
        case 0:
          subscribe(static_cast<int>(random_() % kSymbols));
          break;
        case 1:
          unsubscribe(static_cast<int>(random_() % kSymbols));
          break;
        case 2:
          client_->close();  // without a word
          connect(random_() % 4 != 0);
          break;
        default:
          read_for(std::chrono::milliseconds{random_() % 40});
          if (random_() % 3 == 0) std::this_thread::sleep_for(std::chrono::milliseconds{random_() % 60});
      }
    }
  }

  /// Reads until it has what `latest` says of each symbol it is subscribed to.
  void expect_last_values(const std::map<int, std::uint64_t>& latest) {
    const bool has_all = eventually([&] {
      read_for(std::chrono::milliseconds{20});
      for (const auto& [symbol, state] : states_) {
        if (state.is_subscribed && state.last < latest.at(symbol)) return false;
      }
      return true;
    });
    for (const auto& [symbol, state] : states_) {
      if (!state.is_subscribed) continue;
      EXPECT_GE(state.last, latest.at(symbol)) << symbol_name(symbol) << " all " << is_all_;
    }
    EXPECT_TRUE(has_all);
  }

  /// Every live quote from each snapshot on was sent.
  void expect_complete(const Feeder& feeder) const {
    for (const Stretch& one : stretches_) {
      std::uint64_t last = one.first;
      for (const std::uint64_t seq : one.seqs) {
        for (std::uint64_t missing = last + 1; missing < seq; ++missing) {
          ASSERT_FALSE(feeder.is_live(one.symbol, missing))
              << symbol_name(one.symbol) << " was not sent " << missing << " between " << last << " and " << seq;
        }
        ASSERT_TRUE(feeder.is_live(one.symbol, seq)) << symbol_name(one.symbol) << " was sent history: " << seq;
        last = seq;
      }
    }
  }
  [[nodiscard]] std::size_t resumed() const { return resumed_; }
  [[nodiscard]] std::size_t received() const { return received_; }

 private:
  struct State {
    bool is_subscribed = false;
    bool expects_snapshot = true;
    std::uint64_t last = 0;
    std::size_t stretch = 0;
  };
  /// What came of a symbol without a snapshot in between.
  struct Stretch {
    int symbol = 0;
    std::uint64_t first = 0;
    std::vector<std::uint64_t> seqs;
  };

  void connect(bool resumes) {
    client_ = std::make_unique<WebSocketClient>(server_.port());
    const auto welcome = client_->read("welcome");
    ASSERT_TRUE(welcome);
    const std::string epoch = welcome->at("epoch");
    if (states_.empty()) return subscribe(0);
    Json symbols = Json::array();
    Json seqs = Json::object();
    for (auto& [symbol, state] : states_) {
      if (!state.is_subscribed) continue;
      symbols.push_back(symbol_name(symbol));
      if (resumes && state.last != 0) {
        seqs[symbol_name(symbol)] = state.last;
        state.expects_snapshot = false;
        ++resumed_;
      } else {
        state.expects_snapshot = true;
      }
    }
    if (symbols.empty()) return;
    Json request{{"op", "subscribe"}, {"id", ++id_}, {"channel", "quotes"}, {"symbols", symbols}, {"mode", mode()}};
    if (!seqs.empty()) request["resume"] = {{"epoch", epoch}, {"seq", seqs}};
    ask(request, "subscribed");
  }
  [[nodiscard]] const char* mode() const { return is_all_ ? "all" : "conflate"; }

  void subscribe(int symbol) {
    State& state = states_[symbol];
    state.is_subscribed = true;
    waits_for_ack_ = symbol;
    Json request{{"op", "subscribe"},
                 {"id", ++id_},
                 {"channel", "quotes"},
                 {"symbols", {symbol_name(symbol)}},
                 {"mode", mode()}};
    if (!is_all_ && random_() % 3 == 0) request["interval_ms"] = 20 + random_() % 100;
    ask(request, "subscribed");
    waits_for_ack_ = -1;
  }
  void unsubscribe(int symbol) {
    if (!states_[symbol].is_subscribed) return;
    ask({{"op", "unsubscribe"}, {"id", ++id_}, {"channel", "quotes"}, {"symbols", {symbol_name(symbol)}}},
        "unsubscribed");
    states_[symbol].is_subscribed = false;
  }
  /// Ticks may come before the answer; those of what was subscribed before belong to the old subscription.
  void ask(const Json& request, const std::string& answer) {
    client_->send_json(request);
    while (true) {
      const auto message = client_->read();
      ASSERT_TRUE(message) << "no answer to " << request << ", close code " << client_->close_code;
      if (message->at("type") == "tick") {
        take(*message);
        continue;
      }
      ASSERT_EQ(message->at("type"), answer) << *message;
      ASSERT_EQ(message->at("id"), id_);
      ASSERT_TRUE(message->at("errors").empty()) << *message;
      ASSERT_EQ(message->value("recovered", false), request.contains("resume")) << *message;
      break;
    }
    if (waits_for_ack_ >= 0) states_[waits_for_ack_].expects_snapshot = true;
  }
  void read_for(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
      const auto message = client_->read_what_is_there();
      ASSERT_EQ(client_->close_code, 0U);
      if (!message) {
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
      } else if (message->at("type") == "tick") {
        take(*message);
      }
    }
  }
  void take(const Json& tick) {
    const int symbol = std::stoi(tick.at("symbol").get<std::string>().substr(3));
    const std::uint64_t seq = tick.at("seq");
    State& state = states_[symbol];
    ASSERT_TRUE(state.is_subscribed) << tick;
    ++received_;
    if (state.expects_snapshot) {
      ASSERT_TRUE(tick.value("snapshot", false)) << tick;
      ASSERT_EQ(tick.count("skipped"), 0U) << tick;
      state.expects_snapshot = false;
      state.stretch = stretches_.size();
      stretches_.push_back({symbol, seq, {}});
    } else {
      ASSERT_FALSE(tick.value("snapshot", false)) << tick;
      ASSERT_EQ(seq, state.last + 1 + tick.value("skipped", std::uint64_t{0})) << tick << " after " << state.last;
      if (is_all_) stretches_[state.stretch].seqs.push_back(seq);
    }
    state.last = seq;
  }

  const RunningServer& server_;
  std::mt19937_64 random_;
  const bool is_all_;
  std::unique_ptr<WebSocketClient> client_;
  std::map<int, State> states_;
  std::vector<Stretch> stretches_;
  int id_ = 0;
  int waits_for_ack_ = -1;
  std::size_t resumed_ = 0;
  std::size_t received_ = 0;
};

class ServerStreamRandomTest : public ServerTest {};

TEST_F(ServerStreamRandomTest, NothingIsRepeatedStepsBackOrIsLeftOutInSilence) {
  const auto server = serve_with(R"({"hot_data_retention": 50, "distribution_buffer_size": 64})");
  Feeder feeder(*server, 1);
  for (int i = 0; i < 20; ++i) feeder.post_some();
  constexpr int kClients = 6;
  std::vector<std::unique_ptr<RandomClient>> clients;
  for (unsigned i = 0; i < kClients; ++i) clients.push_back(std::make_unique<RandomClient>(*server, i, i % 2 == 0));
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (const auto& client : clients) threads.emplace_back([&stop, &client] { client->run(stop); });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{8};
  while (std::chrono::steady_clock::now() < end) feeder.post_some();
  stop = true;
  for (std::thread& thread : threads) thread.join();
  ASSERT_FALSE(HasFailure());

  std::map<int, std::uint64_t> latest;
  for (int i = 0; i < kSymbols; ++i) latest[i] = server->json("/api/quotes/latest/" + symbol_name(i)).at("seq");
  std::size_t resumed = 0;
  for (const auto& client : clients) {
    client->expect_last_values(latest);
    client->expect_complete(feeder);
    resumed += client->resumed();
    EXPECT_GT(client->received(), 50U);
  }
  EXPECT_GT(resumed, 10U);
  server->stop();
}

}  // namespace
}  // namespace tickpipe::internal::testing
