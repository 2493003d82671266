#pragma once

#include "core/error.h"

namespace tickpipe::internal {

/// Redis cannot be used as it is. what() says why and, where there is one, names the remedy. No secret is in it.
class RedisError : public Error {
 public:
  using Error::Error;
};

}  // namespace tickpipe::internal
