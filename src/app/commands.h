#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/pipeline_config.h"

namespace tickpipe {

/// Exit status of the program.
inline constexpr int kExitSuccess = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

struct BackfillOptions {
  std::vector<std::string> files;  ///< `-` = standard input
  std::filesystem::path data_dir = "data";
  std::string lp = "FILE";
  std::vector<std::string> symbols;  ///< empty = as configured
  std::string format = "auto";       ///< auto csv jsonl
};

struct ExportOptions {
  std::string what;  ///< ticks bars
  std::filesystem::path data_dir = "data";
  std::string symbol;
  std::string timeframe = "1m";
  std::string from;
  std::string to;
  std::string format = "csv";  ///< csv jsonl
};

struct BenchOptions {
  std::optional<std::uint64_t> ticks;
  std::optional<double> seconds;
  std::uint64_t rate = 0;  ///< ticks/s; 0 = as fast as the pipeline takes them
  std::uint32_t symbols = 50;
  std::optional<std::uint32_t> workers;
  std::string store = "none";      ///< none embedded redis
  std::filesystem::path data_dir;  ///< empty = a temporary folder, removed at the end
};

// Each command prints its result on standard output and returns the exit status. Errors are thrown: ConfigError for
// bad usage or configuration, Error for failures at run time.
int run_backfill(const PipelineConfig& config, const BackfillOptions& options);
int run_export(const ExportOptions& options);
int run_bench(PipelineConfig config, const BenchOptions& options);
int run_version();

}  // namespace tickpipe
