#pragma once

#include <stdexcept>
#include <string>

namespace tickpipe::internal {

/// Something that stops a command or the start of a pipeline. what() names the cause and the remedy.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A configuration, an option or an input header that cannot be used; the program ends with status 2.
class ConfigError : public Error {
 public:
  using Error::Error;
};

}  // namespace tickpipe::internal
