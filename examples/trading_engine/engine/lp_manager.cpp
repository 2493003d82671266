#include "engine/lp_manager.h"

#include <cmath>
#include <random>
#include <utility>

namespace engine {
namespace {

struct Instrument {
  const char* symbol;
  double price;
  double step;  ///< also half the spread
};

constexpr Instrument kInstruments[] = {
    {"BTCUSD", 67'000.0, 1.5}, {"EURUSD", 1.16450, 0.00002}, {"XAUUSD", 2'400.0, 0.05}};

double rounded(double value) { return std::round(value * 1e5) / 1e5; }

}  // namespace

void LpManager::start(QuoteHandler on_quote) {
  on_quote_ = std::move(on_quote);
  for (std::size_t i = 0; i < lps_.size(); ++i) threads_.emplace_back([this, i] { run(i); });
}

void LpManager::stop() {
  is_stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void LpManager::run(std::size_t number) {
  std::mt19937_64 random(number + 1);
  std::normal_distribution<double> step;
  std::vector<Instrument> instruments(std::begin(kInstruments), std::end(kInstruments));
  const auto period = std::chrono::nanoseconds{1'000'000'000 / quotes_per_second_};
  auto next = std::chrono::steady_clock::now();
  for (std::size_t turn = 0; !is_stopping_; ++turn) {
    Instrument& instrument = instruments[turn % instruments.size()];
    instrument.price += step(random) * instrument.step;
    on_quote_({lps_[number], instrument.symbol, rounded(instrument.price - instrument.step),
               rounded(instrument.price + instrument.step), std::chrono::system_clock::now()});
    ++quotes_;
    next += period;
    std::this_thread::sleep_until(next);
  }
}

}  // namespace engine
