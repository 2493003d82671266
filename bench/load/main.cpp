#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "load/options.h"
#include "load/report.h"
#include "load/run.h"
#include "load/summary.h"

// Exit status: 0 all connections held and all checks passed, 1 not so, 2 bad usage.
int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const tickpipe::internal::load::Options options = tickpipe::internal::load::read_options(argc, argv);
    const tickpipe::internal::load::RunResult result = tickpipe::internal::load::run_load(options);
    tickpipe::internal::load::write_summary(std::cerr, options, result);
    std::cout << tickpipe::internal::load::make_report(options, result).dump(2) << "\n";
    return result.problems.empty() ? 0 : 1;
  } catch (const tickpipe::internal::ConfigError& error) {
    std::cerr << "tickpipe_load: " << error.what() << "\n";
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "tickpipe_load: " << error.what() << "\n";
    return 1;
  }
}
