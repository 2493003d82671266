#include "store/name_file.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <system_error>

#include "core/crc32c.h"
#include "model/names.h"

namespace tickpipe::internal {
namespace {

std::string checksum_line(std::string_view text) {
  std::array<char, 24> line{};
  std::snprintf(line.data(), line.size(), "crc32c %08x\n", crc32c(text));
  return line.data();
}

template <typename Registry, typename Id>
void append(std::string& text, const char* kind, const Registry& names, std::size_t count, Id id) {
  for (std::size_t i = 0; i < count; ++i) {
    id.value = static_cast<decltype(id.value)>(i);
    text.append(kind).append(" ").append(std::to_string(i)).append(" ").append(names.name(id).view()).append("\n");
  }
}

}  // namespace

NameFile::Names NameFile::read() const {
  std::ifstream in(file_, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::size_t end = text.rfind("crc32c ");
  if (end == std::string::npos || text.substr(end) != checksum_line(std::string_view(text).substr(0, end))) return {};
  Names names;
  std::istringstream lines(text.substr(0, end));
  std::string kind;
  std::string name;
  for (std::uint32_t number = 0; lines >> kind >> number >> name;) {
    if (kind == "symbol" && parse_symbol(name)) names.symbols[number] = name;
    if (kind == "lp" && parse_lp(name)) names.lps[number] = name;
  }
  return names;
}

void NameFile::update(const SymbolRegistry& symbols, const LpRegistry& lps) noexcept {
  const std::size_t symbol_count = symbols.size();
  const std::size_t lp_count = lps.size();
  if (symbol_count == symbols_ && lp_count == lps_) return;
  try {
    std::string text;
    append(text, "symbol", symbols, symbol_count, SymbolId{});
    append(text, "lp", lps, lp_count, LpId{});
    text += checksum_line(text);
    const std::filesystem::path fresh = file_.string() + ".new";
    std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (!out) return;
    std::error_code error;
    std::filesystem::rename(fresh, file_, error);
    if (error) return;
    symbols_ = symbol_count;
    lps_ = lp_count;
  } catch (...) {  // no memory: the older file stays
  }
}

}  // namespace tickpipe::internal
