#include "serve/problem.h"

#include <utility>

#include "core/json_writer.h"

namespace tickpipe::internal {

std::string_view status_title(int status) noexcept {
  switch (status) {
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

HttpResponse to_response(const Problem& problem) {
  JsonWriter json(256);
  json.literal("{");
  write_problem_members(json, problem);
  json.close('}');
  HttpResponse response;
  response.status = problem.status;
  response.content_type = kProblemType;
  response.body = json.take();
  return response;
}

HttpResponse method_not_allowed(std::string allow) {
  HttpResponse response = to_response({405, "method_not_allowed", "this path takes " + allow});
  response.headers.emplace_back("Allow", std::move(allow));
  return response;
}

HttpResponse options_answer(std::string allow) {
  HttpResponse response;
  response.status = 204;
  response.content_type = {};
  response.headers.emplace_back("Allow", std::move(allow));
  return response;
}

void write_problem_members(JsonWriter& json, const Problem& problem) {
  json.literal(R"("type":"about:blank","title":)");
  json.text(status_title(problem.status));
  json.literal(R"(,"status":)");
  json.number(static_cast<std::uint64_t>(problem.status));
  json.literal(R"(,"detail":)");
  json.text(problem.detail);
  json.literal(R"(,"code":)");
  json.text(problem.code);
  json.literal(",");
}

}  // namespace tickpipe::internal
