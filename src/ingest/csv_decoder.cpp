#include "ingest/csv_decoder.h"

#include <bit>
#include <cstring>
#include <string>

#include "core/error.h"

namespace tickpipe::internal {
namespace {

/// Takes one record apart, field by field.
class CsvRecord {
 public:
  /// `unquoted` receives fields with doubled quotes; the views given out point into it or into `line`.
  CsvRecord(std::string_view line, std::vector<char>& unquoted) noexcept
      : p_(line.data()), end_(p_ + line.size()), line_bytes_(line.size()), unquoted_(unquoted) {}

  [[nodiscard]] bool has_next() const noexcept { return has_next_; }

  /// Reads the next field; has_next() must hold. Returns nullptr, or what is wrong with it.
  const char* next(std::string_view& field) {
    if (p_ != end_ && *p_ == '"') {
      if (const char* fault = quoted(field)) return fault;
    } else {
      const char* const start = p_;
      for (; p_ != end_ && *p_ != ','; ++p_) {
        if (*p_ == '"') return "quote inside an unquoted field";
      }
      field = {start, static_cast<std::size_t>(p_ - start)};
    }
    has_next_ = p_ != end_;
    if (has_next_) ++p_;
    return nullptr;
  }

 private:
  const char* quoted(std::string_view& field) {
    const char* const start = ++p_;
    bool doubled = false;
    while (true) {
      p_ = static_cast<const char*>(std::memchr(p_, '"', static_cast<std::size_t>(end_ - p_)));
      if (p_ == nullptr) return "quoted field does not end";
      if (p_ + 1 == end_ || p_[1] != '"') break;
      doubled = true;
      p_ += 2;
      if (p_ == end_) return "quoted field does not end";
    }
    field = {start, static_cast<std::size_t>(p_ - start)};
    ++p_;
    if (p_ != end_ && *p_ != ',') return "text after the closing quote";
    if (doubled) field = without_doubled_quotes(field);
    return nullptr;
  }

  std::string_view without_doubled_quotes(std::string_view field) {
    // All such fields of a line together are shorter than the line, so that the buffer does not move under a view.
    if (unquoted_.size() < line_bytes_) unquoted_.resize(line_bytes_);
    char* const start = unquoted_.data() + unquoted_used_;
    char* out = start;
    for (std::size_t i = 0; i < field.size(); ++i) {
      *out++ = field[i];
      if (field[i] == '"') ++i;
    }
    const auto size = static_cast<std::size_t>(out - start);
    unquoted_used_ += size;
    return {start, size};
  }

  const char* p_;
  const char* end_;
  std::size_t line_bytes_;
  std::vector<char>& unquoted_;
  std::size_t unquoted_used_ = 0;
  bool has_next_ = true;
};

constexpr const char* kHeaderRemedy =
    " (the header needs symbol, bid, ask and one of timestamp, timestamp_ms, "
    "timestamp_us, timestamp_ns; lp or source, bid_size and ask_size are optional)";

[[noreturn]] void refuse_header(const std::string& what) { throw ConfigError("CSV header: " + what + kHeaderRemedy); }

}  // namespace

CsvDecoder CsvDecoder::from_header(std::string_view line, bool timestamp_required) {
  CsvDecoder decoder(timestamp_required);
  QuoteFieldSet seen = 0;
  CsvRecord record(line, decoder.unquoted_);
  while (record.has_next()) {
    std::string_view name;
    if (const char* fault = record.next(name)) refuse_header(fault);
    const std::optional<QuoteField> field = find_quote_field(name);
    if (field) {
      if ((seen & field_bit(*field)) != 0) refuse_header("column " + std::string(name) + " twice");
      seen = static_cast<QuoteFieldSet>(seen | field_bit(*field));
    }
    decoder.columns_.push_back(field);
  }
  const auto count = [seen](QuoteFieldSet set) { return std::popcount(static_cast<unsigned>(seen & set)); };
  if (count(kLpFields) > 1) refuse_header("both lp and source");
  if (count(kTimestampFields) > 1) refuse_header("more than one timestamp column");
  if (count(field_bit(QuoteField::kSymbol)) == 0) refuse_header("column symbol is missing");
  if (count(field_bit(QuoteField::kBid)) == 0) refuse_header("column bid is missing");
  if (count(field_bit(QuoteField::kAsk)) == 0) refuse_header("column ask is missing");
  if (timestamp_required && count(kTimestampFields) == 0) refuse_header("column timestamp is missing");
  return decoder;
}

DecodeResult CsvDecoder::decode(std::string_view line, RawQuote& out) {
  fields_.clear();
  CsvRecord record(line, unquoted_);
  for (const std::optional<QuoteField> column : columns_) {
    if (!record.has_next()) return DecodeResult::malformed("fewer fields than the header");
    std::string_view text;
    if (const char* fault = record.next(text)) return DecodeResult::malformed(fault);
    if (column && !text.empty()) fields_.set(*column, text);
  }
  if (record.has_next()) return DecodeResult::malformed("more fields than the header");
  return check_quote_fields(fields_, timestamp_required_, out);
}

bool looks_like_csv_header(std::string_view line) {
  std::vector<char> unquoted;
  CsvRecord record(line, unquoted);
  bool any_known = false;
  while (record.has_next()) {
    std::string_view name;
    if (record.next(name) != nullptr) return false;
    any_known = any_known || find_quote_field(name).has_value();
  }
  return any_known;
}

}  // namespace tickpipe::internal
