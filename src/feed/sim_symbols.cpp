#include "feed/sim_symbols.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>

#include "core/decimal.h"
#include "feed/hashing.h"

namespace tickpipe::internal {
namespace {

enum class AssetClass : std::uint8_t { kFiat, kMetal, kStablecoin, kCrypto };

struct Asset {
  std::string_view code;
  AssetClass kind;
  double usd_value;
  double volatility;  ///< a year, against USD
  double cost;        ///< its part of a pair's spread, in millionths of the price
  double activity;
  int digits;               ///< of prices in it (fiat), of its own prices (metals)
  std::string_view factor;  ///< whose noise it follows: itself, or what it is pegged to
};

constexpr auto kFiat = AssetClass::kFiat;
constexpr auto kMetal = AssetClass::kMetal;
constexpr auto kStablecoin = AssetClass::kStablecoin;
constexpr auto kCrypto = AssetClass::kCrypto;

constexpr std::array kAssets = {
    Asset{"USD", kFiat, 1, 0, 6, 10, 5, "USD"},
    Asset{"EUR", kFiat, 1.17, 0.07, 18, 10, 5, "EUR"},
    Asset{"GBP", kFiat, 1.34, 0.075, 30, 7, 5, "GBP"},
    Asset{"JPY", kFiat, 0.0064, 0.095, 24, 8, 3, "JPY"},
    Asset{"CHF", kFiat, 1.255, 0.075, 36, 3, 5, "CHF"},
    Asset{"AUD", kFiat, 0.67, 0.09, 36, 4, 5, "AUD"},
    Asset{"NZD", kFiat, 0.58, 0.095, 54, 2.5, 5, "NZD"},
    Asset{"CAD", kFiat, 0.725, 0.06, 30, 4, 5, "CAD"},
    Asset{"SEK", kFiat, 0.1087, 0.10, 150, 1, 5, "SEK"},
    Asset{"NOK", kFiat, 0.0992, 0.11, 180, 1, 5, "NOK"},
    Asset{"DKK", kFiat, 0.1567, 0.07, 90, 0.6, 5, "EUR"},
    Asset{"PLN", kFiat, 0.2778, 0.10, 300, 0.8, 5, "PLN"},
    Asset{"HUF", kFiat, 0.00305, 0.12, 400, 0.6, 3, "HUF"},
    Asset{"CZK", kFiat, 0.0483, 0.10, 300, 0.6, 3, "CZK"},
    Asset{"TRY", kFiat, 0.0233, 0.12, 1200, 0.6, 5, "TRY"},
    Asset{"ZAR", kFiat, 0.0606, 0.14, 500, 1, 5, "ZAR"},
    Asset{"MXN", kFiat, 0.0557, 0.12, 400, 1, 5, "MXN"},
    Asset{"SGD", kFiat, 0.778, 0.05, 90, 1, 5, "SGD"},
    Asset{"HKD", kFiat, 0.1285, 0.005, 45, 0.8, 5, "HKD"},
    Asset{"CNH", kFiat, 0.1433, 0.04, 80, 1, 5, "CNH"},
    Asset{"ILS", kFiat, 0.3125, 0.09, 400, 0.5, 5, "ILS"},
    Asset{"THB", kFiat, 0.0318, 0.07, 400, 0.5, 3, "THB"},
    Asset{"XAU", kMetal, 4300, 0.16, 50, 8, 2, "XAU"},
    Asset{"XAG", kMetal, 65, 0.30, 400, 3, 3, "XAG"},
    Asset{"XPT", kMetal, 1800, 0.25, 600, 0.8, 2, "XPT"},
    Asset{"XPD", kMetal, 1600, 0.30, 1200, 0.6, 2, "XPD"},
    Asset{"USDT", kStablecoin, 1, 0, 5, 10, 5, "USD"},
    Asset{"USDC", kStablecoin, 1, 0, 5, 10, 5, "USD"},
    Asset{"BTC", kCrypto, 90'000, 0.45, 40, 9, 0, "BTC"},
    Asset{"XBT", kCrypto, 90'000, 0.45, 40, 9, 0, "BTC"},
    Asset{"ETH", kCrypto, 3'000, 0.65, 60, 6, 0, "ETH"},
    Asset{"SOL", kCrypto, 130, 0.75, 150, 3, 0, "SOL"},
    Asset{"XRP", kCrypto, 2, 0.75, 200, 3, 0, "XRP"},
    Asset{"BNB", kCrypto, 860, 0.50, 150, 2, 0, "BNB"},
    Asset{"ADA", kCrypto, 0.40, 0.80, 300, 1.5, 0, "ADA"},
    Asset{"DOGE", kCrypto, 0.14, 0.85, 300, 2, 0, "DOGE"},
    Asset{"LTC", kCrypto, 80, 0.65, 250, 1.5, 0, "LTC"},
    Asset{"LINK", kCrypto, 13, 0.75, 300, 1.5, 0, "LINK"},
    Asset{"AVAX", kCrypto, 13, 0.80, 300, 1.2, 0, "AVAX"},
    Asset{"BCH", kCrypto, 580, 0.65, 300, 1, 0, "BCH"},
    Asset{"DOT", kCrypto, 2, 0.80, 400, 1, 0, "DOT"},
    Asset{"XLM", kCrypto, 0.23, 0.75, 400, 0.8, 0, "XLM"},
    Asset{"TRX", kCrypto, 0.28, 0.50, 300, 0.8, 0, "TRX"},
    Asset{"UNI", kCrypto, 5.5, 0.85, 400, 0.8, 0, "UNI"},
};

constexpr std::array<std::string_view, 50> kDefaultSymbols = {
    "EURUSD", "GBPUSD", "USDJPY", "USDCHF", "AUDUSD", "USDCAD",  "NZDUSD", "EURGBP", "EURJPY",  "EURCHF",
    "EURAUD", "EURCAD", "EURNZD", "GBPJPY", "GBPCHF", "GBPAUD",  "GBPCAD", "GBPNZD", "AUDJPY",  "CADJPY",
    "CHFJPY", "NZDJPY", "AUDCAD", "AUDNZD", "USDSEK", "USDNOK",  "USDDKK", "USDPLN", "USDHUF",  "USDTRY",
    "USDZAR", "USDMXN", "USDSGD", "USDHKD", "USDCNH", "EURPLN",  "XAUUSD", "XAGUSD", "XPTUSD",  "XPDUSD",
    "BTCUSD", "ETHUSD", "SOLUSD", "XRPUSD", "BNBUSD", "DOGEUSD", "ADAUSD", "LTCUSD", "LINKUSD", "AVAXUSD"};

/// A cross ticks less often than either of its currencies against the dollar.
constexpr double kCrossActivity = 0.4;
constexpr double kMillionth = 1e-6;
/// No price step may be more than this share of the price.
constexpr double kCoarsestTick = 1e-3;
constexpr double kCryptoTick = 1e-4;
constexpr double kCryptoLotUsd = 20'000;
constexpr double kMetalLotUsd = 400'000;
constexpr std::int64_t kFiatLot = 1'000'000;

const Asset* find_asset(std::string_view code) {
  const auto found = std::find_if(kAssets.begin(), kAssets.end(), [&](const Asset& a) { return a.code == code; });
  return found == kAssets.end() ? nullptr : &*found;
}

bool is_dollar(const Asset& asset) { return asset.factor == "USD"; }

struct Pair {
  const Asset* base;
  const Asset* quote;
};

std::optional<Pair> split_pair(std::string_view symbol) {
  std::string code;
  for (const char c : symbol) {
    if (std::string_view("/-_:.").find(c) == std::string_view::npos) code += c;
  }
  const Asset* crypto = nullptr;
  for (const Asset& base : kAssets) {
    if (!code.starts_with(base.code)) continue;
    const Asset* quote = find_asset(std::string_view(code).substr(base.code.size()));
    if (quote != nullptr) return Pair{&base, quote};
    if (base.kind == kCrypto) crypto = &base;
  }
  if (crypto == nullptr) return std::nullopt;
  return Pair{crypto, find_asset("USD")};
}

int price_digits(const Pair& pair, double level) {
  int digits = pair.quote->digits;
  if (pair.base->kind == kMetal) digits = pair.base->digits;
  if (pair.base->kind == kCrypto || pair.quote->kind == kCrypto) {
    digits = std::clamp(static_cast<int>(std::ceil(-std::log10(level * kCryptoTick))), 2, 9);
  }
  while (digits < 9 && std::pow(10.0, -digits) > level * kCoarsestTick) ++digits;
  return digits;
}

std::int64_t lot_of(const Asset& asset) {
  if (asset.kind == kFiat || asset.kind == kStablecoin) return kFiatLot;
  const double amount = (asset.kind == kMetal ? kMetalLotUsd : kCryptoLotUsd) / asset.usd_value;
  const double step = std::pow(10.0, std::floor(std::log10(std::max(amount, 1.0))));
  return std::max<std::int64_t>(1, std::llround(std::floor(amount / step) * step));
}

std::int64_t tick_units(int digits) {
  std::int64_t units = kUnitsPerOne;
  for (int i = 0; i < digits; ++i) units /= 10;
  return units;
}

PriceFactor factor_of(const Asset& asset, std::uint64_t seed) {
  return {hash_text(seed, asset.factor), asset.volatility};
}

}  // namespace

SimSymbol sim_symbol(const Name& symbol, std::uint64_t seed) {
  SimSymbol out;
  out.symbol = symbol;
  out.key = hash_text(mix_bits(seed), symbol.view());
  const auto pair = split_pair(symbol.view());
  if (!pair) {
    constexpr double kDecades = 2.3;  // 1 to 200
    out.level = std::pow(10.0, kDecades * unit_interval(combine_hash(hash_text(0, symbol.view()), 1)));
    out.base = {out.key, 0.12};
    out.tick_units = tick_units(5);
    out.spread = 100 * kMillionth;
    out.lot = 1000;
    return out;
  }
  const Asset& base = *pair->base;
  const Asset& quote = *pair->quote;
  out.level = base.usd_value / quote.usd_value;
  out.base = factor_of(base, seed);
  out.quote = factor_of(quote, seed);
  out.tick_units = tick_units(price_digits(*pair, out.level));
  out.spread = (base.cost + quote.cost) * kMillionth;
  out.weight = std::min(base.activity, quote.activity) * (is_dollar(base) || is_dollar(quote) ? 1 : kCrossActivity);
  out.lot = lot_of(base);
  const auto rests = [](const Asset& asset) { return asset.kind == kFiat || asset.kind == kMetal; };
  out.rests_at_weekends = rests(base) && rests(quote);
  return out;
}

std::span<const std::string_view> default_sim_symbols() noexcept { return kDefaultSymbols; }

}  // namespace tickpipe::internal
