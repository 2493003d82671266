#include "store/tick_cursor.h"

#include <algorithm>
#include <utility>

#include "store/chunk_codec.h"
#include "store/keys.h"

namespace tickpipe::internal {

std::optional<StoredChunk> find_chunk(const Rocks& rocks, SymbolId symbol, UnixNanos ts_event, std::uint64_t seq) {
  StoredChunk chunk;
  const auto it = rocks.iterate(rocks.ticks);
  for (std::size_t i = 0; i < keys::kSpanLimits.size(); ++i) {
    const auto span_class = static_cast<std::uint8_t>(i);
    it->Seek(keys::chunk_lower_bound(symbol, span_class, ts_event - keys::kSpanLimits[i]));
    for (; it->Valid(); it->Next()) {
      const auto key = keys::parse_chunk(to_view(it->key()));
      if (!key) throw Error("the store holds a damaged key among its ticks");
      if (key->symbol != symbol || key->span_class != span_class || key->first > ts_event) break;
      const std::string_view value = to_view(it->value());
      if (decode_chunk_header(value).last < ts_event) continue;
      chunk.ticks.clear();
      decode_chunk(value, symbol, key->position, chunk.ticks);
      const auto is_it = [&](const StoredTick& each) {
        const Tick& tick = each.tick;
        return tick.kind == RecordKind::kQuote && tick.seq == seq && tick.ts_event == ts_event;
      };
      if (std::none_of(chunk.ticks.begin(), chunk.ticks.end(), is_it)) continue;
      chunk.key = to_view(it->key());
      return chunk;
    }
    check(it->status(), "cannot read the store");
  }
  return std::nullopt;
}

TickCursor::TickCursor(const Rocks& rocks, const Tail& tail, SymbolId symbol, UnixNanos from, UnixNanos to)
    : symbol_(symbol), from_(std::max(from, kFirstTickTime)), to_(std::min(to, kEndOfTickTime)) {
  std::vector<rocksdb::Iterator*> iterators;
  sources_.reserve(keys::kSpanLimits.size());
  // One consistent view for all four and the tail.
  OpenChunk unpacked;
  const std::vector<rocksdb::ColumnFamilyHandle*> families(keys::kSpanLimits.size(), rocks.ticks);
  {
    const std::lock_guard lock(*rocks.view);
    check(rocks.db->NewIterators(rocksdb::ReadOptions(), families, &iterators), "cannot read the store");
    tail.copy(symbol, from_, to_, unpacked.ticks);
  }
  for (rocksdb::Iterator* iterator : iterators) sources_.emplace_back().iterator.reset(iterator);
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    Source& source = sources_[i];
    source.iterator->Seek(keys::chunk_lower_bound(symbol, static_cast<std::uint8_t>(i), from_ - keys::kSpanLimits[i]));
    look_at(source, i);
  }
  std::stable_sort(unpacked.ticks.begin(), unpacked.ticks.end(),
                   [](const Tick& a, const Tick& b) { return a.ts_event < b.ts_event; });
  add(std::move(unpacked));
}

void TickCursor::add(OpenChunk chunk) {
  if (chunk.at == chunk.ticks.size()) return;
  open_.push_back(std::move(chunk));
  std::push_heap(open_.begin(), open_.end(), later);
}

bool TickCursor::later(const OpenChunk& a, const OpenChunk& b) noexcept {
  const Tick& x = a.ticks[a.at];
  const Tick& y = b.ticks[b.at];
  return x.ts_event != y.ts_event ? x.ts_event > y.ts_event : x.seq > y.seq;
}

void TickCursor::look_at(Source& source, std::size_t span_class) {
  source.first = kEndOfTime;
  if (!source.iterator->Valid()) {
    check(source.iterator->status(), "cannot read the store");
    return;
  }
  const auto key = keys::parse_chunk(to_view(source.iterator->key()));
  if (!key) throw Error("the store holds a damaged key among its ticks");
  if (key->symbol != symbol_ || key->span_class != span_class || key->first >= to_) return;
  source.first = key->first;
}

void TickCursor::open(Source& source, std::size_t span_class) {
  const std::string_view value = to_view(source.iterator->value());
  if (decode_chunk_header(value).last >= from_) {
    OpenChunk chunk;
    if (!spare_.empty()) {
      chunk.ticks = std::move(spare_.back());
      spare_.pop_back();
      chunk.ticks.clear();
    }
    decoded_.clear();
    decode_chunk(value, symbol_, {}, decoded_);
    for (const auto& [tick, position] : decoded_) {
      if (tick.ts_event >= from_) chunk.ticks.push_back(tick);
    }
    add(std::move(chunk));
  }
  source.iterator->Next();
  look_at(source, span_class);
}

const Tick* TickCursor::next() {
  // Whatever could hold something at or before the earliest tick in hand must be in hand too.
  for (bool opened = true; opened;) {
    opened = false;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      while (sources_[i].first != kEndOfTime &&
             (open_.empty() || sources_[i].first <= open_.front().ticks[open_.front().at].ts_event)) {
        open(sources_[i], i);
        opened = true;
      }
    }
  }
  if (open_.empty()) return nullptr;
  std::pop_heap(open_.begin(), open_.end(), later);
  OpenChunk& chunk = open_.back();
  current_ = chunk.ticks[chunk.at++];
  if (chunk.at == chunk.ticks.size()) {
    spare_.push_back(std::move(chunk.ticks));
    open_.pop_back();
  } else {
    std::push_heap(open_.begin(), open_.end(), later);
  }
  if (current_.ts_event >= to_) return nullptr;
  return &current_;
}

}  // namespace tickpipe::internal
