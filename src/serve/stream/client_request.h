#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "serve/stream/stream_format.h"

namespace tickpipe::internal {

/// What a client asks for in one message, its fields checked for their types and bounds, its symbols as they were sent.
struct ClientRequest {
  enum class Op : std::uint8_t { kSubscribe, kUnsubscribe, kPing, kAuth };
  struct Resume {
    std::string epoch;
    std::map<std::string, std::uint64_t> seq;  ///< by symbol
  };

  Op op = Op::kPing;
  std::string channel;
  std::vector<std::string> symbols;
  std::string timeframe;
  bool is_all = false;  ///< mode `all`
  std::uint32_t interval_ms = 0;
  std::optional<Resume> resume;
};

struct RequestError {
  std::string_view code;
  std::string message;
};

/// A message of a client that was understood or not; `id` is what it gave as such, to be sent back, or null.
struct ParsedRequest {
  ClientRequest request;
  std::optional<RequestError> error;
};

/// Reads a message. `id` gets its `id`, also when the rest is wrong. Nested deeper than 16 it is refused, whatever the
/// format. Throws nothing.
ParsedRequest parse_request(std::string_view message, StreamFormat format, nlohmann::ordered_json& id);

}  // namespace tickpipe::internal
