// A small trading engine: quotes of liquidity providers go to its book of prices and to the clients of its hub; a web
// server shows what it is doing.
//
//   trading_engine [--http-port=8080] [--hub-port=8081] [--quotes-per-second=100]
//                  [--pipeline=on|off] [--data-dir=data]

#include <httplib.h>
#include <tickpipe/tickpipe.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "engine/broadcast_hub.h"
#include "engine/lp_manager.h"
#include "engine/options.h"

namespace {

/// The newest price of each symbol.
class PriceBook {
 public:
  void update(const engine::Quote& quote) {
    const std::lock_guard lock(mutex_);
    prices_[quote.symbol] = quote;
  }
  bool find(const std::string& symbol, engine::Quote& out) const {
    const std::lock_guard lock(mutex_);
    const auto found = prices_.find(symbol);
    if (found == prices_.end()) return false;
    out = found->second;
    return true;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, engine::Quote> prices_;
};

std::string tick_line(const engine::Quote& quote) {
  const auto since_epoch = std::chrono::duration_cast<std::chrono::milliseconds>(quote.time.time_since_epoch());
  char line[256];
  std::snprintf(line, sizeof line, R"({"type":"tick","symbol":"%s","bid":%.5f,"ask":%.5f,"lp":"%s","timestamp":%lld})",
                quote.symbol.c_str(), quote.bid, quote.ask, quote.lp.c_str(),
                static_cast<long long>(since_epoch.count()));
  return std::string(line) + "\n";
}

/// Serves the paths of tickpipe on the engine's own port.
void mount(httplib::Server& http, tickpipe::ApiHandler& api) {
  const auto serve = [&api](const httplib::Request& request, httplib::Response& response) {
    tickpipe::ApiResponse answer =
        api.handle({request.method, request.target, request.body, request.get_header_value("Content-Type"),
                    request.get_header_value("Last-Event-ID")});
    response.status = answer.status;
    for (const auto& [name, value] : answer.headers) response.set_header(name, value);
    if (!answer.stream) return response.set_content(answer.body, answer.content_type);
    response.set_chunked_content_provider(answer.content_type, [stream = answer.stream](size_t, auto& sink) {
      const auto bytes = stream->read(std::chrono::seconds{1});
      if (!bytes) sink.done();
      return !bytes || (bytes->empty() ? sink.is_writable() : sink.write(bytes->data(), bytes->size()));
    });
  };
  for (const char* const path : {"/api/.+", "/admin/pipeline/.+", "/healthz", "/readyz", "/metrics"}) {
    http.Get(path, serve).Post(path, serve).Put(path, serve).Delete(path, serve).Options(path, serve);
  }
}

int run(const engine::Options& options) {
  // Blocked before any thread is made, so that sigwait() below gets them.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  PriceBook book;
  engine::BroadcastHub hub(static_cast<std::uint16_t>(options.number("hub-port", 8081)));
  engine::LpManager lps({"LP1", "LP2", "LP3"}, options.number("quotes-per-second", 100));

  tickpipe::PipelineConfig config;
  config.enabled = options.text("pipeline", "on") == "on";
  config.data_dir = options.text("data-dir", "data");
  config.log.callback = [](tickpipe::LogLevel, std::string_view component, std::string_view message) {
    std::fprintf(stderr, "[%.*s] %.*s\n", static_cast<int>(component.size()), component.data(),
                 static_cast<int>(message.size()), message.data());
  };
  tickpipe::Pipeline pipeline(config);
  pipeline.start();
  tickpipe::IntegrationAdapter adapter(pipeline);
  adapter.start_monitoring();
  tickpipe::ApiHandler api(pipeline);

  httplib::Server http;
  if (pipeline.is_enabled()) mount(http, api);
  http.Get("/status", [&](const httplib::Request&, httplib::Response& response) {
    response.set_content("{\"engine\":\"running\",\"quotes\":" + std::to_string(lps.quotes()) +
                             ",\"clients\":" + std::to_string(hub.clients()) + "}",
                         "application/json");
  });
  http.Get(R"(/price/([A-Z]+))", [&](const httplib::Request& request, httplib::Response& response) {
    engine::Quote quote;
    if (!book.find(request.matches[1], quote)) {
      response.status = 404;
      return;
    }
    response.set_content(tick_line(quote), "application/json");
  });

  int port = options.number("http-port", 8080);
  if (port == 0) {
    port = http.bind_to_any_port("127.0.0.1");
  } else if (!http.bind_to_port("127.0.0.1", port)) {
    port = -1;
  }
  if (port < 0) throw std::runtime_error("cannot listen on the port of --http-port");
  std::thread web([&] { http.listen_after_bind(); });

  lps.start([&](const engine::Quote& quote) {
    book.update(quote);
    adapter.process_lp_quote(quote.lp, quote.symbol, quote.bid, quote.ask, quote.time);
    hub.broadcast(tick_line(quote));
  });
  std::printf("engine: http %d, hub %d\n", port, hub.port());
  std::fflush(stdout);

  int signal = 0;
  sigwait(&ends, &signal);
  lps.stop();
  pipeline.stop();
  http.stop();
  web.join();
  std::printf("engine: %llu quotes, ended\n", static_cast<unsigned long long>(lps.quotes()));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(engine::Options(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "engine: %s\n", error.what());
    return 1;
  }
}
