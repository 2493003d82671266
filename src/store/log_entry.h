#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/event_batch.h"
#include "store/keys.h"

namespace tickpipe {

/// What one commit wrote: the value of the `log` column family. Part of the store format.
struct LogEntry {
  std::vector<keys::Chunk> chunks;  ///< position is not part of the encoding: it is the key
  std::vector<keys::BarKey> bars;
  std::vector<CloseMark> closes;
  std::vector<Tick> amended;  ///< see EventBatch::amended; symbol, lp, seq, time and prices only

  void clear() {
    chunks.clear();
    bars.clear();
    closes.clear();
    amended.clear();
  }
};

void encode_log_entry(const LogEntry& entry, std::string& out);
/// Throws Error on damaged bytes or a later version.
LogEntry decode_log_entry(std::string_view bytes, Position position);

}  // namespace tickpipe
