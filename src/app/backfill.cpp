#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>

#include "app/commands.h"
#include "app/output.h"
#include "core/error.h"
#include "core/safe_text.h"
#include "ingest/quote_file.h"
#include "ingest/quote_producer.h"
#include "pipeline/pipeline.h"

namespace tickpipe::internal {
namespace {

constexpr std::chrono::seconds kGiveUpAfter{30};
constexpr std::uint64_t kLinesPerClockCall = 256;

/// One changing line on a terminal.
class Progress {
 public:
  explicit Progress(const QuoteFile& input) : input_(input), shown_(::isatty(STDERR_FILENO) != 0) {}
  ~Progress() {
    if (drawn_) std::fputs("\r\x1b[K", stderr);
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update() {
    const auto now = std::chrono::steady_clock::now();
    if (!shown_ || now < next_) return;
    next_ = now + std::chrono::milliseconds{200};
    drawn_ = true;
    if (input_.size() != 0) {
      std::fprintf(stderr, "\r\x1b[K%s: %llu lines, %d %%", input_.name().c_str(),
                   static_cast<unsigned long long>(input_.line_number()),
                   static_cast<int>(input_.bytes_consumed() * 100 / input_.size()));
    } else {
      std::fprintf(stderr, "\r\x1b[K%s: %llu lines", input_.name().c_str(),
                   static_cast<unsigned long long>(input_.line_number()));
    }
  }

 private:
  const QuoteFile& input_;
  bool shown_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point next_;
};

/// Reads one input to its end. Throws when the store gives up.
void load(QuoteFile&& input, QuoteProducer& producer, Pipeline& pipeline) {
  if (input.is_empty()) {
    std::fprintf(stderr, "tickpipe: warning: %s is empty\n", input.name().c_str());
    return;
  }
  Progress progress(input);
  RawQuote quote;
  Reason fault{};
  for (std::uint64_t count = 0;; ++count) {
    const QuoteFile::Item item = input.next(quote, fault);
    if (item == QuoteFile::Item::kEnd) return;
    if (count % kLinesPerClockCall == 0) {
      producer.take_time();
      progress.update();
      pipeline.throw_if_given_up();
    }
    if (item == QuoteFile::Item::kFault && fault == Reason::kLineTooLong) {
      producer.refuse(fault);
    } else {
      producer.submit(quote, item == QuoteFile::Item::kFault ? std::optional(fault) : std::nullopt);
    }
  }
}

bool is_pipe(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

/// Opens every file and reads its header, so that nothing is loaded when one of them cannot be.
void check_inputs(const std::vector<std::string>& paths, const QuoteFile::Options& options) {
  for (const std::string& path : paths) {
    if (path == "-" || is_pipe(path)) continue;  // a pipe can be opened only once
    const QuoteFile input(path, options);
  }
}

std::string summary(const PipelineStats& stats, const std::vector<std::pair<Timeframe, std::uint64_t>>& bars) {
  std::string out = "{";
  const auto field = [&out](std::string_view name, std::uint64_t value) {
    if (out.back() != '{') out += ',';
    append_json_string(out, name);
    out.append(":").append(std::to_string(value));
  };
  field("received", stats.received);
  field("accepted", stats.processed);
  field("duplicate", stats.duplicates());
  field("out_of_order", stats.out_of_order);
  field("spikes", stats.spikes);
  field("invalid", stats.invalid());
  out += ",\"invalid_by_reason\":{";
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    if (static_cast<Reason>(i) != Reason::kDuplicate && stats.refused[i] != 0) field(kReasonNames[i], stats.refused[i]);
  }
  out += "},\"bars\":{";
  for (const auto& [timeframe, count] : bars) field(timeframe.name(), count);
  return out + "}}\n";
}

}  // namespace

int run_backfill(const PipelineConfig& config, const BackfillOptions& options) {
  const auto lp = parse_lp(options.lp);
  if (!lp) throw ConfigError("--lp " + safe_text(options.lp) + ": 1 to 32 of A-Z a-z 0-9 . _ -");
  QuoteFile::Options input_options{.format = std::nullopt, .max_line_bytes = config.ingest.max_line_bytes};
  if (options.format == "csv") input_options.format = InputFormat::kCsv;
  if (options.format == "jsonl") input_options.format = InputFormat::kJsonLines;
  check_inputs(options.files, input_options);

  Pipeline pipeline(config,
                    {.data_dir = options.data_dir, .clock = nullptr, .listeners = {}, .give_up_after = kGiveUpAfter});
  pipeline.start();
  std::exception_ptr input_failure;
  try {
    QuoteProducer producer(pipeline.intake(), *lp, QuoteProducer::WhenFull::kWait);
    for (const std::string& path : options.files) {
      load(QuoteFile(path, input_options), producer, pipeline);
    }
  } catch (const Error&) {
    input_failure = std::current_exception();  // what was read before is kept all the same
  }
  pipeline.close_bars_through(pipeline.clock().now());
  pipeline.stop();
  if (const std::string failure = pipeline.failure(); !failure.empty()) {
    throw Error(failure + "; what was stored is sound: mend the cause and load the same files again");
  }
  if (input_failure) std::rethrow_exception(input_failure);
  Output output;
  output.write(summary(pipeline.stats(), pipeline.changed_bars()));
  output.flush();
  return kExitSuccess;
}

}  // namespace tickpipe::internal
