#pragma once

#include <string>
#include <string_view>

#include "serve/http.h"

namespace tickpipe::internal {

class JsonWriter;

inline constexpr std::string_view kProblemType = "application/problem+json";

/// An error as the client sees it (RFC 9457).
struct Problem {
  int status = 500;
  std::string_view code;  ///< static text; what programs decide by
  std::string detail;     ///< for people; may hold text of the request only through safe_text()
};

HttpResponse to_response(const Problem& problem);

/// `"type":...,"code":...,` for answers that carry more members.
void write_problem_members(JsonWriter& json, const Problem& problem);

/// A 405 or 204 answer with its Allow header.
HttpResponse method_not_allowed(std::string allow);
HttpResponse options_answer(std::string allow);

}  // namespace tickpipe::internal
