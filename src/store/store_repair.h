#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "store/rocks.h"
#include "store/store_content.h"

namespace tickpipe::internal {

/// Makes in the folder `target`, which must not exist, a store of all that `source` holds, which read_content() told,
/// under a new epoch. Positions stay; a name that is lost is replaced by `LOST.` and its number; ticks that are there
/// twice are kept once. What the log does not tell any more is put into it. No checkpoint is taken over: who opens the
/// store next reads all its log. Throws Error when the disk fails.
void rebuild_store(const Rocks& source, const StoreContent& content, const std::filesystem::path& target);

/// Notes in the store `database`, which nobody else has open, what is lost for good; adds to what is noted already.
void note_lost(const std::filesystem::path& database, const std::map<SymbolId, std::vector<SeqSet::Gap>>& lost);

}  // namespace tickpipe::internal
