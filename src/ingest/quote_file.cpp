#include "ingest/quote_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/safe_text.h"

namespace tickpipe::internal {
namespace {

constexpr std::size_t kLongestNameShown = 4096;

}  // namespace

QuoteFile::File::File(const std::string& path, bool only_regular)
    : name(path == "-" ? "standard input" : safe_text(path, kLongestNameShown)) {
  struct stat info {};
  if (only_regular) {  // before open(), which would wait for the other end of a pipe
    const bool is_special = path == "-" || (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode));
    if (is_special) throw Error("cannot read " + name + ": it is not a regular file");
  }
  if (path == "-") return;
  fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw Error("cannot open " + name + ": " + std::strerror(errno));
  if (::fstat(fd, &info) != 0 || S_ISDIR(info.st_mode)) {
    const int error = errno;
    ::close(fd);
    if (S_ISDIR(info.st_mode)) throw Error("cannot read " + name + ": it is a folder");
    throw Error("cannot open " + name + ": " + std::strerror(error));
  }
  if (S_ISREG(info.st_mode)) size = static_cast<std::uint64_t>(info.st_size);
}

QuoteFile::File::~File() {
  if (fd > STDIN_FILENO) ::close(fd);
}

QuoteFile::QuoteFile(const std::string& path, const Options& options)
    : file_(path, options.only_regular), lines_(file_.fd, file_.name, options.max_line_bytes), json_(true) {
  has_line_ = lines_.next(line_);
  is_empty_ = !has_line_;
  if (is_empty_ || decide_input_format(options.format, file_.name, line_.text) == InputFormat::kJsonLines) return;
  try {
    csv_.emplace(CsvDecoder::from_header(line_.text, true));
  } catch (const ConfigError& error) {
    throw ConfigError(file_.name + ": " + error.what());
  }
  has_line_ = false;
}

RawQuoteReader::Item QuoteFile::next(RawQuote& quote, Reason& fault) {
  if (!has_line_ && !lines_.next(line_)) return Item::kEnd;
  has_line_ = false;
  if (line_.too_long) {
    fault = Reason::kLineTooLong;
    return Item::kFault;
  }
  const DecodeResult result = csv_ ? csv_->decode(line_.text, quote) : json_.decode(line_.text, quote);
  fault = result.reason;
  return result.ok ? Item::kQuote : Item::kFault;
}

}  // namespace tickpipe::internal
