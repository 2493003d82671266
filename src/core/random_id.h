#pragma once

#include <random>
#include <string>
#include <string_view>

namespace tickpipe::internal {

/// 16 random hexadecimal digits: names an epoch, a session.
inline std::string random_id() {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::random_device random;
  std::string id;
  for (int i = 0; i < 16; ++i) id += kHex[random() % kHex.size()];
  return id;
}

}  // namespace tickpipe::internal
