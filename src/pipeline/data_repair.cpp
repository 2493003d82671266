#include "pipeline/data_repair.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <system_error>

#include "core/clock.h"
#include "core/error.h"
#include "core/timestamp_text.h"
#include "pipeline/recovery.h"
#include "pipeline/stored_rules.h"
#include "shard/shard_engine.h"
#include "store/data_check.h"
#include "store/data_directory.h"
#include "store/embedded_store.h"
#include "store/file_copy.h"
#include "store/name_file.h"
#include "store/salvage.h"
#include "store/store_repair.h"
#include "store/synced_mark.h"

namespace tickpipe::internal {
namespace {

namespace fs = std::filesystem;

void remove_folder(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) throw Error("cannot remove " + folder.string() + ": " + error.message());
}

/// Brings the states of all symbols to the end of the log, mends the bars, and saves it. Returns the newest seq of each
/// symbol.
std::map<SymbolId, std::uint64_t> complete(const fs::path& database, const BarSettings& assumed, RepairReport& report) {
  BarSettings settings = assumed;
  {
    SymbolRegistry symbols(std::numeric_limits<std::size_t>::max());
    LpRegistry lps(std::numeric_limits<std::size_t>::max());
    const EmbeddedStore store({.database = database, .read_only = true, .sync_commits = false, .timeframes = {}},
                              symbols, lps);
    if (!store.bar_settings().empty()) settings = BarSettings::decode(store.bar_settings());
  }
  SymbolRegistry symbols(std::numeric_limits<std::size_t>::max());
  LpRegistry lps(std::numeric_limits<std::size_t>::max());
  EmbeddedStore store(
      {.database = database, .read_only = false, .sync_commits = false, .timeframes = settings.timeframes}, symbols,
      lps);
  if (store.bar_settings().empty()) {
    store.end_rebuild(settings.encode());
    report.notes.emplace_back(
        "the settings that bars were cut by are lost: timeframes, bar_price and day_close of the configuration are "
        "assumed");
  }
  const CalendarRules calendars = settings.calendars();
  ShardRules rules = stored_rules(settings, calendars, symbols);
  ShardRules folding = rules;
  rules.history = &store;
  ShardEngine engine(rules);
  ShardEngine* const engines[] = {&engine};
  restore_engines(store, engines);
  restore_retention(store, engines);
  if (!store.is_rebuilding()) {
    ShardEngine folder(folding);
    if (const std::uint64_t mended = mend_bars(store, engine, folder, settings.timeframes); mended != 0) {
      report.notes.push_back(std::to_string(mended) + " closed bar" + (mended == 1 ? " was" : "s were") +
                             " folded again from stored quotes");
    }
  }
  commit_checkpoint(store, engines);
  store.sync();
  report.epoch = store.epoch();
  std::map<SymbolId, std::uint64_t> newest;
  engine.for_each_symbol([&newest](const SymbolState& state) { newest[state.id] = state.seq; });
  return newest;
}

/// Puts `repaired` in the place of `database`, in one step, and that beside it.
fs::path exchange(const fs::path& database, const fs::path& repaired) {
  std::string now = format_rfc3339(SystemClock().now(), 0);
  std::erase_if(now, [](char c) { return c == ':' || c == '-'; });
  const fs::path damaged = database.string() + ".damaged-" + now;
  if (fs::exists(damaged)) throw Error(damaged.string() + " exists: try again in a second");
  if (::renameat2(AT_FDCWD, repaired.c_str(), AT_FDCWD, database.c_str(), RENAME_EXCHANGE) != 0) {
    throw Error("cannot put " + repaired.string() + " in the place of " + database.string() + ": " +
                std::strerror(errno));
  }
  std::error_code error;
  fs::rename(repaired, damaged, error);
  if (error) throw Error("cannot rename " + repaired.string() + ": " + error.message());
  sync_folder(database.parent_path());
  return damaged;
}

}  // namespace

RepairReport repair_data(const fs::path& data_dir, const BarSettings& settings) {
  const DataDirectory directory = DataDirectory::lock_existing(data_dir);
  const fs::path database = directory.database();
  RepairReport report;
  {
    const DataReport found = check_data(database);
    report.damage = found.problems;
    report.commits = found.commits;
    report.quotes = found.quotes;
    report.bars = found.bars;
    if (found.problems.empty()) return report;
  }
  const std::optional<Position> synced = SyncedMark(database).read();
  const fs::path salvaged = data_dir / "db.salvaged";
  const fs::path repaired = data_dir / "db.repaired";
  remove_folder(salvaged);
  remove_folder(repaired);
  StoreContent content;
  {
    const Rocks source = salvage(database, salvaged);
    content = read_content(source);
    NameFile::Names names = NameFile(database).read();
    content.symbol_names.merge(names.symbols);
    content.lp_names.merge(names.lps);
    rebuild_store(source, content, repaired);
  }
  remove_folder(salvaged);

  for (std::uint32_t i = 0; i < content.symbol_count; ++i) {
    if (content.symbol_names.contains(i)) continue;
    report.lost.push_back("the name of symbol number " + std::to_string(i) + ": it is LOST." + std::to_string(i) +
                          " now");
  }
  for (std::uint32_t i = 0; i < content.lp_count; ++i) {
    if (content.lp_names.contains(i)) continue;
    report.lost.push_back("the name of LP number " + std::to_string(i) + ": it is LOST." + std::to_string(i) + " now");
  }
  std::map<SymbolId, std::vector<SeqSet::Gap>> lost;
  for (const auto& [symbol, newest] : complete(repaired, settings, report)) {
    const auto found = content.seqs.find(symbol);
    const std::uint64_t last = found != content.seqs.end() ? found->second.last() : 0;
    auto gaps = content.lost_seqs(symbol, std::max(newest, last));
    if (gaps.empty()) continue;
    for (const SeqSet::Gap& gap : gaps) report.lost.push_back(describe_gap(content.symbol_name(symbol), gap));
    lost[symbol] = std::move(gaps);
  }
  if (synced && content.newest < *synced) {
    report.lost.push_back(describe_commits({content.newest.value + 1}, *synced) + ", and whatever came after that");
  }
  note_lost(repaired, lost);
  const DataReport checked = check_data(repaired);
  if (!checked.problems.empty()) {
    throw Error("the store in " + repaired.string() + " is not sound after the repair: " + checked.problems.front() +
                "; " + database.string() + " was not changed");
  }
  report.commits = checked.commits;
  report.quotes = checked.quotes;
  report.bars = checked.bars;
  report.damaged = exchange(database, repaired);
  return report;
}

}  // namespace tickpipe::internal
