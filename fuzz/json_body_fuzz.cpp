// Input: a byte that bounds lines (an even one: 65536 bytes, an odd one: its half), then a body.

#include "ingest/json_body.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fuzz/fuzzing.h"

namespace tickpipe::internal::fuzzing {
namespace {

using Json = nlohmann::json;

struct Item {
  std::string text;
  std::uint64_t number = 0;
  bool too_long = false;

  friend bool operator==(const Item&, const Item&) = default;
};

std::vector<Item> items_of(JsonBody& body) {
  std::vector<Item> items;
  const std::uint64_t promised = body.remaining();
  Line line;
  while (body.next(line)) {
    require(!line.too_long || line.text.empty(), "a line that is too long has no text");
    items.push_back({std::string(line.text), line.number, line.too_long});
    require(body.remaining() == promised - items.size(), "remaining() counts down");
  }
  require(items.size() == promised, "remaining() told the number of items");
  require(!body.next(line), "the end stays the end");
  return items;
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t") == std::string_view::npos; }

/// The lines of a text, found byte by byte.
std::vector<Item> reference_lines(std::string_view text, std::size_t max_bytes) {
  std::vector<Item> items;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::string line;
  std::uint64_t number = 1;
  const auto give = [&] {
    if (line.ends_with('\r')) line.pop_back();
    const bool too_long = line.size() > max_bytes;
    if (!is_blank(line)) items.push_back({too_long ? "" : line, number, too_long});
    ++number;
    line.clear();
  };
  for (const char c : text) {
    if (c == '\n') {
      give();
    } else {
      line += c;
    }
  }
  if (!line.empty()) give();
  return items;
}

/// An array made of the same elements has the same elements.
void check_array(const std::string& body, const std::vector<Item>& items) {
  std::string joined;
  for (const Item& item : items) {
    require(!item.text.empty() || item.too_long, "an element is not empty");
    joined += (joined.empty() ? "[" : ",\n\t") + item.text;
    if (item.too_long) return;
  }
  joined += joined.empty() ? "[]" : "]";
  JsonBody again(joined, 65536);
  require(again.well_formed() && items_of(again) == items, "an array of the elements is the same array");

  // nlohmann's parser refuses lone surrogates and numbers beyond a double, which are the decoder's business.
  const Json whole = Json::parse(body, nullptr, false);
  const bool has_number = body.find_first_of("eE0123456789") != std::string::npos;
  if (whole.is_discarded()) {
    require(has_number || body.find("\\u") != std::string::npos, "a well-formed array is one for another parser too");
    return;
  }
  require(whole.is_array() && whole.size() == items.size(), "there are as many elements as for another parser");
  for (std::size_t i = 0; i < items.size(); ++i) {
    require(Json::parse(items[i].text, nullptr, false) == whole[i], "each element is what another parser finds");
  }
}

void check_refused_array(const std::string& body, const JsonBody& json) {
  require(!json.error_text().empty() && json.error_offset() <= body.size(), "an error has its text and place");
  if (body.find('\0') != std::string::npos) return;  // which ends the text for the other parser
  require(!Json::accept(body), "what another parser takes is well-formed");
}

/// One object that is printed over several lines.
void check_object(const std::string& body, const std::vector<Item>& items, std::size_t max_bytes) {
  require(items.size() == 1 && items[0].number == 1, "one object is one item");
  const std::size_t first = body.find('{');
  const std::size_t last = body.rfind('}');
  const std::string object = body.substr(first, last + 1 - first);
  require(items[0].too_long == (object.size() > max_bytes), "an object is bounded as a line is");
  require(items[0].too_long || items[0].text == object, "the object is all from its first to its last brace");
  require(object.find('\n') != std::string::npos, "it is printed over several lines");
}

}  // namespace

void check(Input input) {
  const std::uint8_t bound = input.byte();
  const std::size_t max_bytes = (bound & 1) == 0 ? 65536 : bound / 2;
  const std::string body(input.rest());

  JsonBody json(body, max_bytes);
  const std::vector<Item> items = items_of(json);
  for (const Item& item : items) require(item.text.size() <= max_bytes, "an item is within the bound");
  switch (json.form()) {
    case JsonBody::Form::kLines:
      require(json.well_formed(), "only arrays are checked as a whole");
      require(items == reference_lines(body, max_bytes), "the lines are those of the reference");
      break;
    case JsonBody::Form::kObject:
      require(json.well_formed(), "only arrays are checked as a whole");
      check_object(body, items, max_bytes);
      break;
    case JsonBody::Form::kArray:
      if (json.well_formed()) {
        require(json.error_text().empty(), "no error, no text");
        check_array(body, items);
      } else {
        require(items.empty(), "an array that is not well-formed gives nothing");
        check_refused_array(body, json);
      }
      break;
  }
}

}  // namespace tickpipe::internal::fuzzing
