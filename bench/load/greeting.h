#pragma once

#include <string>
#include <vector>

#include "load/frame.h"
#include "load/options.h"

namespace tickpipe::internal::load {

/// What a client sends after its handshake: the same for good and hostile ones.
class Greeting {
 public:
  explicit Greeting(const Options& options);

  /// The frames of client number `client`.
  [[nodiscard]] std::string frames(std::uint32_t client) const;
  [[nodiscard]] const std::string& handshake() const noexcept { return handshake_; }

 private:
  std::string handshake_;
  Opcode opcode_ = Opcode::kText;
  std::vector<std::string> messages_;
};

}  // namespace tickpipe::internal::load
