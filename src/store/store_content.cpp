#include "store/store_content.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "core/bytes.h"
#include "core/error.h"
#include "core/safe_text.h"
#include "core/timestamp_text.h"
#include "core/utc_day.h"
#include "model/bar_codec.h"
#include "model/names.h"
#include "store/chunk_codec.h"
#include "store/log_entry.h"
#include "store/log_reader.h"

namespace tickpipe::internal {
namespace {

constexpr int kMillis = 3;

auto order_of(const keys::Chunk& key) {
  return std::tuple(key.position, key.symbol, key.span_class, key.first, key.ordinal);
}
bool is_before(const keys::Chunk& a, const keys::Chunk& b) { return order_of(a) < order_of(b); }

class ContentReader {
 public:
  explicit ContentReader(const Rocks& rocks) : rocks_(rocks) {}

  StoreContent read() {
    read_meta();
    read_chunks();
    content_.seqs = content_.packed_seqs;
    read_log();
    read_bars();
    compare_chunks();
    return std::move(content_);
  }

 private:
  /// Hands each entry to `take(key, value)`, whose Error becomes a problem. Goes on as far as the database lets it.
  template <typename Take>
  void for_each(rocksdb::ColumnFamilyHandle* family, const char* what, Take take) {
    const auto it = rocks_.iterate(family);
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      try {
        take(to_view(it->key()), to_view(it->value()));
      } catch (const Error& error) {
        content_.problems.emplace_back(error.what());
      }
    }
    if (!it->status().ok()) {
      content_.problems.push_back(std::string(what) + " cannot be read to the end: " + it->status().ToString());
    }
  }

  void read_meta() {
    for_each(rocks_.meta, "the names and states", [&](std::string_view key, std::string_view value) {
      if (const auto symbol = keys::parse_numbered(keys::kSymbolPrefix, key)) {
        if (!parse_symbol(value)) throw Error("the name of symbol " + std::to_string(*symbol) + " is damaged");
        content_.symbol_names[*symbol] = value;
        use(SymbolId{*symbol});
      } else if (const auto lp = keys::parse_numbered(keys::kLpPrefix, key)) {
        if (!parse_lp(value)) throw Error("the name of LP " + std::to_string(*lp) + " is damaged");
        content_.lp_names[*lp] = value;
        content_.lp_count = std::max(content_.lp_count, *lp + 1);
      } else if (const auto day = keys::parse_sealed_day(key)) {
        use(day->symbol);
        content_.sealed_days.emplace(day->symbol, day->day);
      } else if (const auto limited = keys::parse_numbered(keys::kBarsRemovedPrefix, key)) {
        use(SymbolId{*limited});
        ByteReader limit(value);
        content_.bars_removed[SymbolId{*limited}] = UnixNanos{limit.i64()};
        if (!limit.ok()) throw Error("the bar limit of symbol " + std::to_string(*limited) + " is damaged");
      } else if (const auto loser = keys::parse_numbered(keys::kLostPrefix, key)) {
        use(SymbolId{*loser});
        content_.known_lost[SymbolId{*loser}] = decode_lost(value);
      } else if (const auto snapshot = keys::parse_numbered(keys::kSnapshotPrefix, key)) {
        use(SymbolId{*snapshot});
        if (value.size() < 8) throw Error("the state of symbol " + std::to_string(*snapshot) + " is damaged");
      }
    });
  }

  void read_chunks() {
    std::vector<StoredTick> ticks;
    for_each(rocks_.ticks, "the chunks of quotes", [&](std::string_view encoded, std::string_view value) {
      const auto key = keys::parse_chunk(encoded);
      if (!key) throw Error("a key among the chunks of quotes is damaged");
      const std::string name = "a chunk of " + content_.symbol_name(key->symbol) + " from " +
                               format_rfc3339(key->first, kMillis) + " of commit " +
                               std::to_string(key->position.value);
      ticks.clear();
      try {
        decode_chunk(value, key->symbol, key->position, ticks);
      } catch (const Error& error) {
        throw Error(name + " is damaged: " + error.what());
      }
      if (ticks.empty() || ticks.front().tick.ts_event != key->first) throw Error(name + " does not fit its key");
      stored_.push_back(*key);
      use(key->symbol);
      ++content_.chunks;
      add_seqs(key->symbol, ticks, content_.packed_seqs, name);
    });
  }

