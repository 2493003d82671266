// Prints quotes as they come and loses none of them: quotes HOST PORT MODE COUNT SYMBOL...
// MODE is conflate (the newest) or all (every quote); it ends after COUNT quotes, 0 = never.
// g++ -std=c++20 quotes.cpp -o quotes -lpthread   (Boost 1.77 or newer, nlohmann/json)
#include <algorithm>
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using asio::use_awaitable;
using Json = nlohmann::json;
using Socket = websocket::stream<boost::beast::tcp_stream>;

struct Quotes {
  std::string host, port, mode;
  std::uint64_t left;
  std::vector<std::string> symbols;
  std::string epoch;                              // which seqs belong together
  std::map<std::string, std::uint64_t> last_seq;  // by symbol
  unsigned failures = 0;

  void on_tick(const Json& tick) {
    const std::string symbol = tick.at("symbol");
    const std::uint64_t seq = tick.at("seq");
    const std::uint64_t skipped = tick.value("skipped", 0U);  // left out on purpose between this one and the last
    const bool is_snapshot = tick.value("snapshot", false);   // where a symbol starts, also after a gap
    if (!is_snapshot && seq != last_seq[symbol] + 1 + skipped) throw std::logic_error("hole in " + symbol);
    last_seq[symbol] = seq;
    std::cout << symbol << ' ' << seq << ' ' << tick.at("bid") << ' ' << tick.at("ask") << ' '
              << (is_snapshot ? "snapshot" : "skipped=" + std::to_string(skipped)) << std::endl;
  }
  std::string request(const Json& welcome) {
    if (epoch != welcome.at("epoch")) last_seq.clear();  // another history: the seqs we have mean nothing there
    epoch = welcome.at("epoch");
    Json request = {{"op", "subscribe"}, {"channel", "quotes"}, {"symbols", symbols}, {"mode", mode}};
    if (!last_seq.empty()) request["resume"] = {{"epoch", epoch}, {"seq", last_seq}};
    return request.dump();
  }
  asio::awaitable<void> follow(Socket& ws) {
    while (true) {
      boost::beast::flat_buffer text;
      co_await ws.async_read(text, use_awaitable);
      const Json message = Json::parse(boost::beast::buffers_to_string(text.data()));
      const std::string type = message.at("type");
      if (type == "welcome") co_await ws.async_write(asio::buffer(request(message)), use_awaitable);
      if (type == "subscribed") failures = 0;
      if (type == "subscribed" && !message.at("errors").empty()) std::cerr << message.at("errors") << '\n';
      if (type == "subscribed" && !message.value("recovered", true)) std::cerr << "missed too much to be sent again\n";
      if (type == "error") throw std::logic_error(message.dump());
      if (type != "tick") continue;
      on_tick(message);
      if (--left == 0) co_return co_await ws.async_close(websocket::close_code::normal, use_awaitable);
    }
  }
  asio::awaitable<void> run() {
    const auto executor = co_await asio::this_coro::executor;
    while (left != 0) {
      Socket ws(executor);
      try {
        const auto found = co_await asio::ip::tcp::resolver(executor).async_resolve(host, port, use_awaitable);
        ws.next_layer().expires_after(std::chrono::seconds(10));
        co_await ws.next_layer().async_connect(found, use_awaitable);
        ws.next_layer().expires_never();  // the WebSocket has timeouts of its own: it pings a server that is silent
        ws.set_option(websocket::stream_base::timeout{std::chrono::seconds(10), std::chrono::seconds(35), true});
        co_await ws.async_handshake(host + ":" + port, "/ws", use_awaitable);
        co_await follow(ws);
        continue;
      } catch (const boost::system::system_error& error) {
        static const std::set<int> kOurFault = {1002, 1003, 1007, 1009, 4003, 4009};
        if (kOurFault.contains(ws.reason().code)) throw;  // the same again would end the same way
        std::cerr << error.code().message() << ' ' << ws.reason().code << ' ' << ws.reason().reason << '\n';
      }
      const double wait = std::min(30'000.0, 250.0 * double(1U << std::min(failures++, 10U)));
      std::uniform_real_distribution<> part(0.5, 1);
      static std::random_device random;
      asio::steady_timer timer(executor, std::chrono::milliseconds(static_cast<int>(wait * part(random))));
      co_await timer.async_wait(use_awaitable);
    }
  }
};

int main(int argc, char** argv) {
  if (argc < 6) return std::cerr << "quotes HOST PORT MODE COUNT SYMBOL...\n", 2;
  const std::uint64_t count = std::stoull(argv[4]);
  Quotes quotes{argv[1], argv[2], argv[3], count == 0 ? ~0ULL : count, {argv + 5, argv + argc}, {}, {}};
  asio::io_context io;
  asio::co_spawn(io, quotes.run(), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
  io.run();
}
