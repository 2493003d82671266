// Input: `0`, a byte for the position and the bytes of an entry, or `1` and what an entry is made of.

#include "store/log_entry.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/error.h"
#include "fuzz/fuzzing.h"
#include "fuzz/ticks.h"
#include "model/bar_codec.h"

namespace tickpipe::internal::fuzzing {
namespace {

bool same(const keys::Chunk& a, const keys::Chunk& b) {
  return a.symbol == b.symbol && a.span_class == b.span_class && a.first == b.first && a.position == b.position &&
         a.ordinal == b.ordinal;
}
bool same(const keys::BarKey& a, const keys::BarKey& b) {
  return a.symbol == b.symbol && a.timeframe == b.timeframe && a.open_time == b.open_time;
}
bool same(const CloseMark& a, const CloseMark& b) {
  return a.symbol == b.symbol && a.after_seq == b.after_seq && a.closed_through == b.closed_through;
}
template <typename T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const T& x, const T& y) { return same(x, y); });
}

bool same(const LogEntry& a, const LogEntry& b) {
  return a.first == b.first && a.ticks == b.ticks && same(a.chunks, b.chunks) && same(a.bars, b.bars) &&
         same(a.closes, b.closes) && a.amended == b.amended && a.close_positions == b.close_positions &&
         a.amended_positions == b.amended_positions;
}

/// Everything that an entry refers to can be there.
void check_content(const LogEntry& entry, Position position) {
  require(entry.first.value >= 1 && entry.first <= position, "an entry tells of commits up to its position");
  require(entry.close_positions.size() == entry.closes.size(), "every closed bar has its commit");
  require(entry.amended_positions.size() == entry.amended.size(), "every amended quote has its commit");
  for (const auto* positions : {&entry.close_positions, &entry.amended_positions}) {
    for (const Position each : *positions) {
      require(each >= entry.first && each <= position, "a commit is one of those that the entry tells of");
    }
  }
  for (const keys::Chunk& chunk : entry.chunks) {
    const auto parsed = keys::parse_chunk(keys::chunk(chunk));
    require(parsed && same(*parsed, chunk), "a chunk has a key");
  }
  for (const keys::BarKey& bar : entry.bars) {
    const auto parsed = keys::parse_bar(keys::bar(bar));
    require(parsed && same(*parsed, bar), "a bar has a key");
  }
}

std::string encode(const LogEntry& entry, Position position, bool is_commit) {
  std::string bytes;
  if (is_commit) {
    EventBatch batch;
    batch.ticks = entry.ticks;
    const std::vector<const EventBatch*> batches = {&batch};
    RowEncoder rows;
    encode_commit_entry(entry, batches, rows, bytes);
  } else {
    encode_packed_entry(entry, position, bytes);
  }
  return bytes;
}

void check_bytes(Position position, std::string_view bytes) {
  LogEntry entry;
  try {
    entry = decode_log_entry(bytes, position);
  } catch (const Error&) {
    return;
  }
  check_content(entry, position);
  const bool is_commit = is_commit_entry(bytes);
  require(is_commit || entry.ticks.empty(), "only a commit has ticks");
  require(!is_commit || entry.chunks.empty(), "a commit has no chunks");
  for (const Tick& tick : entry.ticks) {
    if (tick.symbol.value >= kSymbols) return;
  }
  require(same(decode_log_entry(encode(entry, position, is_commit), position), entry), "an entry comes back as it was");
}

LogEntry make_entry(Input& input, bool is_commit, Position position) {
  LogEntry entry;
  entry.first.value = is_commit ? position.value : 1 + input.amount() % position.value;
  const auto commit = [&]() -> Position {
    return {entry.first.value + input.amount() % (position.value - entry.first.value + 1)};
  };
  const auto symbol = [&] { return SymbolId{static_cast<std::uint32_t>(input.number(4))}; };
  if (is_commit) entry.ticks = make_ticks(input);
  for (std::uint64_t n = is_commit ? 0U : input.number(1) % 8; n > 0; --n) {
    entry.chunks.push_back({.symbol = symbol(),
                            .span_class = static_cast<std::uint8_t>(input.byte() % keys::kSpanLimits.size()),
                            .first = {input.signed_amount()},
                            .position = position,
                            .ordinal = static_cast<std::uint32_t>(input.number(4))});
  }
  for (std::uint64_t n = input.number(1) % 8; n > 0; --n) {
    const std::chrono::seconds length{1 + static_cast<std::int64_t>(input.number(3)) % 604'800};
    entry.bars.push_back({.symbol = symbol(), .timeframe = {length}, .open_time = {input.signed_amount()}});
  }
  for (std::uint64_t n = input.number(1) % 8; n > 0; --n) {
    entry.closes.push_back(
        {.symbol = symbol(), .after_seq = input.amount(), .closed_through = {input.signed_amount()}});
    entry.close_positions.push_back(commit());
  }
  Tick tick;
  for (std::uint64_t n = input.number(1) % 8; n > 0; --n) {
    const Tick made = make_tick(input, tick);
    tick = Tick{};  // the other fields are not part of it
    tick.symbol = symbol();
    tick.lp = made.lp;
    tick.seq = made.seq;
    tick.ts_event.ns = input.signed_amount();
    tick.bid = made.bid;
    tick.ask = made.ask;
    tick.flags = made.flags;
    entry.amended.push_back(tick);
    entry.amended_positions.push_back(commit());
  }
  return entry;
}

bool is_damaged(std::string_view bytes, Position position) {
  try {
    (void)decode_log_entry(bytes, position);
  } catch (const Error&) {
    return true;
  }
  return false;
}

/// The values that entries name bars by have a codec of their own.
void check_bar(Input& input) {
  Bar bar;
  bar.open_time.ns = input.signed_amount();
  bar.close_time.ns = input.signed_amount();
  for (Price* price : {&bar.open, &bar.high, &bar.low, &bar.close}) price->units = input.signed_amount();
  bar.first_tick.ns = input.signed_amount();
  bar.last_tick.ns = input.signed_amount();
  bar.tick_count = input.amount();
  bar.trade_count = input.amount();
  if (bar.trade_count != 0) bar.trade_volume = static_cast<Int128>(input.signed_amount()) * input.signed_amount();
  bar.revision = static_cast<std::uint32_t>(input.number(4));
  bar.is_closed = input.flag();
  std::string bytes;
  ByteWriter out(bytes);
  encode_bar(out, bar);
  ByteReader in(bytes);
  const Bar decoded = decode_bar(in);
  require(in.ok() && in.at_end() && decoded == bar, "a bar comes back as it was");
}

}  // namespace

void check(Input input) {
  const bool is_made = input.flag();
  const Position position{1 + std::uint64_t{input.byte()}};
  if (!is_made) return check_bytes(position, input.rest());

  const bool is_commit = input.flag();
  const std::uint8_t cut = input.byte();
  const LogEntry entry = make_entry(input, is_commit, position);
  std::string bytes = encode(entry, position, is_commit);
  require(is_commit_entry(bytes) == is_commit, "an entry tells what it is");
  const LogEntry decoded = decode_log_entry(bytes, position);
  check_content(decoded, position);
  require(same(decoded, entry), "an entry comes back as it was");
  require(is_damaged(bytes + '\0', position), "a byte too many is damage");
  bytes.resize(bytes.size() * cut / 256);
  require(is_damaged(bytes, position), "an entry cut short is damage");
  check_bar(input);
}

}  // namespace tickpipe::internal::fuzzing
