#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "load/options.h"

namespace tickpipe::internal::load {

/// Writes the bodies of one feed connection: its share of the symbols in turn, each with a price that walks and carries
/// the time (stamp.h), one line each.
class FeedBody {
 public:
  /// Symbols number `first`, `first` + `step`, ... below `end`: a symbol belongs to one connection, so that its ticks
  /// arrive in the order of their times.
  FeedBody(const std::string& line, std::uint32_t first, std::uint32_t step, std::uint32_t end);

  /// Overwrites `out`. `lag_us` is by how much the POST is late.
  void write(std::string& out, std::uint32_t ticks, std::int64_t lag_us);

  [[nodiscard]] std::size_t symbol_count() const noexcept { return symbols_.size(); }

 private:
  struct Symbol {
    std::string name;
    std::int64_t walk = 0;
  };
  void write_template(std::string& out, const Symbol& symbol, const std::string& bid, const std::string& ask) const;

  std::string line_;
  std::vector<Symbol> symbols_;
  std::size_t next_ = 0;
  std::int64_t last_ns_ = 0;
  std::minstd_rand random_;
};

}  // namespace tickpipe::internal::load
