#include "load/feed_body.h"

#include <algorithm>
#include <string_view>

#include "load/now.h"
#include "load/stamp.h"

namespace tickpipe::internal::load {

FeedBody::FeedBody(const std::string& line, std::uint32_t first, std::uint32_t step, std::uint32_t end)
    : line_(line), random_(first + 1) {
  for (std::uint32_t i = first; i < end; i += step) symbols_.push_back({load_symbol(i), kWalkStart});
}

void FeedBody::write(std::string& out, std::uint32_t ticks, std::int64_t lag_us) {
  out.clear();
  const std::int64_t now_us = monotonic_us();
  std::string bid;
  std::string ask;
  for (std::uint32_t i = 0; i < ticks; ++i) {
    Symbol& symbol = symbols_[next_];
    next_ = next_ + 1 == symbols_.size() ? 0 : next_ + 1;
    symbol.walk = std::clamp(symbol.walk + static_cast<std::int64_t>(random_() / 7 % 3) - 1, kWalkLow, kWalkHigh);
    const StampedPrices prices = stamped_prices(symbol.walk, now_us, lag_us);
    bid.clear();
    ask.clear();
    append_price(bid, prices.bid);
    append_price(ask, prices.ask);
    // Of one symbol and LP times rise, also when the wall clock is set back: no duplicates, nothing out of order.
    last_ns_ = std::max(wall_ns(), last_ns_ + 1);
    if (!line_.empty()) {
      write_template(out, symbol, bid, ask);
      continue;
    }
    out.append(R"({"symbol":")").append(symbol.name).append(R"(","bid":)").append(bid);
    out.append(R"(,"ask":)").append(ask).append(R"(,"lp":"LOAD","timestamp_ns":)");
    out.append(std::to_string(last_ns_)).append("}\n");
  }
}

void FeedBody::write_template(std::string& out, const Symbol& symbol, const std::string& bid,
                              const std::string& ask) const {
  std::string_view rest = line_;
  while (!rest.empty()) {
    const std::size_t open = rest.find('{');
    out += rest.substr(0, open);
    if (open == std::string_view::npos) break;
    rest.remove_prefix(open);
    const auto replaced = [&](std::string_view placeholder, const std::string& value) {
      if (!rest.starts_with(placeholder)) return false;
      out += value;
      rest.remove_prefix(placeholder.size());
      return true;
    };
    if (replaced("{symbol}", symbol.name) || replaced("{bid}", bid) || replaced("{ask}", ask) ||
        replaced("{ns}", std::to_string(last_ns_)) || replaced("{us}", std::to_string(last_ns_ / 1'000)) ||
        replaced("{ms}", std::to_string(last_ns_ / 1'000'000))) {
      continue;
    }
    out += '{';
    rest.remove_prefix(1);
  }
  out += '\n';
}

}  // namespace tickpipe::internal::load
