#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/pipeline_config.h"

namespace tickpipe::internal {

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

struct BackupOptions {
  std::filesystem::path data_dir = "data";
  std::filesystem::path target;
};

struct CheckDataOptions {
  std::filesystem::path data_dir = "data";
};

struct RepairOptions {
  std::filesystem::path data_dir = "data";
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

/// A configuration and where it came from.
struct LoadedConfig {
  PipelineConfig config;
  std::string file;       ///< empty = none
  bool is_usable = true;  ///< no errors
  struct Problem {
    std::string text;  ///< one line
    bool is_warning = false;
  };
  std::vector<Problem> problems;
};

struct ServeOptions {
  std::filesystem::path data_dir = "data";
  std::vector<std::string> feeds;      ///< `--feed`; empty = as configured
  std::function<LoadedConfig()> load;  ///< reads the configuration again, with the same options
};

// Each command prints its result on standard output and returns the exit status. Errors are thrown: ConfigError for
// bad usage or configuration, Error for failures at run time.
int run_backfill(const PipelineConfig& config, const BackfillOptions& options);
int run_export(const ExportOptions& options);
int run_backup(const BackupOptions& options);
int run_check_data(const CheckDataOptions& options);
int run_repair(const PipelineConfig& config, const RepairOptions& options);
int run_bench(PipelineConfig config, const BenchOptions& options);
/// Runs until SIGINT or SIGTERM.
int run_serve(LoadedConfig loaded, const ServeOptions& options);
int run_version();
/// `0.1.0`
std::string_view version_text();

}  // namespace tickpipe::internal
