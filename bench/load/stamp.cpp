#include "load/stamp.h"

#include <algorithm>

namespace tickpipe::internal::load {

namespace {

constexpr std::int64_t kUnit = 1'000'000'000;
constexpr std::int64_t kBaseSpread = 1'000'000;
constexpr std::int64_t kMaxLag = 99'000'000;

}  // namespace

StampedPrices stamped_prices(std::int64_t walk, std::int64_t now_us, std::int64_t lag_us) noexcept {
  const std::int64_t bid = walk * kUnit + now_us % kStampModulo;
  return {bid, bid + kBaseSpread + std::clamp<std::int64_t>(lag_us, 0, kMaxLag)};
}

Stamp stamp_of(std::int64_t bid, std::int64_t spread) noexcept {
  return {bid % kUnit, std::clamp<std::int64_t>(spread - kBaseSpread, 0, kMaxLag)};
}

std::int64_t since(const Stamp& stamp, std::int64_t now_us) noexcept {
  const std::int64_t elapsed = (now_us % kStampModulo - stamp.sent_us + kStampModulo) % kStampModulo;
  return elapsed > kStampModulo / 2 ? 0 : elapsed;
}

void append_price(std::string& out, std::int64_t price) {
  out += std::to_string(price / kUnit);
  out += '.';
  const std::string digits = std::to_string(price % kUnit);
  out.append(9 - digits.size(), '0');
  out += digits;
}

std::int64_t price_from_text(std::string_view text) noexcept {
  std::int64_t whole = 0;
  std::size_t at = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9' && at < 9; ++at) whole = whole * 10 + (text[at] - '0');
  std::int64_t price = whole * kUnit;
  if (at >= text.size() || text[at] != '.') return price;
  std::int64_t weight = kUnit / 10;
  for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, weight /= 10) {
    price += (text[at] - '0') * weight;
  }
  return price;
}

}  // namespace tickpipe::internal::load
