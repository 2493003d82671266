// Writes seeds of the binary formats into fuzz/corpus, or into the folder that is named: `fuzz_make_seeds [FOLDER]`.
// By hand, after a change of the store format; the seeds of the formats before stay.

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "model/event_batch.h"
#include "store/chunk_codec.h"
#include "store/log_entry.h"
#include "store/row_codec.h"

namespace tickpipe::internal {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMorning = 1'768'384'800'000'000'000;  // 2026-01-14T10:00:00Z

struct Variation {
  const char* name;
  std::int64_t lag_ns;  ///< 0: all were received at one moment
  bool has_sizes;
  bool has_lps;
  bool has_kinds;
  std::int64_t price_step;
  std::int64_t time_step_ns;
  std::size_t count;
};

constexpr Variation kVariations[] = {
    {"one", 1'000, false, false, false, 10'000, 1'000'000, 1},
    {"steady", 1'000, false, false, false, 10'000, 1'000'000, 20},
    {"fine", 12'345, false, false, false, 7, 123'456'789, 20},
    {"history", 0, false, false, false, 10'000, 60'000'000'000, 20},
    {"sizes", 1'000, true, false, false, 10'000, 1'000'000, 12},
    {"lps", 1'000, false, true, false, 10'000, 1'000'000, 12},
    {"kinds", 1'000, true, true, true, 10'000, 0, 12},
    {"constant", 1'000, false, false, false, 0, 1'000'000, 40},
};

std::vector<Tick> ticks_of(const Variation& v) {
  std::vector<Tick> ticks;
  for (std::size_t i = 0; i < v.count; ++i) {
    const auto n = static_cast<std::int64_t>(i);
    Tick tick;
    tick.symbol.value = v.has_lps ? static_cast<std::uint32_t>(i % 3) : 0;
    tick.ts_event.ns = kMorning + n * v.time_step_ns;
    tick.ts_recv.ns = v.lag_ns == 0 ? kMorning + 86'400'000'000'000 : tick.ts_event.ns + v.lag_ns + n * n * 997;
    tick.bid.units = 1'164'470'000 + (n * 7919 % 13 - 6) * v.price_step;
    tick.ask.units = tick.bid.units + 120'000 + n % 3 * v.price_step;
    tick.seq = i + 1;
    if (v.has_sizes && i % 3 != 0) tick.bid_size.units = (n + 1) * 250'000'000;
    if (v.has_sizes && i % 2 != 0) tick.ask_size.units = n * 1'000'000'000;
    if (v.has_lps) tick.lp.value = static_cast<std::uint16_t>(i % 4);
    if (v.has_kinds) tick.kind = static_cast<RecordKind>(i % 3);
    if (v.has_kinds) tick.flags = static_cast<std::uint8_t>(i * 37);
    ticks.push_back(tick);
  }
  return ticks;
}

void write(const fs::path& file, const std::string& bytes) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << bytes;
}

LogEntry entry_of(const std::vector<Tick>& ticks, Position first, Position last) {
  LogEntry entry;
  entry.first = first;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::uint64_t number = ticks.size() + i;
    entry.bars.push_back({.symbol = {static_cast<std::uint32_t>(i)},
                          .timeframe = {std::chrono::minutes{1 + i * 4}},
                          .open_time = {kMorning + static_cast<std::int64_t>(i) * 60'000'000'000}});
    entry.closes.push_back(
        {.symbol = {static_cast<std::uint32_t>(i)}, .after_seq = number, .closed_through = {kMorning}});
    entry.close_positions.push_back({first.value + i % (last.value - first.value + 1)});
  }
  Tick amended = ticks.back();
  amended.flags = kFoldedLater;
  entry.amended.push_back(amended);
  entry.amended_positions.push_back(last);
  return entry;
}

void write_seeds(const fs::path& folder) {
  for (const Variation& variation : kVariations) {
    const std::vector<Tick> ticks = ticks_of(variation);
    std::vector<StoredTick> stored;
    for (const Tick& tick : ticks) {
      stored.push_back({tick, {1000 + stored.size() / 5}});
      stored.back().tick.symbol = {};
    }
    std::string chunk = "0";
    encode_chunk(stored, chunk);
    write(folder / "chunk" / variation.name, chunk);

    RowEncoder encoder;
    std::string rows = "0";
    encoder.start(ticks.size(), rows);
    encoder.append(ticks, rows);
    write(folder / "rows" / variation.name, rows);

    // The byte behind the `0` is the position less 1.
    EventBatch batch;
    batch.ticks = ticks;
    const std::vector<const EventBatch*> batches = {&batch};
    std::string commit = "09";
    const Position last{1 + '9'};
    encode_commit_entry(entry_of(ticks, last, last), batches, encoder, commit);
    write(folder / "log_entry" / (std::string("commit_") + variation.name), commit);

    LogEntry packed = entry_of(ticks, {3}, last);
    for (std::uint32_t i = 0; i < 4; ++i) {
      packed.chunks.push_back({.symbol = {i},
                               .span_class = static_cast<std::uint8_t>(i),
                               .first = {kMorning},
                               .position = last,
                               .ordinal = i});
    }
    std::string bytes = "09";
    encode_packed_entry(packed, last, bytes);
    write(folder / "log_entry" / (std::string("packed_") + variation.name), bytes);
  }
}

}  // namespace
}  // namespace tickpipe::internal

int main(int argument_count, char** arguments) {
  tickpipe::internal::write_seeds(argument_count > 1 ? arguments[1] : "fuzz/corpus");
}
