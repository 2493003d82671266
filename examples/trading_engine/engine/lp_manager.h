#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace engine {

/// A quote of a liquidity provider, as the rest of the engine gets it.
struct Quote {
  std::string lp;
  std::string symbol;
  double bid = 0;
  double ask = 0;
  std::chrono::system_clock::time_point time;
};

/// Connections to liquidity providers, here simulated: each LP has a thread of its own, on which it quotes all symbols
/// in turn, as a random walk.
class LpManager {
 public:
  using QuoteHandler = std::function<void(const Quote&)>;

  /// `quotes_per_second` of each LP.
  LpManager(std::vector<std::string> lps, int quotes_per_second)
      : lps_(std::move(lps)), quotes_per_second_(quotes_per_second) {}
  ~LpManager() { stop(); }
  LpManager(const LpManager&) = delete;
  LpManager& operator=(const LpManager&) = delete;

  /// Calls `on_quote` on the threads of the LPs until stop().
  void start(QuoteHandler on_quote);
  void stop();
  [[nodiscard]] std::uint64_t quotes() const { return quotes_; }

 private:
  void run(std::size_t number);

  const std::vector<std::string> lps_;
  const int quotes_per_second_;
  QuoteHandler on_quote_;
  std::atomic<bool> is_stopping_{false};
  std::atomic<std::uint64_t> quotes_{0};
  std::vector<std::thread> threads_;
};

}  // namespace engine
