#include "ingest/quote_fields.h"

#include <bit>
#include <initializer_list>

#include "core/decimal.h"
#include "core/timestamp_text.h"

namespace tickpipe::internal {
namespace {

// Not std::popcount, which is a library call where the processor is not known to have the instruction.
constexpr bool has_more_than_one(unsigned fields) noexcept { return (fields & (fields - 1)) != 0; }

struct SizeFaults {
  const char* not_a_number;
  const char* does_not_fit;
  const char* negative;
};
constexpr SizeFaults kBidSizeFaults = {"bid_size is not a number", "bid_size is not a multiple of 1e-9 within 64 bits",
                                       "bid_size is negative"};
constexpr SizeFaults kAskSizeFaults = {"ask_size is not a number", "ask_size is not a multiple of 1e-9 within 64 bits",
                                       "ask_size is negative"};

/// Returns nullptr if `field` is absent or a good size.
const char* check_size(const QuoteFields& fields, QuoteField field, const SizeFaults& faults, Quantity& out) noexcept {
  out = kNoQuantity;
  if (!fields.has(field)) return nullptr;
  const Decimal size = parse_decimal(fields.text(field));
  if (size.status == DecimalStatus::kSyntax) return faults.not_a_number;
  if (size.status == DecimalStatus::kRange) return faults.does_not_fit;
  if (size.units < 0) return faults.negative;
  out = {size.units};
  return nullptr;
}

struct PriceFaults {
  const char* absent;
  const char* not_a_number;
  const char* does_not_fit;
  const char* not_positive;
};
constexpr PriceFaults kBidFaults = {"bid is absent", "bid is not a number",
                                    "bid is not a multiple of 1e-9 within 64 bits", "bid is not above 0"};
constexpr PriceFaults kAskFaults = {"ask is absent", "ask is not a number",
                                    "ask is not a multiple of 1e-9 within 64 bits", "ask is not above 0"};

/// Returns nullptr if `field` is a good price.
const char* check_price(const QuoteFields& fields, QuoteField field, const PriceFaults& faults, Price& out) noexcept {
  if (!fields.has(field)) return faults.absent;
  const Decimal price = parse_decimal(fields.text(field));
  if (price.status == DecimalStatus::kSyntax) return faults.not_a_number;
  if (price.status == DecimalStatus::kRange) return faults.does_not_fit;
  if (price.units <= 0) return faults.not_positive;
  out = {price.units};
  return nullptr;
}

constexpr TimeUnit unit_of(QuoteField field) noexcept {
  switch (field) {
    case QuoteField::kTimestampMs:
      return TimeUnit::kMillis;
    case QuoteField::kTimestampUs:
      return TimeUnit::kMicros;
    case QuoteField::kTimestampNs:
      return TimeUnit::kNanos;
    default:
      return TimeUnit::kAuto;
  }
}

/// The one field of `set` that is present; at least one must be.
QuoteField present_one(const QuoteFields& fields, QuoteFieldSet set) noexcept {
  return static_cast<QuoteField>(std::countr_zero(static_cast<unsigned>(fields.present() & set)));
}

}  // namespace

std::optional<QuoteField> find_quote_field(std::string_view name) noexcept {
  const auto one_of = [name](std::initializer_list<QuoteField> fields,
                             std::initializer_list<std::string_view> names) -> std::optional<QuoteField> {
    auto field = fields.begin();
    for (const std::string_view candidate : names) {
      if (name == candidate) return *field;
      ++field;
    }
    return std::nullopt;
  };
  using enum QuoteField;
  switch (name.size()) {
    case 2:
      return one_of({kLp}, {"lp"});
    case 3:
      return one_of({kBid, kAsk}, {"bid", "ask"});
    case 6:
      return one_of({kSymbol, kSource}, {"symbol", "source"});
    case 8:
      return one_of({kBidSize, kAskSize}, {"bid_size", "ask_size"});
    case 9:
      return one_of({kTimestamp}, {"timestamp"});
    case 12:
      return one_of({kTimestampMs, kTimestampUs, kTimestampNs}, {"timestamp_ms", "timestamp_us", "timestamp_ns"});
    default:
      return std::nullopt;
  }
}

DecodeResult check_quote_fields(const QuoteFields& fields, bool timestamp_required, RawQuote& out) noexcept {
  using enum QuoteField;
  if (has_more_than_one(fields.present() & kLpFields)) return DecodeResult::malformed("both lp and source");
  if (has_more_than_one(fields.present() & kTimestampFields)) {
    return DecodeResult::malformed("more than one timestamp");
  }
  if (const char* fault = check_size(fields, kBidSize, kBidSizeFaults, out.bid_size)) {
    return DecodeResult::malformed(fault);
  }
  if (const char* fault = check_size(fields, kAskSize, kAskSizeFaults, out.ask_size)) {
    return DecodeResult::malformed(fault);
  }

  out.lp.reset();
  if ((fields.present() & kLpFields) != 0) {
    out.lp = parse_lp(fields.text(present_one(fields, kLpFields)));
    if (!out.lp) return DecodeResult::refused(Reason::kBadLp, "not an LP name");
  }

  if (!fields.has(kSymbol)) return DecodeResult::refused(Reason::kBadSymbol, "symbol is absent");
  const std::optional<Name> symbol = parse_symbol(fields.text(kSymbol));
  if (!symbol) return DecodeResult::refused(Reason::kBadSymbol, "not a symbol");
  out.symbol = *symbol;

  if (const char* fault = check_price(fields, kBid, kBidFaults, out.bid)) {
    return DecodeResult::refused(Reason::kBadPrice, fault);
  }
  if (const char* fault = check_price(fields, kAsk, kAskFaults, out.ask)) {
    return DecodeResult::refused(Reason::kBadPrice, fault);
  }

  out.ts_event.reset();
  if ((fields.present() & kTimestampFields) != 0) {
    const QuoteField field = present_one(fields, kTimestampFields);
    out.ts_event = parse_timestamp(fields.text(field), unit_of(field));
    if (!out.ts_event) return DecodeResult::refused(Reason::kBadTimestamp, "not a time from 1973 to 2261");
  } else if (timestamp_required) {
    return DecodeResult::refused(Reason::kBadTimestamp, "timestamp is absent");
  }

  if (out.bid > out.ask) return DecodeResult::refused(Reason::kCrossed, "bid is above ask");
  return DecodeResult::accepted();
}

}  // namespace tickpipe::internal
