// What a page in Chromium sees: its EventSource and its WebSocket, over the server's socket and through nginx.

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/nginx.h"
#include "support/server_fixture.h"

namespace tickpipe::internal::testing {
namespace {

/// Prints what comes on the console: "PREFIX tick SEQ BID" for a quote, "PREFIX open" when a stream begins.
constexpr std::string_view kPage = R"(<!DOCTYPE html>
<script>
const say = (...words) => console.log("@" + words.join(" ") + "@");
const follow = (prefix, url) => {
  const stream = new EventSource(url);
  stream.onopen = () => say(prefix, "open");
  stream.addEventListener("reset", () => say(prefix, "reset"));
  stream.addEventListener("tick", event => {
    const tick = JSON.parse(event.data);
    say(prefix, "tick", tick.seq, tick.bid);
  });
};
const connect = (prefix, url) => {
  const socket = new WebSocket(url);
  socket.onopen = () => socket.send(JSON.stringify(
      {op: "subscribe", channel: "quotes", symbols: ["EURUSD"], mode: "all"}));
  socket.onmessage = event => {
    const message = JSON.parse(event.data);
    if (message.type == "subscribed") say(prefix, "open", socket.extensions || "plain");
    if (message.type == "tick") say(prefix, "tick", message.seq, message.bid);
  };
  socket.onclose = event => say(prefix, "closed", event.code);
};
const server = "127.0.0.1:SERVER";
follow("events", `http://${server}/api/quotes/stream?symbol=EURUSD`);
follow("proxied-events", "/api/quotes/stream?symbol=EURUSD");
connect("foreign-socket", `ws://${server}/ws`);
connect("proxied-socket", `ws://${location.host}/ws`);
</script>
)";

/// Not what is in /usr/bin: a script there would be ended in its place.
const char* chromium() {
  for (const char* program : {"/usr/lib/chromium/chromium-headless-shell", "/usr/lib/chromium/chromium"}) {
    if (::access(program, X_OK) == 0) return program;
  }
  return nullptr;
}

/// What the page printed behind a prefix.
std::vector<std::string> said(const Process& browser, const std::string& prefix) {
  std::vector<std::string> lines;
  const std::string log = browser.err();
  const std::string begin = "\"@" + prefix + " ";
  for (std::size_t at = log.find(begin); at != std::string::npos; at = log.find(begin, at + 1)) {
    const std::size_t from = at + begin.size();
    const std::size_t end = log.find("@\"", from);
    if (end != std::string::npos) lines.push_back(log.substr(from, end - from));
  }
  return lines;
}

class ServerBrowserTest : public ServerTest {
 protected:
  void SetUp() override {
    if (chromium() == nullptr) GTEST_SKIP() << "Chromium is missing: Debian package chromium-headless-shell";
    if (!Nginx::is_installed()) GTEST_SKIP() << Nginx::kMissing;
  }
  void put(const RunningServer& server, int count) {
    std::string body;
    for (int i = 0; i < count; ++i) {
      const std::string price = "1." + std::to_string(1'000 + ++last_);
      body += R"({"symbol":"EURUSD","bid":)" + price + R"(,"ask":2,"lp":"LP1","timestamp_ns":)" +
              std::to_string(wall_clock().ns + i) + "}\n";
    }
    EXPECT_EQ(server.ingest(body).at("accepted"), count);
  }
  /// The lines of quotes from `first` to the newest, read back over REST.
  static std::vector<std::string> expected(const RunningServer& server, std::size_t first) {
    std::vector<std::string> lines;
    for (RawMembers& quote : whole_history(server, "EURUSD", 1'000)) {
      if (std::stoull(quote["seq"]) >= first) lines.push_back("tick " + quote["seq"] + " " + quote["bid"]);
    }
    return lines;
  }
  static std::vector<std::string> ticks(const Process& browser, const std::string& prefix) {
    std::vector<std::string> lines = said(browser, prefix);
    std::erase_if(lines, [](const std::string& line) { return !line.starts_with("tick "); });
    return lines;
  }
  static bool has_said(const Process& browser, const std::string& prefix, std::string_view begin) {
    return eventually([&] {
      for (const std::string& line : said(browser, prefix)) {
        if (line.starts_with(begin)) return true;
      }
      return false;
    });
  }

  int last_ = 0;
};

TEST_F(ServerBrowserTest, APageSeesEveryQuoteAndItsEventSourceComesBackWithoutAHole) {
  auto server = serve();
  const std::uint16_t server_port = server->port();
  put(*server, 3);
  std::string page(kPage);
  page.replace(page.find("SERVER"), 6, std::to_string(server_port));
  std::filesystem::create_directory(folder_ / "pages");
  write_file(folder_ / "pages/quotes.html", page);
  const Nginx nginx(folder_.path(), server_port);
  Process browser(
      {chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
       "--user-data-dir=" + (folder_ / "profile"), "--enable-logging=stderr", "--remote-debugging-address=127.0.0.1",
       "--remote-debugging-port=0", "http://127.0.0.1:" + std::to_string(nginx.port()) + "/pages/quotes.html"},
      folder_ / "browser", "/dev/null", {"HOME=" + folder_.path().string()});
  const std::vector<std::string> prefixes = {"events", "proxied-events", "proxied-socket"};
  for (const std::string& prefix : prefixes) {
    ASSERT_TRUE(has_said(browser, prefix, "open") && has_said(browser, prefix, "tick 3 ")) << prefix << browser.err();
  }
  EXPECT_TRUE(said(browser, "proxied-socket").front().starts_with("open permessage-deflate"))
      << said(browser, "proxied-socket").front();
  EXPECT_TRUE(has_said(browser, "foreign-socket", "closed 1006")) << "a page of another origin was let in";
  for (int i = 0; i < 20; ++i) put(*server, 10);
  for (const std::string& prefix : prefixes) {
    ASSERT_TRUE(has_said(browser, prefix, "tick 203 ")) << prefix << browser.err();
    EXPECT_EQ(ticks(browser, prefix), expected(*server, 3)) << prefix;
  }

  server->stop();
  EXPECT_TRUE(has_said(browser, "proxied-socket", "closed 4001")) << browser.err();
  server = serve();  // where the page does not look
  put(*server, 50);
  server->stop();
  server = serve({"--port", std::to_string(server_port)});
  put(*server, 50);
  ASSERT_TRUE(has_said(browser, "events", "tick 303 ")) << browser.err();
  EXPECT_EQ(ticks(browser, "events"), expected(*server, 3));
  server->stop();
  browser.signal(SIGTERM);
  browser.wait();
}

}  // namespace
}  // namespace tickpipe::internal::testing
