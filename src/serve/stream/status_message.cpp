#include "serve/stream/status_message.h"

#include <nlohmann/json.hpp>

#include "serve/websocket_deflate.h"
#include "serve/websocket_frame.h"

namespace tickpipe::internal {
namespace {

constexpr std::chrono::seconds kToldEvery{10};

/// What a health report says but for its figures: the states and the causes.
std::string states_of(const std::string& json) {
  const auto report = nlohmann::json::parse(json, nullptr, false);
  if (!report.is_object()) return {};
  std::string states = report.value("overall_status", "");
  if (const auto components = report.find("components"); components != report.end()) {
    for (const auto& [name, component] : components->items()) {
      states += "\n" + name + " " + component.value("status", "") + " " + component.value("detail", "");
    }
  }
  return states;
}

}  // namespace

void append_message(std::string& out, std::string_view payload, StreamFormat format, bool takes_deflate) {
  const WsOpcode opcode = format == StreamFormat::kMessagePack ? WsOpcode::kBinary : WsOpcode::kText;
  if (takes_deflate && payload.size() >= kLeastDeflateBytes) {
    append_frame(out, opcode, deflate_message(payload), true);
  } else {
    append_frame(out, opcode, payload);
  }
}

StatusMessage::StatusMessage(std::string_view channel, const std::string& json, MessageEncoder::Counters& counters)
    : counters_(counters) {
  json_ = R"({"type":")" + std::string(channel) + "\"";
  const std::string_view members = std::string_view(json).substr(1);  // REST gives an object that is not empty
  json_.append(",").append(members);
}

std::string_view StatusMessage::frame(StreamFormat format, bool takes_deflate) {
  const bool is_msgpack = format == StreamFormat::kMessagePack;
  std::string& frame = frames_[(is_msgpack ? 2U : 0U) + (takes_deflate ? 1U : 0U)];
  if (!frame.empty()) return frame;
  counters_.status.fetch_add(1, std::memory_order_relaxed);
  if (is_msgpack) {
    const auto bytes = nlohmann::ordered_json::to_msgpack(nlohmann::ordered_json::parse(json_));
    append_message(frame, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, format, takes_deflate);
  } else {
    append_message(frame, json_, format, takes_deflate);
  }
  return frame;
}

bool HealthChanges::is_due(const std::string& json, std::chrono::steady_clock::time_point now) {
  if (now == told_) return true;
  std::string states = states_of(json);
  if (states == states_ && now - told_ < kToldEvery) return false;
  states_ = std::move(states);
  told_ = now;
  return true;
}

}  // namespace tickpipe::internal
