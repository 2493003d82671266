#include "load/greeting.h"

#include <nlohmann/json.hpp>

#include "load/handshake.h"

namespace tickpipe::internal::load {

namespace {

std::string subscription(const Options& options) {
  nlohmann::json message{{"op", "subscribe"}, {"id", 1}, {"channel", options.channel}, {"symbols", options.symbols}};
  if (options.channel == "bars") {
    message["timeframe"] = "1m";
  } else {
    message["mode"] = options.mode;
    if (options.interval_ms > 0) message["interval_ms"] = options.interval_ms;
  }
  if (!options.is_msgpack) return message.dump();
  const std::vector<std::uint8_t> packed = nlohmann::json::to_msgpack(message);
  return {packed.begin(), packed.end()};
}

std::string replace_all(std::string text, std::string_view what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

}  // namespace

Greeting::Greeting(const Options& options)
    : handshake_(handshake_request(options.target, options.subprotocol, options.has_deflate)) {
  if (options.protocol == Protocol::kPlain) {
    messages_ = options.sends;
  } else if (!options.symbols.empty()) {
    messages_.push_back(subscription(options));
    if (options.is_msgpack) opcode_ = Opcode::kBinary;
  }
}

std::string Greeting::frames(std::uint32_t client) const {
  std::string out;
  for (const std::string& message : messages_) {
    append_frame(out, opcode_, replace_all(message, "{i}", std::to_string(client)), 0x5A17C3E9U ^ client);
  }
  return out;
}

}  // namespace tickpipe::internal::load
