#pragma once

#include <tickpipe/error.h>

namespace tickpipe::internal {

// One family inside and outside: what internals throw is what users of the library catch. A ConfigError ends the
// program with status 2.
using tickpipe::ConfigError;
using tickpipe::Error;

}  // namespace tickpipe::internal
