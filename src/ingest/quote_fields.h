#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "model/raw_quote.h"

namespace tickpipe::internal {

/// The fields of a raw quote that have a meaning, under each of their names. All others are ignored.
enum class QuoteField : std::uint8_t {
  kLp,
  kSource,  ///< another name of kLp
  kSymbol,
  kBid,
  kAsk,
  kBidSize,
  kAskSize,
  kTimestamp,  ///< unit told from the magnitude; ISO 8601 text too
  kTimestampMs,
  kTimestampUs,
  kTimestampNs,
};
inline constexpr std::size_t kQuoteFieldCount = 11;

/// A set of fields, one bit each.
using QuoteFieldSet = std::uint16_t;
constexpr QuoteFieldSet field_bit(QuoteField field) {
  return static_cast<QuoteFieldSet>(1U << static_cast<unsigned>(field));
}
inline constexpr QuoteFieldSet kLpFields = field_bit(QuoteField::kLp) | field_bit(QuoteField::kSource);
inline constexpr QuoteFieldSet kTimestampFields =
    field_bit(QuoteField::kTimestamp) | field_bit(QuoteField::kTimestampMs) | field_bit(QuoteField::kTimestampUs) |
    field_bit(QuoteField::kTimestampNs);

/// The field that a JSON key or a CSV column names; nothing for any other name. Names are compared exactly.
std::optional<QuoteField> find_quote_field(std::string_view name) noexcept;

/// The texts of the fields that one line has: the characters of a number, or of a string without quotes and escapes.
/// The views must outlive the call of check_quote_fields.
class QuoteFields {
 public:
  void set(QuoteField field, std::string_view text) noexcept {
    texts_[static_cast<std::size_t>(field)] = text;
    present_ = static_cast<QuoteFieldSet>(present_ | field_bit(field));
  }
  void clear() noexcept { present_ = 0; }
  [[nodiscard]] bool has(QuoteField field) const noexcept { return (present_ & field_bit(field)) != 0; }
  [[nodiscard]] std::string_view text(QuoteField field) const noexcept {
    return texts_[static_cast<std::size_t>(field)];
  }
  [[nodiscard]] QuoteFieldSet present() const noexcept { return present_; }

 private:
  // A text counts only if its bit is set, so that a line starts with one store and not with eleven.
  std::array<std::string_view, kQuoteFieldCount> texts_;
  QuoteFieldSet present_ = 0;
};

/// The part of the check that JSON and CSV share. The first fault in this order decides: two fields of one meaning or
/// a bad size (`malformed`), `bad_lp`, `bad_symbol`, `bad_price`, `bad_timestamp`, `crossed`. Without a timestamp a
/// quote is refused only if `timestamp_required`. `out` is complete if the result is ok, else unspecified.
/// Cost: O(length of the texts), no allocation.
DecodeResult check_quote_fields(const QuoteFields& fields, bool timestamp_required, RawQuote& out) noexcept;

}  // namespace tickpipe::internal
