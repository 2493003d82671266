#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tickpipe::internal::load {

enum class MessageKind { kTick, kBar, kWelcome, kSubscribed, kError, kOther };

/// What the load generator wants to know of a message of tickpipe's protocol. Views point into the message.
struct MessageFields {
  MessageKind kind = MessageKind::kOther;
  std::string_view symbol;
  std::int64_t bid = 0;  // units of 1e-9
  std::int64_t spread = 0;
  std::uint64_t seq = 0;
  std::uint64_t skipped = 0;
  bool is_snapshot = false;
};

/// Reads the members of the outermost object and steps over the rest. False when the text is not such an object.
bool scan_json(std::string_view message, MessageFields& fields);
bool scan_msgpack(std::string_view message, MessageFields& fields);

/// The number behind `"NAME":` wherever it is in the text, in quotes or not. `quoted_name` is `"NAME":` itself.
std::optional<double> find_number(std::string_view text, std::string_view quoted_name);

}  // namespace tickpipe::internal::load
