#include "pipeline/stored_data.h"

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "pipeline/recovery.h"
#include "pipeline/stored_rules.h"
#include "store/data_directory.h"

namespace tickpipe::internal {
namespace {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kNamesInMessage = 20;

}  // namespace

StoredData::StoredData(const std::filesystem::path& data_dir) : symbols_(kNoLimit), lps_(kNoLimit) {
  if (!std::filesystem::exists(data_dir / "db" / "CURRENT")) {
    throw Error("there is no tickpipe data in " + data_dir.string() +
                ": name the right folder with --data-dir, or load some with `tickpipe backfill`");
  }
  store_ = std::make_unique<EmbeddedStore>(
      EmbeddedStore::Options{.database = data_dir / "db", .read_only = true, .sync_commits = false, .timeframes = {}},
      symbols_, lps_);
  settings_ = BarSettings::decode(store_->bar_settings());
}

SymbolId StoredData::symbol(const Name& symbol) const {
  if (const auto id = symbols_.find(symbol)) return *id;
  std::string known;
  const std::size_t count = symbols_.size();
  for (std::size_t i = 0; i < std::min(count, kNamesInMessage); ++i) {
    known += (i == 0 ? "" : " ") + std::string(symbols_.name(SymbolId{static_cast<std::uint32_t>(i)}).view());
  }
  if (count > kNamesInMessage) known += " and " + std::to_string(count - kNamesInMessage) + " more";
  throw Error("no data of symbol " + std::string(symbol.view()) + "; there is: " + (count == 0 ? "nothing" : known));
}

void StoredData::for_each_tick(SymbolId symbol, UnixNanos from, UnixNanos to,
                               const std::function<void(const Tick&)>& take) const {
  store_->scan(symbol, from, to, [&take](const Tick& tick) {
    take(tick);
    return true;
  });
}

void StoredData::for_each_bar(SymbolId symbol, Timeframe timeframe, UnixNanos from, UnixNanos to,
                              const std::function<void(const Bar&)>& take) {
  if (store_->is_rebuilding()) {
    throw Error(
        "the bars are being folded again after a change of settings: start a command that writes, such as "
        "`tickpipe backfill`, to finish that, or wait for the one that runs");
  }
  bool found = false;
  const auto take_shown = [&](const Bar& bar) {
    found = true;
    if (bar.tick_count != 0) take(bar);  // a bar of trades alone is no bar yet
    return true;
  };
  store_->scan_bars(symbol, timeframe, from, to, false, take_shown);
  const auto known = std::find(settings_.timeframes.begin(), settings_.timeframes.end(), timeframe);
  if (known == settings_.timeframes.end()) {
    if (found) return;  // not folded any more, but still stored
    std::string names;
    for (const Timeframe each : settings_.timeframes) names += " " + each.name();
    throw Error("no bars of timeframe " + timeframe.name() + "; there are:" + names);
  }
  restore_open_bars();
  const SymbolState* state = engine_->find(symbol);
  if (state == nullptr) return;
  for (const Bar& bar : state->bars.open_bars(static_cast<std::size_t>(known - settings_.timeframes.begin()))) {
    if (bar.open_time >= from && bar.open_time < to) take_shown(bar);
  }
}

void StoredData::restore_open_bars() {
  if (engine_) return;
  calendars_ = std::make_unique<CalendarRules>(settings_.calendars());
  ShardRules rules = stored_rules(settings_, *calendars_, symbols_);
  rules.history = store_.get();
  engine_ = std::make_unique<ShardEngine>(std::move(rules));
  ShardEngine* const engines[] = {engine_.get()};
  restore_engines(*store_, engines);
}

}  // namespace tickpipe::internal
