#pragma once

// Makers of schema entries, one for each kind of value; only config_schema.cpp uses them. `Field` is a callable that
// gives the field of a PipelineConfig, const or not, so that setter, default and printed value cannot disagree.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "app/config/config_schema.h"
#include "app/config/scalar_values.h"
#include "core/decimal.h"
#include "core/duration_text.h"

namespace tickpipe::internal::schema {

template <typename Field>
using FieldType = std::remove_cvref_t<std::invoke_result_t<Field, PipelineConfig&>>;

inline std::string render_strings(const std::vector<std::string>& strings) {
  std::string out = "[";
  for (const std::string& text : strings) out += (out.size() > 1 ? ", " : "") + json_quote(text);
  return out + "]";
}

/// `read(node, site)` gives an optional, `render(value)` the JSON of the field.
template <typename Field, typename Read, typename Render>
ConfigEntry custom(std::string_view path, Field field, ConfigType type, std::string_view comment, Read read,
                   Render render) {
  ConfigEntry entry;
  entry.path = path;
  entry.type = type;
  entry.comment = comment;
  entry.set = [field, read](const ConfigNode& node, const ConfigSite& site, PipelineConfig& config) {
    if (auto value = read(node, site)) field(config) = static_cast<FieldType<Field>>(*std::move(value));
  };
  entry.render = [field, render](const PipelineConfig& config) { return render(field(config)); };
  return entry;
}

template <typename Field>
ConfigEntry text(std::string_view path, Field field, std::string_view comment) {
  return custom(path, field, ConfigType::kString, comment, read_string, json_quote);
}

template <typename Field>
ConfigEntry flag(std::string_view path, Field field, std::string_view comment) {
  return custom(path, field, ConfigType::kBool, comment, read_bool,
                [](bool value) { return std::string(value ? "true" : "false"); });
}

template <typename Field>
ConfigEntry integer(std::string_view path, Field field, Bounds<std::int64_t> bounds, std::string_view comment) {
  ConfigEntry entry = custom(
      path, field, ConfigType::kInteger, comment,
      [bounds](const ConfigNode& node, const ConfigSite& site) { return read_integer(node, site, bounds); },
      [](auto value) { return std::to_string(value); });
  entry.limits = std::to_string(bounds.min) + " to " + std::to_string(bounds.max);
  return entry;
}

/// Bounds in units of 1e-9.
template <typename Field>
ConfigEntry decimal(std::string_view path, Field field, Bounds<std::int64_t> bounds, std::string_view comment) {
  ConfigEntry entry = custom(
      path, field, ConfigType::kDecimal, comment,
      [bounds](const ConfigNode& node, const ConfigSite& site) { return read_decimal(node, site, bounds); },
      [](std::int64_t units) { return decimal_to_string(units); });
  entry.limits = decimal_to_string(bounds.min) + " to " + decimal_to_string(bounds.max);
  return entry;
}

template <typename Field>
ConfigEntry duration(std::string_view path, Field field, Bounds<std::chrono::nanoseconds> bounds,
                     std::string_view comment) {
  ConfigEntry entry = custom(
      path, field, ConfigType::kDuration, comment,
      [bounds](const ConfigNode& node, const ConfigSite& site) { return read_duration(node, site, bounds); },
      [](std::chrono::nanoseconds value) { return json_quote(format_duration(value)); });
  entry.limits = format_duration(bounds.min) + " to " + format_duration(bounds.max);
  return entry;
}

/// A word that stands for a value of the field: an enumerator, or the word itself.
template <typename Value>
using Choices = std::vector<std::pair<std::string_view, Value>>;

template <typename Field, typename Value>
ConfigEntry choice(std::string_view path, Field field, Choices<Value> choices, std::string_view comment) {
  std::vector<std::string_view> words;
  for (const auto& [word, value] : choices) words.push_back(word);
  const auto read = [choices, words](const ConfigNode& node, const ConfigSite& site) -> std::optional<Value> {
    const std::optional<std::size_t> index = read_choice(node, site, words);
    if (!index) return std::nullopt;
    return choices[*index].second;
  };
  const auto render = [choices](const auto& value) {
    for (const auto& [word, choice_value] : choices) {
      if (choice_value == value) return json_quote(word);
    }
    return std::string("null");  // a field that no configuration can have set
  };
  ConfigEntry entry = custom(path, field, ConfigType::kChoice, comment, read, render);
  entry.limits = join_choices(words);
  return entry;
}

template <typename Field, typename Read>
ConfigEntry strings(std::string_view path, Field field, Read read, std::string_view comment) {
  return custom(path, field, ConfigType::kList, comment, read, render_strings);
}

}  // namespace tickpipe::internal::schema
