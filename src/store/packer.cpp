#include "store/packer.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <tuple>

#include "core/utc_day.h"
#include "store/chunk_codec.h"
#include "store/keys.h"
#include "store/log_entry.h"

namespace tickpipe {
namespace {

constexpr std::string_view kCannotPack = "cannot pack the store's log";
constexpr std::chrono::milliseconds kRetryAfter{200};

bool is_earlier(const StoredTick& a, const StoredTick& b) noexcept { return a.tick.ts_event < b.tick.ts_event; }

}  // namespace

Packer::Packer(const Rocks& rocks, Tail& tail, bool sync_writes, std::size_t run_weight)
    : rocks_(rocks), tail_(tail), sync_writes_(sync_writes), run_weight_(run_weight) {
  thread_ = std::jthread([this](const std::stop_token& stop) {
    pthread_setname_np(pthread_self(), "packer");
    loop(stop);
  });
}

Packer::~Packer() = default;

void Packer::make_room() {
  std::unique_lock lock(*rocks_.view);
  if (tail_.waiting() < kMaxWaiting) return;
  const std::uint64_t tries = tries_;
  changed_.wait(lock, [&] { return tail_.waiting() < kMaxWaiting || (tries_ != tries && !failure_.empty()); });
  if (tail_.waiting() >= kMaxWaiting) throw Error(failure_);
}

void Packer::committed() {
  const std::size_t wanted =
      run_weight_ != 0 ? run_weight_ : std::clamp(tail_.symbol_count() * kRunWeightOfSymbol, kRunWeight, kMaxRunWeight);
  if (tail_.newest_weight() < wanted) return;
  tail_.close_newest();
  changed_.notify_all();
}

void Packer::pack_all() {
  std::unique_lock lock(*rocks_.view);
  tail_.close_newest();
  changed_.notify_all();
  const std::uint64_t tries = tries_;
  changed_.wait(lock, [&] { return tail_.waiting() == 0 || (tries_ != tries && !failure_.empty()); });
  if (tail_.waiting() != 0) throw Error(failure_);
}

void Packer::loop(const std::stop_token& stop) {
  std::unique_lock lock(*rocks_.view);
  while (changed_.wait(lock, stop, [this] { return tail_.waiting() != 0; })) {
    lock.unlock();
    std::string failure;
    try {
      pack_oldest();
    } catch (const Error& error) {
      failure = error.what();
    }
    lock.lock();
    failure_ = failure;
    ++tries_;
    changed_.notify_all();
    if (!failure.empty()) {
      changed_.wait_for(lock, stop, kRetryAfter, [] { return false; });
      if (!stop.stop_requested()) {
        lock.unlock();
        static_cast<void>(rocks_.db->Resume());  // the next try tells whether it helped
        lock.lock();
      }
    }
    if (stop.stop_requested()) return;
  }
}

void Packer::pack_oldest() {
  const std::lock_guard packing(packing_);
  std::shared_ptr<const Tail::Run> run;
  {
    const std::lock_guard lock(*rocks_.view);
    run = tail_.oldest();
  }
  LogEntry entry = run->rest;
  entry.first = run->first;
  const auto order = [](const keys::BarKey& key) {
    return std::tuple(key.symbol, key.timeframe.length, key.open_time);
  };
  std::sort(entry.bars.begin(), entry.bars.end(),
            [&](const keys::BarKey& a, const keys::BarKey& b) { return order(a) < order(b); });
  entry.bars.erase(std::unique(entry.bars.begin(), entry.bars.end(),
                               [&](const keys::BarKey& a, const keys::BarKey& b) { return order(a) == order(b); }),
                   entry.bars.end());
  rocksdb::WriteBatch write;
  std::vector<SymbolId> symbols = run->symbols;
  std::sort(symbols.begin(), symbols.end());
  for (const SymbolId symbol : symbols) {
    add_chunks(symbol, run->by_symbol[symbol.value], run->last, entry, write);
  }
  value_.clear();
  encode_packed_entry(entry, run->last, value_);
  if (run->first < run->last) {
    check(write.DeleteRange(rocks_.log, keys::position(run->first), keys::position(run->last)), kCannotPack);
  }
  check(write.Put(rocks_.log, keys::position(run->last), value_), kCannotPack);
  rocksdb::WriteOptions options;
  options.sync = sync_writes_;
  const std::lock_guard lock(*rocks_.view);
  check(rocks_.db->Write(options, &write), kCannotPack);
  tail_.drop_oldest();
}

void Packer::add_chunks(SymbolId symbol, const Tail::Records& records, Position position, LogEntry& entry,
                        rocksdb::WriteBatch& write) {
  std::span<const StoredTick> ticks = records.ticks;
  if (!records.is_ascending) {
    sorted_ = records.ticks;
    std::stable_sort(sorted_.begin(), sorted_.end(), is_earlier);
    ticks = sorted_;
  }
  while (!ticks.empty()) {
    // A chunk stays within a UTC day, as retention goes by days.
    std::size_t count = std::min(ticks.size(), kMaxChunkTicks);
    const std::int32_t day = utc_day(ticks.front().tick.ts_event);
    if (utc_day(ticks[count - 1].tick.ts_event) != day) {
      const auto end =
          std::partition_point(ticks.begin(), ticks.begin() + static_cast<std::ptrdiff_t>(count),
                               [day](const StoredTick& each) { return utc_day(each.tick.ts_event) == day; });
      count = static_cast<std::size_t>(end - ticks.begin());
    }
    const auto part = ticks.first(count);
    ticks = ticks.subspan(count);
    const UnixNanos first = part.front().tick.ts_event;
    const keys::Chunk key{.symbol = symbol,
                          .span_class = keys::span_class(part.back().tick.ts_event - first),
                          .first = first,
                          .position = position,
                          .ordinal = static_cast<std::uint32_t>(entry.chunks.size())};
    value_.clear();
    encode_chunk(part, value_);
    key_.clear();
    keys::append_chunk(key_, key);
    check(write.Put(rocks_.ticks, to_slice(key_), to_slice(value_)), kCannotPack);
    entry.chunks.push_back(key);
  }
}

}  // namespace tickpipe
