#pragma once

#include <stdexcept>

#include "tickpipe/export.h"

namespace tickpipe {

/// Something that stops the start of a pipeline, or a read of stored data. what() names the cause and the remedy.
class TICKPIPE_API Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A setting or an argument that cannot be used; what() begins with the name of the setting.
class TICKPIPE_API ConfigError : public Error {
 public:
  using Error::Error;
};

}  // namespace tickpipe
