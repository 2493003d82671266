#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <string>

#include "app/commands.h"
#include "app/output.h"
#include "core/error.h"
#include "core/safe_text.h"
#include "ingest/csv_decoder.h"
#include "ingest/input_format.h"
#include "ingest/json_decoder.h"
#include "ingest/line_reader.h"
#include "ingest/quote_producer.h"
#include "pipeline/pipeline.h"

namespace tickpipe {
namespace {

constexpr std::chrono::seconds kGiveUpAfter{30};
constexpr std::uint64_t kLinesPerClockCall = 256;
constexpr std::size_t kLongestNameShown = 4096;

/// An input file, or standard input for `-`.
class InputFile {
 public:
  explicit InputFile(const std::string& path)
      : name_(path == "-" ? "standard input" : safe_text(path, kLongestNameShown)) {
    if (path == "-") return;
    fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat info {};
    if (fd_ < 0 || ::fstat(fd_, &info) != 0) throw Error("cannot open " + name_ + ": " + std::strerror(errno));
    if (S_ISDIR(info.st_mode)) throw Error("cannot read " + name_ + ": it is a folder");
    if (S_ISREG(info.st_mode)) size_ = static_cast<std::uint64_t>(info.st_size);
  }
  ~InputFile() {
    if (fd_ > STDIN_FILENO) ::close(fd_);
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }  ///< 0 = not known

 private:
  std::string name_;
  int fd_ = STDIN_FILENO;
  std::uint64_t size_ = 0;
};

/// The decoder that an input needs, chosen by its first line.
class LineDecoder {
 public:
  LineDecoder(const InputFile& input, std::string_view first_line, std::optional<InputFormat> choice) : json_(true) {
    if (decide_input_format(choice, input.name(), first_line) == InputFormat::kJsonLines) return;
    try {
      csv_.emplace(CsvDecoder::from_header(first_line, true));
    } catch (const ConfigError& error) {
      throw ConfigError(input.name() + ": " + error.what());
    }
  }
  [[nodiscard]] bool has_header() const { return csv_.has_value(); }
  DecodeResult decode(std::string_view line, RawQuote& quote) {
    return csv_ ? csv_->decode(line, quote) : json_.decode(line, quote);
  }

 private:
  std::optional<CsvDecoder> csv_;
  JsonDecoder json_;
};

/// One changing line on a terminal.
class Progress {
 public:
  explicit Progress(const InputFile& input) : input_(input), shown_(::isatty(STDERR_FILENO) != 0) {}
  ~Progress() {
    if (drawn_) std::fputs("\r\x1b[K", stderr);
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::uint64_t lines, std::uint64_t bytes) {
    const auto now = std::chrono::steady_clock::now();
    if (!shown_ || now < next_) return;
    next_ = now + std::chrono::milliseconds{200};
    drawn_ = true;
    if (input_.size() != 0) {
      std::fprintf(stderr, "\r\x1b[K%s: %llu lines, %d %%", input_.name().c_str(),
                   static_cast<unsigned long long>(lines), static_cast<int>(bytes * 100 / input_.size()));
    } else {
      std::fprintf(stderr, "\r\x1b[K%s: %llu lines", input_.name().c_str(), static_cast<unsigned long long>(lines));
    }
  }

 private:
  const InputFile& input_;
  bool shown_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point next_;
};

/// Reads one input to its end. Throws when the store gives up.
void load(const InputFile& input, std::optional<InputFormat> choice, std::size_t max_line_bytes,
          QuoteProducer& producer, Pipeline& pipeline) {
  LineReader lines(input.fd(), input.name(), max_line_bytes);
  Progress progress(input);
  Line line;
  if (!lines.next(line)) {
    std::fprintf(stderr, "tickpipe: warning: %s is empty\n", input.name().c_str());
    return;
  }
  LineDecoder decoder(input, line.text, choice);
  bool more = !decoder.has_header() || lines.next(line);
  RawQuote quote;
  for (std::uint64_t count = 0; more; more = lines.next(line), ++count) {
    if (count % kLinesPerClockCall == 0) {
      producer.take_time();
      progress.update(line.number, lines.bytes_consumed());
      pipeline.throw_if_given_up();
    }
    if (line.too_long) {
      producer.refuse(Reason::kLineTooLong);
      continue;
    }
    const DecodeResult result = decoder.decode(line.text, quote);
    producer.submit(quote, result.ok ? std::nullopt : std::optional(result.reason));
  }
}

bool is_pipe(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

/// Opens every file and reads its header, so that nothing is loaded when one of them cannot be.
void check_inputs(const std::vector<std::string>& paths, std::optional<InputFormat> choice,
                  std::size_t max_line_bytes) {
  for (const std::string& path : paths) {
    if (path == "-") continue;
    if (is_pipe(path)) continue;  // it can be opened only once
    const InputFile input(path);
    LineReader lines(input.fd(), input.name(), max_line_bytes);
    Line line;
    if (lines.next(line)) LineDecoder(input, line.text, choice);
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
  std::optional<InputFormat> choice;
  if (options.format == "csv") choice = InputFormat::kCsv;
  if (options.format == "jsonl") choice = InputFormat::kJsonLines;
  const std::size_t max_line_bytes = config.ingest.max_line_bytes;
  check_inputs(options.files, choice, max_line_bytes);

  Pipeline pipeline(config,
                    {.data_dir = options.data_dir, .clock = nullptr, .listeners = {}, .give_up_after = kGiveUpAfter});
  pipeline.start();
  std::exception_ptr input_failure;
  try {
    QuoteProducer producer(pipeline.intake(), *lp, QuoteProducer::WhenFull::kWait);
    for (const std::string& path : options.files) {
      load(InputFile(path), choice, max_line_bytes, producer, pipeline);
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

}  // namespace tickpipe
