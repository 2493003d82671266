#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/config_document.h"
#include "app/config/config_problem.h"

namespace tickpipe::internal {

/// Readers of single values. Each reports every problem to `site`, with what is expected, and then returns nothing.
/// Bounds are inclusive. Contents of strings are shown only by the readers of durations and choices.

template <typename T>
struct Bounds {
  T min;
  T max;
};

std::optional<bool> read_bool(const ConfigNode& node, const ConfigSite& site);
std::optional<std::int64_t> read_integer(const ConfigNode& node, const ConfigSite& site, Bounds<std::int64_t> bounds);
/// In units of 1e-9, exact.
std::optional<std::int64_t> read_decimal(const ConfigNode& node, const ConfigSite& site, Bounds<std::int64_t> units);
std::optional<std::chrono::nanoseconds> read_duration(const ConfigNode& node, const ConfigSite& site,
                                                      Bounds<std::chrono::nanoseconds> bounds);
std::optional<std::string> read_string(const ConfigNode& node, const ConfigSite& site);
/// The position of the string in `choices`.
std::optional<std::size_t> read_choice(const ConfigNode& node, const ConfigSite& site,
                                       const std::vector<std::string_view>& choices);
/// A list of strings, or a single string, which then is the only element; without duplicates, first ones kept.
std::optional<std::vector<std::string>> read_string_list(const ConfigNode& node, const ConfigSite& site);

/// `a number`, `a string` ...: what was given, for messages about wrong types.
std::string_view kind_of(const ConfigNode& node);

/// `flag or reject`
std::string join_choices(const std::vector<std::string_view>& choices);

}  // namespace tickpipe::internal
