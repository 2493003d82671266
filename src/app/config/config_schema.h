#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/config_document.h"
#include "app/config/config_problem.h"
#include "pipeline/pipeline_config.h"

namespace tickpipe::internal {

/// What a value looks like, and so how a variable or an option that holds only text is turned into one.
enum class ConfigType : std::uint8_t {
  kString,
  kChoice,    ///< one of a few words
  kDuration,  ///< text with a unit
  kBool,
  kInteger,
  kDecimal,
  kList,         ///< of strings
  kDayClose,     ///< text or object
  kQuoteSource,  ///< text or list
  kFeeds,        ///< list of texts and objects
  kAuth,         ///< object
};

/// One key: everything that the loader, the printed defaults and the messages know about it.
struct ConfigEntry {
  std::string_view path;  ///< `http.port`
  ConfigType type{};
  std::string_view section;    ///< heading in the printed defaults
  std::string_view comment;    ///< for users: unit, meaning of zero, consequence of a bad value
  std::string limits;          ///< `1 to 256`, `mid, bid or ask`; empty if anything goes
  std::string_view not_built;  ///< the part that would use it, if this build has none; empty = in use
  /// Stores the value. What is wrong with it is reported, and then the configuration stays as it was.
  std::function<void(const ConfigNode&, const ConfigSite&, PipelineConfig&)> set;
  /// The value as JSON, in the form in which `set` takes it.
  std::function<std::string(const PipelineConfig&)> render;
};

/// Every key of the configuration, in the order of the printed defaults; keys of one group stand together.
const std::vector<ConfigEntry>& config_schema();

/// Null if there is no such key.
const ConfigEntry* find_config_entry(std::string_view path);

/// Whether some key is inside the group `path`, as `http` is one.
bool is_config_group(std::string_view path);

std::vector<std::string_view> config_paths();

/// `TICKPIPE_HTTP__PORT` for `http.port`.
std::string environment_name(std::string_view path);

}  // namespace tickpipe::internal
