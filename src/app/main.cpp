#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "app/config/config_loader.h"
#include "app/config/default_config.h"
#include "app/output.h"
#include "core/error.h"
#include "core/safe_text.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to the program

namespace tickpipe::internal {
namespace {

using Overrides = std::vector<std::pair<std::string, std::string>>;

void print_error(const std::string& text) { std::fprintf(stderr, "tickpipe: %s\n", text.c_str()); }

std::vector<std::pair<std::string, std::string>> read_environment() {
  std::vector<std::pair<std::string, std::string>> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (const std::size_t cut = text.find('='); cut != std::string_view::npos) {
      variables.emplace_back(text.substr(0, cut), text.substr(cut + 1));
    }
  }
  return variables;
}

ConfigResult load(const std::string& file, Overrides overrides) {
  return load_config({.file = file, .environment = read_environment(), .overrides = std::move(overrides)});
}

/// Loads the configuration or throws ConfigError after telling every problem.
PipelineConfig load_or_throw(const std::string& file, Overrides overrides) {
  const ConfigResult result = load(file, std::move(overrides));
  for (const ConfigProblem& problem : result.problems) {
    print_error(format_problem(problem));
  }
  if (!result.ok()) throw ConfigError("the configuration cannot be used; `tickpipe check-config` checks it again");
  return result.config;
}

LoadedConfig load_for_serve(const std::string& file, const Overrides& overrides) {
  ConfigResult result = load(file, overrides);
  LoadedConfig loaded{std::move(result.config), std::move(result.file), true, {}};
  for (const ConfigProblem& problem : result.problems) {
    loaded.problems.push_back({format_problem(problem), problem.warning});
    loaded.is_usable &= problem.warning;
  }
  return loaded;
}

int run_check_config(const std::string& file) {
  const ConfigResult result = load(file, {});
  Output output;
  for (const ConfigProblem& problem : result.problems) {
    output.write((problem.warning ? "" : "error: ") + format_problem(problem) + "\n");
  }
  if (result.ok()) {
    output.write(result.file.empty() ? "ok: no configuration file, the defaults apply\n"
                                     : "ok: " + safe_text(result.file, 4096) + "\n");
  }
  output.flush();
  return result.ok() ? kExitSuccess : kExitUsage;
}

int run_default_config() {
  Output output;
  output.write(default_config_text());
  output.flush();
  return kExitSuccess;
}

Overrides split_overrides(const std::vector<std::string>& settings) {
  Overrides overrides;
  for (const std::string& setting : settings) {
    const std::size_t cut = setting.find('=');
    if (cut == std::string::npos) throw ConfigError("--set " + safe_text(setting) + ": write KEY=VALUE");
    overrides.emplace_back(setting.substr(0, cut), setting.substr(cut + 1));
  }
  return overrides;
}

/// A number from `least` to `most`, written without a sign or an exponent.
CLI::Validator in_range(std::uint64_t least, std::uint64_t most) {
  const std::string range = std::to_string(least) + " to " + std::to_string(most);
  return {[=](const std::string& text) {
            std::uint64_t value = 0;
            const char* const end = text.data() + text.size();
            const auto [stop, ec] = std::from_chars(text.data(), end, value);
            const bool is_good = ec == std::errc{} && stop == end && value >= least && value <= most;
            return is_good ? std::string() : safe_text(text, 64) + " is not a whole number from " + range;
          },
          {}};
}

/// Seconds, with decimals if need be.
CLI::Validator seconds_in_range() {
  return {[](const std::string& text) {
            double value = 0;
            const char* const end = text.data() + text.size();
            const auto [stop, ec] = std::from_chars(text.data(), end, value);
            const bool is_good = ec == std::errc{} && stop == end && value >= 0.001 && value <= 86'400;
            return is_good ? std::string() : safe_text(text, 64) + " is not a number of seconds from 0.001 to 86400";
          },
          {}};
}

class CommandLine {
 public:
  CommandLine() {
    app_.require_subcommand(1);
    add_serve();
    add_backfill();
    add_export();
    add_backup();
    add_check_data();
    add_repair();
    add_bench();
    auto* const check = app_.add_subcommand("check-config", "Print every problem of the configuration; exit 2 if any");
    add_config(check);
    check->callback([this] { status_ = run_check_config(config_file_); });
    app_.add_subcommand("default-config", "Print the full default configuration, commented")->callback([this] {
      status_ = run_default_config();
    });
    app_.add_subcommand("version", "Print version, build and components")->callback([this] {
      status_ = run_version();
    });
  }