  void read_log() {
    for_each(rocks_.log, "the log", [&](std::string_view key, std::string_view value) {
      const auto position = keys::parse_position(key);
      if (!position || position->value == 0) throw Error("a key in the log is damaged");
      LogEntry entry = decode_log_entry(value, *position);
      content_.newest = *position;
      for (const keys::Chunk& chunk : entry.chunks) use(chunk.symbol);
      for (const keys::BarKey& bar : entry.bars) use(bar.symbol);
      for (const CloseMark& mark : entry.closes) use(mark.symbol);
      for (const Tick& tick : entry.amended) use(tick);
      if (!is_commit_entry(value)) {
        content_.packed.emplace(*position, entry.first);
        listed_.insert(listed_.end(), entry.chunks.begin(), entry.chunks.end());
        return;
      }
      content_.commits.push_back(*position);
      std::map<SymbolId, std::vector<StoredTick>> by_symbol;
      for (const Tick& tick : entry.ticks) by_symbol[tick.symbol].push_back({tick, *position});
      for (auto& [symbol, ticks] : by_symbol) {
        add_seqs(symbol, ticks, content_.seqs, "commit " + std::to_string(position->value));
      }
    });
  }

  void add_seqs(SymbolId symbol, std::vector<StoredTick>& ticks, std::map<SymbolId, SeqSet>& seqs,
                const std::string& where) {
    for (const StoredTick& each : ticks) use(each.tick);
    std::erase_if(ticks, [](const StoredTick& each) { return each.tick.kind != RecordKind::kQuote; });
    std::sort(ticks.begin(), ticks.end(),
              [](const StoredTick& a, const StoredTick& b) { return a.tick.seq < b.tick.seq; });
    content_.quotes += ticks.size();
    SeqSet& set = seqs[symbol];
    std::uint64_t twice = 0;
    for (std::size_t begin = 0, end = 0; begin < ticks.size(); begin = end) {
      end = begin + 1;
      while (end < ticks.size() && ticks[end].tick.seq == ticks[end - 1].tick.seq + 1) ++end;
      const Tick& first = ticks[begin].tick;
      const Tick& last = ticks[end - 1].tick;
      twice += set.add(first.seq, last.seq, first.ts_event, last.ts_event);
    }
    if (twice != 0) {
      throw Error(where + " holds " + std::to_string(twice) + " quotes of " + content_.symbol_name(symbol) +
                  " that are stored elsewhere too");
    }
  }

  void read_bars() {
    for_each(rocks_.bars, "the bars", [&](std::string_view encoded, std::string_view value) {
      const auto key = keys::parse_bar(encoded);
      if (!key) throw Error("a key among the bars is damaged");
      const auto is_sound = [&] {
        try {
          return decode_stored_bar(value).bar.open_time == key->open_time;
        } catch (const Error&) {
          return false;
        }
      };
      if (!is_sound()) {
        throw Error("the " + key->timeframe.name() + " bar of " + content_.symbol_name(key->symbol) + " from " +
                    format_rfc3339(key->open_time, kMillis) + " is damaged");
      }
      use(key->symbol);
      ++content_.bars;
    });
  }

  void compare_chunks() {
    std::sort(stored_.begin(), stored_.end(), is_before);
    std::sort(listed_.begin(), listed_.end(), is_before);
    std::set_difference(stored_.begin(), stored_.end(), listed_.begin(), listed_.end(),
                        std::back_inserter(content_.unlisted), is_before);
    std::set_difference(listed_.begin(), listed_.end(), stored_.begin(), stored_.end(),
                        std::back_inserter(content_.lost), is_before);
    std::erase_if(content_.lost, [&](const keys::Chunk& chunk) {
      return content_.sealed_days.contains({chunk.symbol, utc_day(chunk.first)});
    });
  }

  void use(const Tick& tick) {
    use(tick.symbol);
    content_.lp_count = std::max(content_.lp_count, tick.lp.value + std::uint32_t{1});
  }
  void use(SymbolId symbol) { content_.symbol_count = std::max(content_.symbol_count, symbol.value + 1); }

