#include "app/config/key_suggestion.h"

#include <algorithm>

namespace tickpipe::internal {
namespace {

constexpr std::size_t kMaxWordChars = 64;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::size_t tolerance(std::string_view word) { return std::clamp<std::size_t>(word.size() / 3, 1, 3); }

/// `http.port`, `http_port`, `httpPort` and `HTTP-PORT` are all `httpport`.
std::string squash(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c != '.' && c != '_' && c != '-') out += lower(c);
  }
  return out;
}

std::string_view last_part(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

/// The names one level below `parent`, groups included.
std::vector<std::string_view> names_below(std::string_view parent, const std::vector<std::string_view>& paths) {
  std::vector<std::string_view> names;
  for (std::string_view path : paths) {
    if (!parent.empty()) {
      if (!path.starts_with(parent) || path.size() <= parent.size() || path[parent.size()] != '.') continue;
      path.remove_prefix(parent.size() + 1);
    }
    names.push_back(path.substr(0, path.find('.')));
  }
  return names;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0U : 1U)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string closest(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (word.empty() || word.size() > kMaxWordChars) return {};
  std::size_t best_distance = tolerance(word) + 1;
  std::string_view best;
  for (const std::string_view candidate : candidates) {
    // A word of which nothing is left is no slip: "x" is not "db".
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance && distance < std::max(word.size(), candidate.size())) {
      best_distance = distance;
      best = candidate;
    }
  }
  return std::string(best);
}

std::string suggest_key(std::string_view parent, std::string_view name, const std::vector<std::string_view>& paths) {
  if (name.empty() || name.size() > kMaxWordChars || parent.size() > kMaxWordChars) return {};
  const std::string squashed = squash(std::string(parent).append(name));
  const std::string squashed_name = squash(name);
  const auto shown = [parent](std::string_view path) {
    const bool is_sibling = parent.empty() ? path.find('.') == std::string_view::npos
                                           : path.starts_with(parent) && path.substr(parent.size()).starts_with('.');
    return std::string(is_sibling ? last_part(path) : path);
  };
  for (const std::string_view path : paths) {
    if (squash(path) == squashed || squash(path) == squashed_name) return shown(path);
  }
  for (const std::string_view path : paths) {
    if (squash(last_part(path)) == squashed_name) return shown(path);
  }
  if (std::string sibling = closest(name, names_below(parent, paths)); !sibling.empty()) return sibling;

  const std::string_view* best = nullptr;
  std::size_t best_distance = tolerance(name) + 1;
  for (const std::string_view& path : paths) {
    const std::size_t distance =
        std::min(edit_distance(squashed, squash(path)), edit_distance(squashed_name, squash(last_part(path))));
    if (distance < best_distance) {
      best_distance = distance;
      best = &path;
    }
  }
  return best == nullptr || best_distance >= name.size() ? std::string{} : shown(*best);
}

}  // namespace tickpipe::internal
