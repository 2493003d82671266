// Input: `0` and the bytes of a chunk, or `1` and what records are made of.

#include "store/chunk_codec.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "core/error.h"
#include "fuzz/fuzzing.h"
#include "fuzz/ticks.h"

namespace tickpipe::internal::fuzzing {
namespace {

constexpr SymbolId kSymbol{7};
constexpr Position kPosition{5};

void check_round_trip(const std::vector<StoredTick>& ticks, std::string& bytes) {
  encode_chunk(ticks, bytes);
  const ChunkHeader header = decode_chunk_header(bytes);
  require(header.count == ticks.size(), "the header tells the number of records");
  require(header.first == ticks.front().tick.ts_event && header.last == ticks.back().tick.ts_event,
          "the header tells the first and the last time");
  std::vector<StoredTick> decoded;
  require(decode_chunk(bytes, kSymbol, kPosition, decoded) == 0, "there are no unknown records");
  require(decoded == ticks, "records come back as they were");
}

bool is_damaged(std::string_view bytes) {
  std::vector<StoredTick> ticks;
  try {
    decode_chunk(bytes, kSymbol, kPosition, ticks);
  } catch (const Error&) {
    return true;
  }
  return false;
}

void check_bytes(std::string_view bytes) {
  std::vector<StoredTick> ticks;
  std::size_t unknown = 0;
  ChunkHeader header;
  try {
    unknown = decode_chunk(bytes, kSymbol, kPosition, ticks);
    header = decode_chunk_header(bytes);
  } catch (const Error&) {
    require(ticks.size() <= kMaxChunkTicks, "damage costs no more memory than a chunk");
    return;
  }
  require(header.count > 0 && header.count <= kMaxChunkTicks, "a chunk has some records, and not too many");
  require(ticks.size() + unknown == header.count, "every record is there or counted");
  require(header.first <= header.last, "the first record is not behind the last");
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    const Tick& tick = ticks[i].tick;
    require(tick.symbol == kSymbol && tick.kind <= RecordKind::kGap, "records are of the symbol and of known kinds");
    require(tick.ts_event >= header.first && tick.ts_event <= header.last, "records are within the header's times");
    require(i == 0 || ticks[i - 1].tick.ts_event <= tick.ts_event, "records ascend by time");
  }
  if (ticks.empty()) return;
  std::string again;
  check_round_trip(ticks, again);
}

void check_records(Input& input) {
  std::vector<StoredTick> ticks;
  StoredTick each;
  each.tick.symbol = kSymbol;
  each.tick.ts_event.ns = input.signed_amount();
  const std::uint8_t cut = input.byte();
  do {
    each.tick = make_tick(input, each.tick);
    const std::uint64_t room = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) -
                               static_cast<std::uint64_t>(each.tick.ts_event.ns);
    each.tick.ts_event = {
        static_cast<std::int64_t>(static_cast<std::uint64_t>(each.tick.ts_event.ns) + std::min(input.amount(), room))};
    each.position.value += input.amount();
    ticks.push_back(each);
  } while (input.remaining() > 0 && ticks.size() < kMaxChunkTicks);
  std::string bytes;
  check_round_trip(ticks, bytes);
  require(is_damaged(bytes + '\0'), "a byte too many is damage");
  bytes.resize(bytes.size() * cut / 256);
  require(is_damaged(bytes), "a chunk cut short is damage");
}

}  // namespace

void check(Input input) {
  if (input.flag()) {
    check_records(input);
  } else {
    check_bytes(input.rest());
  }
}

}  // namespace tickpipe::internal::fuzzing
