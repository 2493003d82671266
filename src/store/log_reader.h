#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/history.h"
#include "store/log_entry.h"
#include "store/log_visitor.h"
#include "store/retention_access.h"
#include "store/rocks.h"
#include "store/tail.h"

namespace tickpipe::internal {

/// Throws Error on damaged bytes.
StoredBar decode_stored_bar(std::string_view bytes);
/// The closed bar, if it is stored. Throws Error.
std::optional<StoredBar> find_stored_bar(const Rocks& rocks, const keys::BarKey& key);

/// Fills the empty tail with the commits in the log that are not packed. Throws Error on damage; a commit that is
/// missing among them is damage.
void load_tail(const Rocks& rocks, Tail& tail);

/// Hands over what commits wrote, whether they are packed or not: EmbeddedStore::read_after().
class LogReader {
 public:
  /// All outlive it.
  LogReader(const Rocks& rocks, const Tail& tail, const RetentionAccess& retention)
      : rocks_(rocks), tail_(tail), retention_(retention) {}

  /// Throws Error.
  void read_after(Position position, LogVisitor& visitor);

 private:
  struct Commit {
    bool is_whole = true;
    std::map<SymbolId, std::vector<Tick>> ticks;
    std::vector<CloseMark> closes;
    std::vector<Tick> amended;
    std::vector<std::pair<keys::BarKey, StoredBar>> bars;
  };
  /// By position, those after `after` alone.
  std::map<Position, Commit> commits_of(const LogEntry& entry, Position last, Position after);
  void read_chunk(const keys::Chunk& chunk, const LogEntry& entry, Position after, std::map<Position, Commit>& commits);
  /// As the tick is now: it may have been amended since its commit.
  [[nodiscard]] std::uint8_t current_flags(const Tick& tick) const;
  static void hand_over(Position position, Commit& commit, LogVisitor& visitor);

  const Rocks& rocks_;
  const Tail& tail_;
  const RetentionAccess& retention_;
  std::string value_;
  std::vector<StoredTick> decoded_;
};

}  // namespace tickpipe::internal
