#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/unix_nanos.h"
#include "serve/problem.h"

namespace tickpipe::internal {

/// Decodes `%XX`, and `+` as a space if `plus_is_space`, appending to `out`. Returns false on an escape that is none.
bool percent_decode(std::string_view text, bool plus_is_space, std::string& out);

/// Encodes everything but letters, digits and `-._~`.
void percent_encode(std::string_view text, std::string& out);

/// The parameters of a query string, decoded. Refuses what is not declared, given twice, or not decodable.
/// Values are valid as long as the target and this object. Allocates only when something is encoded.
class Query {
 public:
  Query() = default;
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  /// `raw` is what follows the `?`. At most kMaxParameters are declared.
  [[nodiscard]] std::optional<Problem> parse(std::string_view raw, std::span<const std::string_view> declared);
  /// Nothing when the parameter was not given; an empty text when it was given without a value.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
  /// The values of a parameter that was declared with a `*` behind its name, which may be given several times.
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;

  static constexpr std::size_t kMaxParameters = 8;

 private:
  struct Parameter {
    std::string_view name;
    std::string_view value;
  };
  std::array<Parameter, kMaxParameters> parameters_;
  std::size_t count_ = 0;
  std::vector<Parameter> repeated_;
  std::string decoded_;
};

/// Reads parameters as what they must be. The first one that is not stays as the problem of the request; what is read
/// then and after it is of no use.
class ParameterReader {
 public:
  explicit ParameterReader(const Query& query) : query_(query) {}

  static constexpr std::size_t kMaxLimit = 10'000;

  std::size_t limit(std::size_t fallback);
  /// A bound of a range. `+` of an offset may also come as the space that forms make of it.
  std::optional<UnixNanos> time(std::string_view name);
  bool boolean(std::string_view name, bool fallback);
  /// Whether it is `yes` and not `no`, the two words it may be.
  bool either(std::string_view name, std::string_view yes, std::string_view no, bool fallback);
  /// The text as it is; it may not be empty.
  std::optional<std::string_view> text(std::string_view name, std::string_view rule);

  void fail(Problem problem) {
    if (!problem_) problem_ = std::move(problem);
  }
  [[nodiscard]] bool failed() const noexcept { return problem_.has_value(); }
  [[nodiscard]] const Problem& problem() const { return *problem_; }

 private:
  void refuse(std::string_view name, std::string_view value, std::string_view rule);

  const Query& query_;
  std::optional<Problem> problem_;
};

}  // namespace tickpipe::internal
