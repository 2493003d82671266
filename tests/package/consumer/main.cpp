// A program that uses the installed library: what it says is checked by the test that builds it.

#include <tickpipe/tickpipe.h>

#include <cstdio>
#include <string>

namespace {

int fail(const char* what) {
  std::fprintf(stderr, "consumer: %s\n", what);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return fail("usage: consumer FOLDER");
  tickpipe::PipelineConfig config;
  config.data_dir = argv[1];
  config.worker_count = 0;
  try {
    const tickpipe::Pipeline wrong(config);
    return fail("a wrong setting was taken");
  } catch (const tickpipe::ConfigError& error) {  // thrown on the other side of the library's border
    if (std::string(error.what()).find("worker_count") != 0) return fail(error.what());
  }
  config.worker_count = 2;
  tickpipe::Pipeline pipeline(config);
  pipeline.start();
  tickpipe::IntegrationAdapter adapter(pipeline);
  const auto verdict = adapter.process_lp_quote_wait("LP1", "BTCUSD", 67012.25, 67013.5,
                                                     std::chrono::system_clock::now(), std::chrono::seconds{60});
  if (!verdict.is_accepted()) return fail("the quote was not accepted");
  tickpipe::ApiHandler api(pipeline);
  const tickpipe::ApiResponse answer = api.handle({.target = "/api/quotes/latest/BTCUSD"});
  if (answer.status != 200 || answer.body.find("\"bid\":67012.25,") == std::string::npos)
    return fail(answer.body.c_str());
  if (pipeline.bars("BTCUSD", "1m").size() != 1) return fail("there is no bar");
  pipeline.stop();
  const std::string_view version = tickpipe::version();
  std::printf("tickpipe %.*s works\n", static_cast<int>(version.size()), version.data());
  return 0;
}