  const Rocks& rocks_;
  StoreContent content_;
  std::vector<keys::Chunk> stored_;
  std::vector<keys::Chunk> listed_;
};

}  // namespace

std::string StoreContent::symbol_name(SymbolId symbol) const {
  const auto it = symbol_names.find(symbol.value);
  return it != symbol_names.end() ? safe_text(it->second) : "symbol number " + std::to_string(symbol.value);
}

std::vector<SeqSet::Gap> StoreContent::lost_seqs(SymbolId symbol, std::uint64_t through) const {
  const auto found = seqs.find(symbol);
  SeqSet known = found != seqs.end() ? found->second : SeqSet();
  if (const auto noted = known_lost.find(symbol); noted != known_lost.end()) {
    for (const SeqSet::Gap& gap : noted->second) known.add(gap.first, gap.last, gap.after, gap.before);
  }
  auto gaps = known.gaps(through);
  std::erase_if(gaps, [&](const SeqSet::Gap& gap) {
    // Quotes come in the order of acceptance, which is about that of their times: what retention removed was of a day
    // between its neighbours.
    const auto from = sealed_days.lower_bound({symbol, gap.after == kNoTime ? INT32_MIN : utc_day(gap.after)});
    if (from == sealed_days.end() || from->first != symbol) return false;
    return gap.before == kEndOfTime || from->second <= utc_day(gap.before);
  });
  return gaps;
}

std::string encode_lost(const std::vector<SeqSet::Gap>& gaps) {
  std::string out;
  ByteWriter w(out);
  for (const SeqSet::Gap& gap : gaps) {
    w.u64(gap.first);
    w.u64(gap.last);
    w.i64(gap.after.ns);
    w.i64(gap.before.ns);
  }
  return out;
}

std::vector<SeqSet::Gap> decode_lost(std::string_view bytes) {
  ByteReader r(bytes);
  std::vector<SeqSet::Gap> gaps;
  while (r.ok() && !r.at_end()) {
    SeqSet::Gap& gap = gaps.emplace_back();
    gap.first = r.u64();
    gap.last = r.u64();
    gap.after.ns = r.i64();
    gap.before.ns = r.i64();
    if (gap.first == 0 || gap.last < gap.first) throw Error("the note of what an earlier repair lost is damaged");
  }
  if (!r.ok()) throw Error("the note of what an earlier repair lost is damaged");
  return gaps;
}

StoreContent read_content(const Rocks& rocks) { return ContentReader(rocks).read(); }

std::string describe_gap(std::string_view symbol, const SeqSet::Gap& gap) {
  std::string text(symbol);
  text += ": seq " + std::to_string(gap.first);
  if (gap.last != gap.first) text += " to " + std::to_string(gap.last);
  if (gap.after != kNoTime && gap.before != kEndOfTime) {
    text += ", between " + format_rfc3339(gap.after, kMillis) + " and " + format_rfc3339(gap.before, kMillis);
  } else if (gap.after != kNoTime) {
    text += ", after " + format_rfc3339(gap.after, kMillis);
  } else if (gap.before != kEndOfTime) {
    text += ", before " + format_rfc3339(gap.before, kMillis);
  }
  return text;
}

std::string describe_commits(Position first, Position last) {
  if (first == last) return "commit " + std::to_string(first.value);
  return "commits " + std::to_string(first.value) + " to " + std::to_string(last.value);
}

std::vector<std::string> describe_chunks(const StoreContent& content, const std::vector<keys::Chunk>& chunks) {
  std::map<SymbolId, std::pair<std::uint64_t, UnixNanos>> by_symbol;
  for (const keys::Chunk& chunk : chunks) {
    auto& [count, first] = by_symbol.try_emplace(chunk.symbol, 0, kEndOfTime).first->second;
    ++count;
    first = std::min(first, chunk.first);
  }
  std::vector<std::string> lines;
  for (const auto& [symbol, found] : by_symbol) {
    const auto& [count, first] = found;
    lines.push_back(content.symbol_name(symbol) + ": " + std::to_string(count) + " chunk" + (count == 1 ? "" : "s") +
                    " of quotes, the first from " + format_rfc3339(first, kMillis));
  }
  return lines;
}

}  // namespace tickpipe::internal
