#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "model/name_registry.h"

namespace tickpipe::internal {

/// The names of symbols and LPs once more, as the text file `NAMES` beside the tables: they are few bytes of which the
/// sense of all others depends, and a repair takes them from here when the table that holds them is damaged.
///
/// Lines are `symbol NUMBER NAME` and `lp NUMBER NAME`, the last one `crc32c HEX` of all before it. Threads: one.
class NameFile {
 public:
  explicit NameFile(const std::filesystem::path& database) : file_(database / "NAMES") {}

  struct Names {
    std::map<std::uint32_t, std::string> symbols;
    std::map<std::uint32_t, std::string> lps;
  };
  /// Empty when there is none or it is damaged.
  [[nodiscard]] Names read() const;
  /// Replaces the file if there are other names than at the last call. A failure leaves an older one.
  void update(const SymbolRegistry& symbols, const LpRegistry& lps) noexcept;

 private:
  std::filesystem::path file_;
  std::size_t symbols_ = 0;  ///< how many were written
  std::size_t lps_ = 0;
};

}  // namespace tickpipe::internal
