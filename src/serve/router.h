#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "serve/http.h"
#include "serve/query.h"

namespace tickpipe::internal {

class Api;
struct Route;

/// A request that has found its route.
struct Call {
  const Route& route;
  HttpRequest& request;
  std::string_view symbol;  ///< the last segment as sent, where the pattern has `{symbol}`
  const Query& query;
};

/// What a handler did: it has the answer; or gives the work that makes it, to be done in the background; or starts
/// something that will answer by itself.
struct Outcome {
  HttpResponse now;
  std::function<HttpResponse()> later;
  std::function<void(Respond)> start;

  Outcome(HttpResponse response) : now(std::move(response)) {}    // NOLINT(google-explicit-constructor)
  Outcome(const Problem& problem) : now(to_response(problem)) {}  // NOLINT(google-explicit-constructor)
  static Outcome in_background(std::function<HttpResponse()> work) {
    Outcome outcome{HttpResponse{}};
    outcome.later = std::move(work);
    return outcome;
  }
  static Outcome started_by(std::function<void(Respond)> start) {
    Outcome outcome{HttpResponse{}};
    outcome.start = std::move(start);
    return outcome;
  }
};

struct Route {
  HttpMethod method = HttpMethod::kGet;  ///< kGet (HEAD too) or kPost
  std::string_view path;                 ///< may end in `{symbol}`: one segment, not empty
  std::span<const std::string_view> parameters;
  std::span<const int> statuses;  ///< every one that the handler may answer with, 400 for the query included
  Outcome (Api::*handler)(const Call&) = nullptr;
};

struct RouteMatch {
  const Route* route = nullptr;  ///< the method's; null if there is none
  bool path_is_known = false;
  std::string_view symbol;
};

/// Finds the route of a path as it was sent. Fixed segments are compared without decoding, so that a path has one
/// spelling, here and for access rules. Cost: O(routes), no allocation.
RouteMatch find_route(std::span<const Route> routes, HttpMethod method, std::string_view path) noexcept;

/// The Allow header of a path.
std::string allowed_methods(std::span<const Route> routes, std::string_view path);

}  // namespace tickpipe::internal
