#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/ids.h"
#include "store/keys.h"
#include "store/rocks.h"
#include "store/seq_set.h"

namespace tickpipe::internal {

/// What a database holds, read whole and compared with itself: what `check-data` tells and `repair` works from.
struct StoreContent {
  std::map<std::uint32_t, std::string> symbol_names;
  std::map<std::uint32_t, std::string> lp_names;
  std::set<std::pair<SymbolId, std::int32_t>> sealed_days;
  std::map<SymbolId, UnixNanos> bars_removed;  ///< closed bars that ended by then may have been removed
  std::map<Position, Position> packed;         ///< first commit of each packed entry, by its last
  std::vector<Position> commits;               ///< that have entries of their own, ascending
  std::vector<keys::Chunk> lost;               ///< chunks that the log tells of, and that retention has not removed
  std::vector<keys::Chunk> unlisted;           ///< chunks that the log does not tell of, by position
  std::map<SymbolId, SeqSet> packed_seqs;
  std::map<SymbolId, SeqSet> seqs;                          ///< those of commits that are not packed included
  std::map<SymbolId, std::vector<SeqSet::Gap>> known_lost;  ///< what earlier repairs found missing
  std::uint32_t symbol_count = 0;                           ///< one more than the greatest number that is used
  std::uint32_t lp_count = 0;
  std::uint64_t chunks = 0;
  std::uint64_t quotes = 0;
  std::uint64_t bars = 0;
  Position newest;
  std::vector<std::string> problems;  ///< of entries that cannot be read: a line each

  [[nodiscard]] std::string symbol_name(SymbolId symbol) const;
  /// The quotes of a symbol that are missing from 1 to `through` although neither retention nor an earlier repair
  /// explains it.
  [[nodiscard]] std::vector<SeqSet::Gap> lost_seqs(SymbolId symbol, std::uint64_t through) const;
};

/// The value of a `lost/` key.
std::string encode_lost(const std::vector<SeqSet::Gap>& gaps);
/// Throws Error on damaged bytes.
std::vector<SeqSet::Gap> decode_lost(std::string_view bytes);

/// Reads everything; what cannot be read goes into the problems. Throws Error only when nothing can be read.
StoreContent read_content(const Rocks& rocks);

/// `EURUSD: seq 101 to 200, between 2026-01-15T10:00:00.000Z and 2026-01-15T10:01:40.000Z`
std::string describe_gap(std::string_view symbol, const SeqSet::Gap& gap);
/// `commit 7` or `commits 7 to 9`
std::string describe_commits(Position first, Position last);
/// `EURUSD: 3 chunks of quotes, the first from 2026-01-15T10:00:00.000Z`, per symbol.
std::vector<std::string> describe_chunks(const StoreContent& content, const std::vector<keys::Chunk>& chunks);

}  // namespace tickpipe::internal
