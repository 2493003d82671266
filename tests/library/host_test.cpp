// A program that embeds tickpipe keeps what is its own: signals, locale, working directory, environment, descriptors.

#include <sys/socket.h>
#include <tickpipe/tickpipe.h>
#include <unistd.h>

#include <atomic>
#include <clocale>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <locale>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "support/embedding.h"

extern char** environ;

namespace tickpipe::testing {
namespace {

namespace fs = std::filesystem;
using internal::testing::kPatience;

/// Every use of a pipeline there is.
void use_all(Pipeline& pipeline) {
  IntegrationAdapter adapter(pipeline);
  ApiHandler api(pipeline);
  adapter.start_monitoring();
  Subscription subscription = pipeline.subscribe({}, [](const Tick&) {});
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(adapter.process_lp_quote_wait("LP1", "EURUSD", 1.1 + i * 0.001, 1.2, now(), kPatience).is_accepted());
  }
  ASSERT_TRUE(eventually([&] { return subscription.delivered() != 0; }));
  ASSERT_EQ(api.handle({.target = "/api/quotes/history/EURUSD?limit=1000"}).status, 200);
  const ApiResponse stream = api.handle({.target = "/api/quotes/stream?symbol=EURUSD"});
  ASSERT_TRUE(stream.stream);
  ASSERT_TRUE(eventually([&] { return !stream.stream->read(std::chrono::milliseconds{100}).value_or("").empty(); }));
  ASSERT_EQ(pipeline.bars("EURUSD", "1d").empty(), false);
}

std::map<int, std::string> dispositions() {
  std::map<int, std::string> out;
  for (int number = 1; number < SIGRTMAX; ++number) {
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) != 0) continue;
    // The handler and its flags; bytes of the rest may be padding.
    out[number] =
        std::to_string(reinterpret_cast<std::uintptr_t>(action.sa_handler)) + "/" + std::to_string(action.sa_flags);
  }
  return out;
}

std::vector<std::string> environment() {
  std::vector<std::string> out;
  for (char** each = environ; *each != nullptr; ++each) out.emplace_back(*each);
  return out;
}

class LibraryHostTest : public EmbeddingTest {};

TEST_F(LibraryHostTest, SignalsLocaleEnvironmentAndFolderStayAsTheyWere) {
  const auto signals = dispositions();
  const auto variables = environment();
  const std::string locale = std::setlocale(LC_ALL, nullptr);
  const fs::path folder = fs::current_path();
  sigset_t mask_before;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask_before);
  {
    Pipeline pipeline(config_);
    pipeline.start();
    use_all(pipeline);
    EXPECT_EQ(dispositions(), signals);
    pipeline.stop();
  }
  EXPECT_EQ(dispositions(), signals);
  EXPECT_EQ(environment(), variables);
  EXPECT_EQ(std::setlocale(LC_ALL, nullptr), locale);
  EXPECT_EQ(fs::current_path(), folder);
  sigset_t mask_after;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask_after);
  for (int number = 1; number < SIGRTMAX; ++number) {
    EXPECT_EQ(sigismember(&mask_before, number), sigismember(&mask_after, number)) << number;
  }
}

std::atomic<int> g_handled_elsewhere{0};
std::atomic<int> g_handled{0};
thread_local bool t_is_main = false;

void note_signal(int /*number*/) {
  ++g_handled;
  if (!t_is_main) ++g_handled_elsewhere;
}

TEST_F(LibraryHostTest, HandlersRunOnThreadsOfTheProgramOnly) {
  t_is_main = true;
  g_handled = g_handled_elsewhere = 0;
  struct sigaction mine {};
  struct sigaction before {};
  mine.sa_handler = note_signal;
  ::sigaction(SIGUSR1, &mine, &before);
  {
    Pipeline pipeline(config_);
    pipeline.start();
    use_all(pipeline);
    // Any thread that does not block it may get a signal of the process. Block it here for a moment: then it has to
    // wait, as no thread of the pipeline takes it.
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &one, nullptr);
    ::kill(::getpid(), SIGUSR1);
    use_all(pipeline);
    EXPECT_EQ(g_handled, 0);
    pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
    EXPECT_TRUE(eventually([] { return g_handled == 1; }));
  }
  EXPECT_EQ(g_handled_elsewhere, 0);
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_F(LibraryHostTest, AReaderThatGoesAwayRaisesNoSigpipe) {
  // With the default disposition a SIGPIPE would end this process.
  auto* const before = std::signal(SIGPIPE, SIG_DFL);
  Pipeline pipeline(config_);
  pipeline.start();
  IntegrationAdapter adapter(pipeline);
  ApiHandler api(pipeline);
  for (int round = 0; round < 20; ++round) {
    ApiResponse response = api.handle({.target = "/api/quotes/stream?symbol=EURUSD"});
    ASSERT_TRUE(response.stream);
    response.stream.reset();
    ASSERT_TRUE(
        adapter.process_lp_quote_wait("LP1", "EURUSD", 1.1 + round * 0.001, 1.2, now(), kPatience).is_accepted());
  }
  ASSERT_TRUE(eventually([&] {
    return api.handle({.target = "/api/pipeline/stats"}).body.find("\"stream_clients\":0") != std::string::npos;
  }));
  std::signal(SIGPIPE, before);
}

