#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/event_batch.h"
#include "store/keys.h"
#include "store/row_codec.h"

namespace tickpipe::internal {

/// A value of the `log` column family. Part of the store format.
///
/// A commit writes one entry, under its position, that holds its ticks. Later many commits in a row are packed: their
/// ticks go into chunks, and one entry, under the position of the last of them, takes the place of theirs. (Releases
/// with store format 1 wrote each commit's ticks into chunks at once.)
struct LogEntry {
  Position first;  ///< of the commits that the entry tells of; the last is its key
  std::vector<Tick> ticks;
  std::vector<keys::Chunk> chunks;  ///< position is not part of the encoding: it is the key
  std::vector<keys::BarKey> bars;
  std::vector<CloseMark> closes;
  std::vector<Tick> amended;  ///< see EventBatch::amended; symbol, lp, seq, time, prices and flags only
  // Of which commit, where there are several.
  std::vector<Position> close_positions;
  std::vector<Position> amended_positions;

  void clear() {
    ticks.clear();
    chunks.clear();
    bars.clear();
    closes.clear();
    amended.clear();
    close_positions.clear();
    amended_positions.clear();
  }
};

/// Writes the entry of a commit; its ticks are those of `batches`, `entry.ticks` is not used, nor are its chunks.
void encode_commit_entry(const LogEntry& entry, std::span<const EventBatch* const> batches, RowEncoder& rows,
                         std::string& out);
/// Writes the entry of packed commits, `entry.first` to `last`. It has no ticks.
void encode_packed_entry(const LogEntry& entry, Position last, std::string& out);
/// Whether it holds the ticks of one commit, which are not packed yet. Throws Error on an empty value.
bool is_commit_entry(std::string_view bytes);
/// Throws Error on damaged bytes or a later version.
LogEntry decode_log_entry(std::string_view bytes, Position position);

}  // namespace tickpipe::internal
