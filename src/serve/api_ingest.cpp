#include <algorithm>
#include <cctype>

#include "core/json_writer.h"
#include "serve/api.h"
#include "serve/problem.h"

namespace tickpipe::internal {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool same_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

/// Whether `header` is `type`, alone or with charset=utf-8.
bool is_media_type(std::string_view header, std::string_view type) noexcept {
  const std::size_t semicolon = header.find(';');
  if (!same_ignoring_case(trimmed(header.substr(0, semicolon)), type)) return false;
  if (semicolon == std::string_view::npos) return true;
  const std::string_view parameter = trimmed(header.substr(semicolon + 1));
  return same_ignoring_case(parameter, "charset=utf-8") || same_ignoring_case(parameter, R"(charset="utf-8")");
}

bool is_encoded(const HttpRequest& request) noexcept {
  return !request.content_encoding.empty() && !same_ignoring_case(request.content_encoding, "identity");
}

/// The members that every answer of an ingest has. `pending` is only of interest where something may be.
void write_counts(JsonWriter& json, const IngestAnswer& answer, bool with_pending) {
  json.literal(R"("received":)");
  json.number(answer.received);
  json.literal(R"(,"accepted":)");
  json.number(answer.accepted);
  json.literal(R"(,"rejected":)");
  json.number(answer.rejected);
  if (with_pending) {
    json.literal(R"(,"pending":)");
    json.number(answer.pending);
  }
  json.literal(R"(,"errors":[)");
  for (const IngestError& error : answer.errors) {
    json.literal(R"({"line":)");
    json.number(error.line);
    json.literal(R"(,"reason":)");
    json.text(to_string(error.reason));
    json.literal(R"(,"detail":)");
    json.text(error.detail);
    json.literal("},");
  }
  json.close(']');
  json.literal(",");
}

HttpResponse ingest_response(const IngestAnswer& answer) {
  const auto problem_with_counts = [&answer](const Problem& problem) {
    JsonWriter json(512 + answer.errors.size() * 96);
    json.literal("{");
    write_problem_members(json, problem);
    write_counts(json, answer, true);
    json.close('}');
    HttpResponse response;
    response.status = problem.status;
    response.content_type = kProblemType;
    response.body = json.take();
    return response;
  };
  const auto detail_or = [&answer](const char* text) { return answer.detail.empty() ? text : answer.detail; };
  HttpResponse response;
  switch (answer.outcome) {
    case IngestAnswer::Outcome::kDone:
      break;
    case IngestAnswer::Outcome::kNotWellFormed:
      return problem_with_counts({400, "not_well_formed", detail_or("the array is not well-formed JSON")});
    case IngestAnswer::Outcome::kBusy:
      response = problem_with_counts({429, "busy", detail_or("no room within the time to wait; nothing was taken")});
      response.headers.emplace_back("Retry-After", "1");
      return response;
    case IngestAnswer::Outcome::kStoreUnavailable:
      return problem_with_counts(
          {503, "store_unavailable", detail_or("not all of it could be stored; sending it again is safe")});
    case IngestAnswer::Outcome::kStopping:
      return problem_with_counts({503, "draining", detail_or("shutting down; nothing was taken")});
  }
  JsonWriter json(128 + answer.errors.size() * 96);
  json.literal("{");
  write_counts(json, answer, false);
  json.close('}');
  response.body = json.take();
  return response;
}

}  // namespace

Outcome Api::ingest(const Call& call) {
  ParameterReader in(call.query);
  const bool is_historical = in.boolean("historical", false);
  if (in.failed()) return in.problem();
  HttpRequest& request = call.request;
  if (request.body.empty()) return Problem{400, "empty_body", "the body holds no quotes"};
  if (!is_media_type(request.content_type, "application/json") &&
      !is_media_type(request.content_type, "application/x-ndjson")) {
    return Problem{415, "unsupported_media_type",
                   "Content-Type must be application/json or application/x-ndjson, in UTF-8"};
  }
  if (is_encoded(request)) {
    return Problem{415, "unsupported_media_type", "bodies are taken without Content-Encoding only"};
  }
  if (const Readiness readiness = parts_.status.readiness(); readiness != Readiness::kReady) {
    IngestAnswer nothing;
    nothing.outcome = IngestAnswer::Outcome::kStopping;
    if (readiness == Readiness::kDraining) return ingest_response(nothing);
    nothing.detail = "still starting; nothing was taken";
    return ingest_response(nothing);
  }
  const QuoteOrigin origin = is_historical ? QuoteOrigin::kHistorical : QuoteOrigin::kLive;
  return Outcome::started_by([this, origin, body = std::move(request.body)](Respond respond) mutable {
    parts_.ingest.ingest(std::move(body), origin, [respond = std::move(respond)](const IngestAnswer& answer) {
      respond(ingest_response(answer));
    });
  });
}

Outcome Api::cleanup(const Call& call) {
  const HttpRequest& request = call.request;
  if (!request.body.empty()) {
    if (!is_media_type(request.content_type, "application/json") || is_encoded(request)) {
      return Problem{415, "unsupported_media_type", "no body is needed; one that is sent must be application/json"};
    }
    std::string_view body = trimmed(request.body);
    if (body.starts_with('{') && body.ends_with('}') && body.size() >= 2) {
      body = trimmed(body.substr(1, body.size() - 2));
    }
    if (!body.empty()) return Problem{400, "unexpected_body", "this takes no options: send no body, or {}"};
  }
  return Outcome::in_background([this] {
    const Maintenance::CleanupResult result = parts_.maintenance.cleanup();
    JsonWriter json(128);
    json.literal(R"({"success":true,"removed_ticks":)");
    json.number(result.removed_ticks);
    json.literal(R"(,"removed_bars":)");
    json.number(result.removed_bars);
    json.close('}');
    HttpResponse response;
    response.body = json.take();
    return response;
  });
}

}  // namespace tickpipe::internal
