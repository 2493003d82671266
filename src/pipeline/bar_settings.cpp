#include "pipeline/bar_settings.h"

#include <algorithm>
#include <array>

#include "core/error.h"

namespace tickpipe::internal {
namespace {

constexpr std::array<std::string_view, 3> kBarPriceNames = {"mid", "bid", "ask"};

Price bid_price(Price bid, Price /*ask*/) { return bid; }
Price ask_price(Price /*bid*/, Price ask) { return ask; }

}  // namespace

BarSettings BarSettings::of(const PipelineConfig& config) {
  return {config.timeframes, config.bar_price, config.day_close, config.day_close_rules};
}

// One setting a line: a name, a space, the value. Symbols, zones and times hold no line breaks.
std::string BarSettings::encode() const {
  std::string out;
  for (const Timeframe timeframe : timeframes) out += "timeframe " + timeframe.name() + "\n";
  out.append("bar_price ").append(kBarPriceNames.at(static_cast<std::size_t>(bar_price))).append("\n");
  out += "day_close " + day_close + "\n";
  for (const auto& rule : day_close_rules) out += "rule " + rule.match + " " + rule.day_close + "\n";
  return out;
}

BarSettings BarSettings::decode(std::string_view text) {
  BarSettings settings;
  const auto damaged = [] { return Error("the bar settings of the store are damaged"); };
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) throw damaged();
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) throw damaged();
    const std::string_view key = line.substr(0, space);
    const std::string_view value = line.substr(space + 1);
    if (key == "timeframe") {
      const auto timeframe = parse_timeframe(value);
      if (!timeframe) throw damaged();
      settings.timeframes.push_back(*timeframe);
    } else if (key == "bar_price") {
      std::size_t i = 0;
      while (i < kBarPriceNames.size() && kBarPriceNames[i] != value) ++i;
      if (i == kBarPriceNames.size()) throw damaged();
      settings.bar_price = static_cast<BarPrice>(i);
    } else if (key == "day_close") {
      settings.day_close = value;
    } else if (key == "rule") {
      const std::size_t cut = value.find(' ');
      if (cut == std::string_view::npos) throw damaged();
      settings.day_close_rules.push_back({std::string(value.substr(0, cut)), std::string(value.substr(cut + 1))});
    } else {
      throw damaged();
    }
  }
  if (settings.timeframes.empty() || settings.day_close.empty()) throw damaged();
  return settings;
}

std::string BarSettings::changed_keys(const BarSettings& a, const BarSettings& b) {
  const auto same_rule = [](const CalendarRules::Rule& x, const CalendarRules::Rule& y) {
    return x.match == y.match && x.day_close == y.day_close;
  };
  std::string keys;
  const auto add = [&keys](bool differs, std::string_view key) {
    if (differs) keys.append(keys.empty() ? "" : ", ").append(key);
  };
  add(a.timeframes != b.timeframes, "timeframes");
  add(a.bar_price != b.bar_price, "bar_price");
  const bool same_rules = std::equal(a.day_close_rules.begin(), a.day_close_rules.end(), b.day_close_rules.begin(),
                                     b.day_close_rules.end(), same_rule);
  add(a.day_close != b.day_close || !same_rules, "day_close");
  return keys;
}

BarPriceFunction bar_price_function(BarPrice kind) {
  switch (kind) {
    case BarPrice::kBid:
      return bid_price;
    case BarPrice::kAsk:
      return ask_price;
    case BarPrice::kMid:
      break;
  }
  return mid_price;
}

}  // namespace tickpipe::internal
