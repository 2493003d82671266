#include "serve/problem.h"

#include <utility>

#include "core/json_writer.h"
#include "serve/http_text.h"

namespace tickpipe::internal {

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
  json.text(http_reason(problem.status));
  json.literal(R"(,"status":)");
  json.number(static_cast<std::uint64_t>(problem.status));
  json.literal(R"(,"detail":)");
  json.text(problem.detail);
  json.literal(R"(,"code":)");
  json.text(problem.code);
  json.literal(",");
}

}  // namespace tickpipe::internal