  [[nodiscard]] bool is_command(const std::string& name) const {
    return !app_.get_subcommands([&name](const CLI::App* command) { return command->check_name(name); }).empty();
  }

  int run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      if (argc > 1 && argv[1][0] != '-' && !is_command(argv[1])) {
        print_error("there is no command " + safe_text(argv[1], 64) + "; tickpipe --help lists them");
        return kExitUsage;
      }
      return app_.exit(error) == 0 ? kExitSuccess : kExitUsage;
    }
    return status_;
  }

 private:
  void add_config(CLI::App* command) {
    command->add_option("--config", config_file_, "Configuration file (default: config/pipeline.json if it exists)")
        ->type_name("FILE");
  }

  void add_serve() {
    auto* const command = app_.add_subcommand(
        "serve", "Run pipeline and HTTP server until SIGINT or SIGTERM. SIGHUP reloads the configuration");
    add_config(command);
    command->add_option("--data-dir", serve_.data_dir, "Where data is kept")->capture_default_str();
    const auto* const port =
        command->add_option("--port", port_, "Port to listen on (default: http.port, 7999); 0 = any free one")
            ->type_name("N");
    const auto* const address =
        command->add_option("--address", address_, "Address to listen on (default: http.address, 127.0.0.1)")
            ->type_name("A");
    command
        ->add_option("--feed", serve_.feeds,
                     "sim, sim:A,B, replay:FILE or none; may be repeated, replaces the configured feeds")
        ->type_name("SPEC")
        ->allow_extra_args(false);
    command->callback([this, port, address] {
      Overrides overrides;
      if (port->count() != 0) overrides.emplace_back("http.port", port_);
      if (address->count() != 0) overrides.emplace_back("http.address", address_);
      serve_.load = [this, overrides] { return load_for_serve(config_file_, overrides); };
      LoadedConfig loaded = serve_.load();
      for (const LoadedConfig::Problem& problem : loaded.problems) print_error(problem.text);
      if (!loaded.is_usable) {
        throw ConfigError("the configuration cannot be used; `tickpipe check-config` checks it again");
      }
      status_ = run_serve(std::move(loaded), serve_);
    });
  }

  void add_backfill() {
    auto* const command = app_.add_subcommand(
        "backfill", "Load historical ticks: CSV with a header, or JSON lines. The same file twice changes nothing");
    add_config(command);
    command->add_option("FILE", backfill_.files, "Files, in order; - is standard input")->required();
    command->add_option("--data-dir", backfill_.data_dir, "Where data is kept")->capture_default_str();
    command->add_option("--lp", backfill_.lp, "LP of ticks that name none")->type_name("NAME")->capture_default_str();
    command->add_option("--symbols", backfill_.symbols, "Load these only; ticks of others are refused")
        ->type_name("A,B")
        ->delimiter(',')
        ->allow_extra_args(false);
    command->add_option("--format", backfill_.format, "auto tells by name and content")
        ->check(CLI::IsMember({"auto", "csv", "jsonl"}))
        ->capture_default_str();
    command->callback([this] {
      Overrides overrides;
      if (!backfill_.symbols.empty()) overrides.emplace_back("symbols", CLI::detail::join(backfill_.symbols, ","));
      status_ = run_backfill(load_or_throw(config_file_, std::move(overrides)), backfill_);
    });
  }

  void add_export() {
    auto* const command = app_.add_subcommand("export", "Write stored ticks or bars to standard output, ascending");
    add_config(command);
    command->add_option("WHAT", export_.what, "ticks or bars")->required()->check(CLI::IsMember({"ticks", "bars"}));
    command->add_option("--symbol", export_.symbol, "Which symbol")->required()->type_name("S");
    command->add_option("--timeframe", export_.timeframe, "Of bars")->type_name("TF")->capture_default_str();
    command->add_option("--from", export_.from, "First time, inclusive: RFC 3339 or Unix time")->type_name("T");
    command->add_option("--to", export_.to, "End, exclusive")->type_name("T");
    command->add_option("--format", export_.format)->check(CLI::IsMember({"csv", "jsonl"}))->capture_default_str();
    command->add_option("--data-dir", export_.data_dir, "Where data is kept")->capture_default_str();
    command->callback([this] {
      load_or_throw(config_file_, {});
      status_ = run_export(export_);
    });
  }

  void add_backup() {
    auto* const command =
        app_.add_subcommand("backup", "Copy a data directory, also that of a running server. To restore, copy it back");
    command->add_option("DIR", backup_.target, "Folder to make; missing or empty")->required();
    command->add_option("--data-dir", backup_.data_dir, "Where data is kept")->capture_default_str();
    command->callback([this] { status_ = run_backup(backup_); });
  }

  void add_check_data() {
    auto* const command = app_.add_subcommand(
        "check-data", "Read all stored data and print what is damaged or missing; exit 1 if anything is");
    command->add_option("--data-dir", check_data_.data_dir, "Where data is kept")->capture_default_str();
    command->callback([this] { status_ = run_check_data(check_data_); });
  }

  void add_repair() {
    auto* const command = app_.add_subcommand(
        "repair", "Make a sound store of a damaged one with all that can be read, and print what is lost");
    add_config(command);
    command->add_option("--data-dir", repair_.data_dir, "Where data is kept")->capture_default_str();
    command->callback([this] { status_ = run_repair(load_or_throw(config_file_, {}), repair_); });
  }

  void add_bench() {
    auto* const command = app_.add_subcommand("bench", "Run ticks through the full pipeline; one JSON object");
    add_config(command);
    auto* const ticks = command->add_option("--ticks", bench_.ticks, "How many ticks")
                            ->type_name("N")
                            ->check(in_range(1, 1'000'000'000'000));
    command->add_option("--seconds", bench_.seconds, "How long (default 5)")
        ->type_name("S")
        ->check(seconds_in_range())
        ->excludes(ticks);
    command->add_option("--rate", bench_.rate, "Offered ticks/s, dropped when there is no room; 0 = as fast as taken")
        ->type_name("N")
        ->check(in_range(0, 100'000'000))
        ->capture_default_str();
    command->add_option("--symbols", bench_.symbols, "How many symbols")->type_name("N")->capture_default_str();
    command->add_option("--workers", bench_.workers, "Shards (default: worker_count)")->type_name("N");
    command->add_option("--store", bench_.store, "Where data goes")
        ->check(CLI::IsMember({"none", "embedded", "redis"}))
        ->capture_default_str();
    command->add_option("--data-dir", bench_.data_dir, "For --store embedded (default: a temporary folder)");
    command->add_option("--set", settings_, "Override a configuration key; may be repeated")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    command->callback([this] {
      Overrides overrides = split_overrides(settings_);
      if (bench_.workers) overrides.emplace_back("worker_count", std::to_string(*bench_.workers));
      status_ = run_bench(load_or_throw(config_file_, std::move(overrides)), bench_);
    });
  }

  CLI::App app_{"Market-data pipeline: ticks in, exact bars out.", "tickpipe"};
  int status_ = kExitSuccess;
  std::string config_file_;
  std::string port_;
  std::string address_;
  ServeOptions serve_;
  BackfillOptions backfill_;
  ExportOptions export_;
  BackupOptions backup_;
  CheckDataOptions check_data_;
  RepairOptions repair_;
  BenchOptions bench_;
  std::vector<std::string> settings_;
};

}  // namespace
}  // namespace tickpipe::internal

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write(), told like any other
  try {
    return tickpipe::internal::CommandLine().run(argc, argv);
  } catch (const tickpipe::internal::ConfigError& error) {
    tickpipe::internal::print_error(error.what());
    return tickpipe::internal::kExitUsage;
  } catch (const std::exception& error) {
    tickpipe::internal::print_error(error.what());
    return tickpipe::internal::kExitFailure;
  }
}
