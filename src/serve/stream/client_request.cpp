#include "serve/stream/client_request.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "core/safe_text.h"

namespace tickpipe::internal {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxDepth = 16;
constexpr std::int64_t kMaxIntervalMs = 60'000;
constexpr std::size_t kMaxIdChars = 128;

/// Finds out whether a message is well-formed and not too deep, before anything is built of it: the reader of
/// MessagePack calls itself for each level.
class DepthCheck final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(std::int64_t /*value*/) override { return true; }
  bool number_unsigned(std::uint64_t /*value*/) override { return true; }
  bool number_float(double /*value*/, const std::string& /*text*/) override { return true; }
  bool string(std::string& /*value*/) override { return true; }
  bool binary(Json::binary_t& /*value*/) override { return true; }
  bool start_object(std::size_t /*members*/) override { return ++depth_ <= kMaxDepth; }
  bool key(std::string& /*value*/) override { return true; }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t /*elements*/) override { return ++depth_ <= kMaxDepth; }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t /*at*/, const std::string& /*token*/, const Json::exception& /*error*/) override {
    return false;
  }

 private:
  std::size_t depth_ = 0;
};

Json read(std::string_view message, StreamFormat format) {
  const auto form = format == StreamFormat::kMessagePack ? Json::input_format_t::msgpack : Json::input_format_t::json;
  DepthCheck check;
  if (!Json::sax_parse(message, &check, form)) return Json(Json::value_t::discarded);
  return form == Json::input_format_t::msgpack ? Json::from_msgpack(message, true, false)
                                               : Json::parse(message, nullptr, false);
}

class Reader {
 public:
  explicit Reader(const Json& message) : message_(message) {}

  std::optional<RequestError> read(ClientRequest& request) {
    read_op(request);
    if (error_ || request.op == ClientRequest::Op::kPing || request.op == ClientRequest::Op::kAuth) return error_;
    text("channel", request.channel, true);
    text("timeframe", request.timeframe, false);
    read_symbols(request);
    if (request.op == ClientRequest::Op::kUnsubscribe) return error_;
    std::string mode;
    text("mode", mode, false);
    if (!mode.empty() && mode != "conflate" && mode != "all") fail("mode", "must be conflate or all");
    request.is_all = mode == "all";
    read_interval(request);
    read_resume(request);
    return error_;
  }

 private:
  void fail(std::string_view field, std::string_view rule) {
    if (!error_) error_ = RequestError{"bad_request", std::string(field) + " " + std::string(rule)};
  }
  const Json* find(const char* name) const {
    const auto at = message_.find(name);
    return at == message_.end() || at->is_null() ? nullptr : &*at;
  }
  void text(const char* name, std::string& to, bool is_required) {
    const Json* const value = find(name);
    if (value == nullptr) {
      if (is_required) fail(name, "is missing");
    } else if (!value->is_string() || value->get_ref<const std::string&>().empty()) {
      fail(name, "must be a text that is not empty");
    } else {
      to = value->get<std::string>();
    }
  }
  void read_op(ClientRequest& request) {
    std::string op;
    text("op", op, true);
    if (error_) return;
    if (op == "subscribe") {
      request.op = ClientRequest::Op::kSubscribe;
    } else if (op == "unsubscribe") {
      request.op = ClientRequest::Op::kUnsubscribe;
    } else if (op == "ping") {
      request.op = ClientRequest::Op::kPing;
    } else if (op == "auth") {
      request.op = ClientRequest::Op::kAuth;
    } else {
      error_ = RequestError{"unknown_op", "op must be subscribe, unsubscribe or ping, not '" + safe_text(op) + "'"};
    }
  }
  void read_symbols(ClientRequest& request) {
    const Json* const symbols = find("symbols");
    if (symbols == nullptr) return;
    if (!symbols->is_array()) return fail("symbols", "must be a list of texts");
    for (const Json& symbol : *symbols) {
      if (!symbol.is_string()) return fail("symbols", "must be a list of texts");
      request.symbols.push_back(symbol.get<std::string>());
    }
  }
  void read_interval(ClientRequest& request) {
    const Json* const interval = find("interval_ms");
    if (interval == nullptr) return;
    if (!interval->is_number_integer() || interval->get<std::int64_t>() < 0 ||
        interval->get<std::int64_t>() > kMaxIntervalMs) {
      return fail("interval_ms", "must be a whole number from 0 to 60000");
    }
    request.interval_ms = interval->get<std::uint32_t>();
  }
  void read_resume(ClientRequest& request) {
    const Json* const resume = find("resume");
    if (resume == nullptr) return;
    const char* const kRule = R"(must be {"epoch": text, "seq": {symbol: whole number}})";
    if (!resume->is_object()) return fail("resume", kRule);
    const auto epoch = resume->find("epoch");
    const auto seq = resume->find("seq");
    if (epoch == resume->end() || !epoch->is_string() || seq == resume->end() || !seq->is_object()) {
      return fail("resume", kRule);
    }
    ClientRequest::Resume& to = request.resume.emplace();
    to.epoch = epoch->get<std::string>();
    for (const auto& [symbol, number] : seq->items()) {
      if (!number.is_number_integer() || (!number.is_number_unsigned() && number.get<std::int64_t>() < 0)) {
        return fail("resume", kRule);
      }
      to.seq[symbol] = number.get<std::uint64_t>();
    }
  }

  const Json& message_;
  std::optional<RequestError> error_;
};

}  // namespace

ParsedRequest parse_request(std::string_view message, StreamFormat format, Json& id) {
  ParsedRequest parsed;
  id = nullptr;
  const Json content = read(message, format);
  if (content.is_discarded()) {
    parsed.error = RequestError{"malformed", format == StreamFormat::kMessagePack
                                                 ? "the message is not well-formed MessagePack, or nested too deeply"
                                                 : "the message is not well-formed JSON, or nested too deeply"};
    return parsed;
  }
  if (!content.is_object()) {
    parsed.error = RequestError{"malformed", "the message is not an object"};
    return parsed;
  }
  if (const auto given = content.find("id"); given != content.end() && !given->is_null()) {
    const bool is_short_text = given->is_string() && given->get_ref<const std::string&>().size() <= kMaxIdChars;
    if (!is_short_text && !given->is_number_integer()) {
      parsed.error = RequestError{"bad_request", "id must be a whole number or a text of up to 128 characters"};
      return parsed;
    }
    id = *given;
  }
  parsed.error = Reader(content).read(parsed.request);
  return parsed;
}

}  // namespace tickpipe::internal
