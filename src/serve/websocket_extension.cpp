#include "serve/websocket_extension.h"

#include <algorithm>
#include <utility>

#include "serve/http_text.h"

namespace tickpipe::internal {
namespace {

/// Characters of a token (RFC 7230, 3.2.6).
bool is_token_char(char c) noexcept {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         kMarks.find(c) != std::string_view::npos;
}

/// Takes the token at the start of `rest`; empty if there is none.
std::string_view take_token(std::string_view& rest) noexcept {
  const auto end = std::find_if_not(rest.begin(), rest.end(), is_token_char);
  const std::string_view token = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(token.size());
  return token;
}

bool take(std::string_view& rest, char c) noexcept {
  if (!rest.starts_with(c)) return false;
  rest.remove_prefix(1);
  return true;
}

void skip_blanks(std::string_view& rest) noexcept {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
}

/// Takes one element of the list, trimmed. A comma in quotes separates nothing.
std::string_view take_element(std::string_view& list) noexcept {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < list.size() && (quoted || list[at] != ','); ++at) {
    if (list[at] == '"') quoted = !quoted;
    if (list[at] == '\\' && quoted) ++at;
  }
  at = std::min(at, list.size());
  const std::string_view element = trim_blanks(list.substr(0, at));
  list.remove_prefix(std::min(at + 1, list.size()));
  return element;
}

/// `name`, `name=token` or `name="token"`, where characters in quotes may be escaped.
struct Parameter {
  std::string_view name;
  std::optional<std::string> value;
};

std::optional<std::string> take_value(std::string_view& rest) {
  if (!take(rest, '"')) {
    const std::string_view token = take_token(rest);
    return token.empty() ? std::nullopt : std::optional<std::string>(token);
  }
  std::string value;
  while (!take(rest, '"')) {
    take(rest, '\\');
    if (rest.empty() || !is_token_char(rest.front())) return std::nullopt;  // RFC 6455, 9.1: a token all the same
    value += rest.front();
    rest.remove_prefix(1);
  }
  return value.empty() ? std::nullopt : std::optional<std::string>(std::move(value));
}

std::optional<Parameter> take_parameter(std::string_view& rest) {
  skip_blanks(rest);
  if (!take(rest, ';')) return std::nullopt;
  skip_blanks(rest);
  Parameter parameter{take_token(rest), std::nullopt};
  if (parameter.name.empty()) return std::nullopt;
  if (take(rest, '=')) {
    parameter.value = take_value(rest);
    if (!parameter.value) return std::nullopt;
  }
  return parameter;
}

/// 8 to 15 without leading zeros, otherwise 0.
int window_bits(std::string_view value) noexcept {
  if (value.size() == 1 && (value[0] == '8' || value[0] == '9')) return value[0] - '0';
  if (value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5') return 10 + (value[1] - '0');
  return 0;
}

/// Judges the parameters of one offer.
class DeflateOffer {
 public:
  /// False: the offer is to be declined.
  bool add(const Parameter& parameter) {
    const auto& [name, value] = parameter;
    if (name == "server_no_context_takeover") return is_first(server_no_context_) && !value;
    if (name == "client_no_context_takeover") return is_first(client_no_context_) && !value;
    if (name == "client_max_window_bits") return is_first(client_window_) && (!value || window_bits(*value) != 0);
    if (name == "server_max_window_bits") return is_first(server_window_) && value && window_bits(*value) == 15;
    return false;
  }

  /// A limit of our window has to be confirmed (RFC 7692, 7.1.2.1).
  [[nodiscard]] std::string answer() const {
    std::string text = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    if (server_window_) text += "; server_max_window_bits=15";
    return text;
  }

 private:
  static bool is_first(bool& seen) noexcept { return !std::exchange(seen, true); }

  bool server_no_context_ = false;
  bool client_no_context_ = false;
  bool server_window_ = false;
  bool client_window_ = false;
};

std::optional<std::string> answer_offer(std::string_view element) {
  if (take_token(element) != "permessage-deflate") return std::nullopt;
  DeflateOffer offer;
  while (!element.empty()) {
    const auto parameter = take_parameter(element);
    if (!parameter || !offer.add(*parameter)) return std::nullopt;
  }
  return offer.answer();
}

}  // namespace

std::optional<std::string> answer_deflate_offers(std::string_view extensions) {
  while (!extensions.empty()) {
    if (auto answer = answer_offer(take_element(extensions))) return answer;
  }
  return std::nullopt;
}

}  // namespace tickpipe::internal