/// `1.234,5`
class Commas : public std::numpunct<char> {
 protected:
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

TEST_F(LibraryHostTest, NumbersAreWrittenAsEverUnderAnotherLocale) {
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Commas));
  std::ostringstream check;
  check << 1234.5;
  ASSERT_EQ(check.str(), "1.234,5");
  {
    Pipeline pipeline(config_);
    pipeline.start();
    IntegrationAdapter adapter(pipeline);
    ApiHandler api(pipeline);
    ASSERT_TRUE(adapter.process_lp_quote_wait("LP1", "BTCUSD", 67012.25, 67013.5, now(), kPatience).is_accepted());
    const std::string latest = api.handle({.target = "/api/quotes/latest/BTCUSD"}).body;
    EXPECT_NE(latest.find("\"bid\":67012.25,"), std::string::npos) << latest;
    EXPECT_EQ(pipeline.latest("BTCUSD")->ask.to_string(), "67013.5");
    const std::string metrics = api.handle({.target = "/metrics"}).body;
    EXPECT_EQ(metrics.find(','), metrics.find_first_of(',')) << "a number with a comma";
    EXPECT_NE(api.handle({.target = "/api/ohlc/BTCUSD?timeframe=1m"}).body.find("67012.875"), std::string::npos);
  }
  std::locale::global(before);
}

TEST_F(LibraryHostTest, TheWorkingDirectoryMayChangeWhileItRuns) {
  const fs::path before = fs::current_path();
  const TemporaryFolder start;
  const TemporaryFolder other;
  fs::current_path(start.path());
  config_.data_dir = "relative/data";
  {
    Pipeline pipeline(config_);
    fs::current_path(other.path());
    pipeline.start();
    use_all(pipeline);
    pipeline.stop();
  }
  EXPECT_TRUE(fs::is_empty(other.path()));
  EXPECT_TRUE(fs::exists(start.path() / "relative/data"));
  fs::current_path(before);
}

TEST_F(LibraryHostTest, TheEnvironmentIsNotRead) {
  // What would stop the program if it were read.
  ::setenv("TICKPIPE_WORKER_COUNT", "0", 1);
  ::setenv("TICKPIPE_STORE__TYPE", "none", 1);
  ::setenv("PIPELINE_WORKERS", "0", 1);
  {
    Pipeline pipeline(config_);
    pipeline.start();
    use_all(pipeline);
  }
  EXPECT_TRUE(fs::exists(config_.data_dir));
  EXPECT_TRUE(log_.has("[Pipeline] Started with 2 workers"));
  for (const char* const name : {"TICKPIPE_WORKER_COUNT", "TICKPIPE_STORE__TYPE", "PIPELINE_WORKERS"}) ::unsetenv(name);
}

/// Sockets of this process that listen.
int listening_sockets() {
  int count = 0;
  for (int descriptor = 0; descriptor < 1024; ++descriptor) {
    int listens = 0;
    socklen_t size = sizeof listens;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0) ++count;
  }
  return count;
}

std::size_t entries(const char* folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST_F(LibraryHostTest, NoPortIsOpenedUnlessAskedFor) {
  const int before = listening_sockets();
  Pipeline pipeline(config_);
  pipeline.start();
  use_all(pipeline);
  EXPECT_EQ(listening_sockets(), before);
  EXPECT_EQ(pipeline.http_port(), 0);

  PipelineConfig listening = config_;
  listening.data_dir = folder_ / "other";
  listening.http.enabled = true;
  listening.http.port = 0;
  Pipeline other(listening);
  EXPECT_EQ(other.http_port(), 0);
  other.start();
  EXPECT_NE(other.http_port(), 0);
  EXPECT_EQ(listening_sockets(), before + 1);
}

TEST_F(LibraryHostTest, ThreadsAndDescriptorsGoWithIt) {
  const auto use = [&] {
    Pipeline pipeline(config_);
    pipeline.start();
    use_all(pipeline);
  };
  use();  // RocksDB keeps threads of its own for the process
  const std::size_t threads = entries("/proc/self/task");
  const std::size_t descriptors = entries("/proc/self/fd");
  for (int i = 0; i < 3; ++i) use();
  EXPECT_TRUE(eventually([&] { return entries("/proc/self/task") <= threads; }));
  EXPECT_EQ(entries("/proc/self/fd"), descriptors);
}

TEST_F(LibraryHostTest, ACallbackThatThrowsDisturbsNobody) {
  config_.log.callback = [](LogLevel, std::string_view, std::string_view) { throw 1; };
  Pipeline pipeline(config_);
  pipeline.start();
  use_all(pipeline);
  pipeline.stop();
}

}  // namespace
}  // namespace tickpipe::testing
