#pragma once

#include <string>
#include <string_view>

#include "core/decimal.h"
#include "fuzz/fuzzing.h"
#include "model/raw_quote.h"

namespace tickpipe::internal::fuzzing {

inline bool same_quote(const RawQuote& a, const RawQuote& b) {
  return a.lp == b.lp && a.symbol == b.symbol && a.bid == b.bid && a.ask == b.ask && a.bid_size == b.bid_size &&
         a.ask_size == b.ask_size && a.ts_event == b.ts_event;
}

/// The same verdict, and the same quote if it is a good one.
inline void require_same(const DecodeResult& a, const RawQuote& quote_a, const DecodeResult& b, const RawQuote& quote_b,
                         const char* what) {
  require(a.ok == b.ok && (a.ok || a.reason == b.reason) && (!a.ok || same_quote(quote_a, quote_b)), what);
}

/// A good quote as the JSON object that says the same.
inline std::string to_json(const RawQuote& quote) {
  std::string out = R"({"symbol":")" + std::string(quote.symbol.view()) + R"(","bid":)";
  out += decimal_to_string(quote.bid.units) + R"(,"ask":")" + decimal_to_string(quote.ask.units) + '"';
  if (quote.lp) out += R"(,"lp":")" + std::string(quote.lp->view()) + '"';
  if (quote.bid_size != kNoQuantity) out += R"(,"bid_size":)" + decimal_to_string(quote.bid_size.units);
  if (quote.ask_size != kNoQuantity) out += R"(,"ask_size":)" + decimal_to_string(quote.ask_size.units);
  if (quote.ts_event) out += R"(,"timestamp_ns":)" + std::to_string(quote.ts_event->ns);
  return out + '}';
}

}  // namespace tickpipe::internal::fuzzing
