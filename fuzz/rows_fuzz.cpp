// Input: `0` and the bytes of rows, or `1` and what records are made of.

#include "store/row_codec.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "fuzz/fuzzing.h"
#include "fuzz/ticks.h"

namespace tickpipe::internal::fuzzing {
namespace {

void check_round_trip(const std::vector<Tick>& ticks, std::size_t first_part, std::string& bytes) {
  RowEncoder encoder;
  // Two commits in a row, each in two parts as of two shards: nothing of the first one may be in the second.
  std::string before;
  for (std::string* out : {&before, &bytes}) {
    encoder.start(ticks.size(), *out);
    encoder.append(std::span(ticks).first(first_part), *out);
    encoder.append(std::span(ticks).subspan(first_part), *out);
  }
  require(before == bytes, "rows depend on their own commit only");
  ByteReader in(bytes);
  std::vector<Tick> decoded;
  decode_rows(in, decoded);
  require(in.ok() && in.at_end(), "rows are read to their end");
  require(decoded == ticks, "records come back as they were");
}

void check_bytes(std::string_view bytes) {
  ByteReader in(bytes);
  std::vector<Tick> ticks;
  decode_rows(in, ticks);
  require(ticks.size() <= bytes.size(), "damage costs no more memory than its bytes are worth");
  if (!in.ok()) return;
  for (const Tick& tick : ticks) {
    require(tick.kind <= RecordKind::kGap, "records are of known kinds");
    if (tick.symbol.value >= kSymbols) return;
  }
  std::string again;
  check_round_trip(ticks, ticks.size() / 2, again);
}

void check_records(Input& input) {
  const std::uint8_t part = input.byte();
  const std::uint8_t cut = input.byte();
  const std::vector<Tick> ticks = make_ticks(input);
  std::string bytes;
  check_round_trip(ticks, ticks.size() * part / 256, bytes);
  bytes.resize(bytes.size() * cut / 256);
  ByteReader in(bytes);
  std::vector<Tick> decoded;
  decode_rows(in, decoded);
  require(!in.ok(), "rows cut short are damage");
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
