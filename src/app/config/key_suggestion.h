#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tickpipe::internal {

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other, ignoring case.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that `word` is most likely a slip of, or empty if none is close enough to be worth saying.
/// Words of more than 64 characters are no slips.
std::string closest(std::string_view word, const std::vector<std::string_view>& candidates);

/// What was probably meant by the unknown key `name` inside the group `parent` (empty at the top level): the name of a
/// sibling, else a full path (`http.port` for `http_port`, `httpPort` or a `port` outside its group), else empty.
/// `paths` are all known ones.
std::string suggest_key(std::string_view parent, std::string_view name, const std::vector<std::string_view>& paths);

}  // namespace tickpipe::internal
