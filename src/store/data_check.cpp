#include "store/data_check.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "store/rocks.h"
#include "store/salvage.h"
#include "store/synced_mark.h"

namespace tickpipe::internal {
namespace {

void compare_log(const StoreContent& content, DataReport& report) {
  Position end;  // of what was seen so far
  const auto see = [&](Position first, Position last) {
    if (first.value > end.value + 1) {
      report.problems.push_back(describe_commits({end.value + 1}, {first.value - 1}) + " missing in the log");
    } else if (first <= end) {
      report.problems.push_back(describe_commits(first, std::min(end, last)) + " stored twice");
    }
    end = std::max(end, last);
  };
  auto commit = content.commits.begin();
  for (const auto& [last, first] : content.packed) {
    for (; commit != content.commits.end() && *commit < first; ++commit) see(*commit, *commit);
    see(first, last);
  }
  for (; commit != content.commits.end(); ++commit) see(*commit, *commit);
}

void compare_names(const StoreContent& content, DataReport& report) {
  for (std::uint32_t i = 0; i < content.symbol_count; ++i) {
    if (!content.symbol_names.contains(i)) {
      report.problems.push_back("the name of symbol number " + std::to_string(i) + " is missing");
    }
  }
  for (std::uint32_t i = 0; i < content.lp_count; ++i) {
    if (!content.lp_names.contains(i)) {
      report.problems.push_back("the name of LP number " + std::to_string(i) + " is missing");
    }
  }
}

}  // namespace

void compare_content(const StoreContent& content, DataReport& report) {
  report.problems.insert(report.problems.end(), content.problems.begin(), content.problems.end());
  compare_names(content, report);
  compare_log(content, report);
  for (std::string& line : describe_chunks(content, content.lost)) {
    report.problems.push_back(std::move(line) + ", are missing");
  }
  for (std::string& line : describe_chunks(content, content.unlisted)) {
    report.problems.push_back(std::move(line) + ", are not in the log");
  }
  for (const auto& [symbol, seqs] : content.seqs) {
    for (const SeqSet::Gap& gap : content.lost_seqs(symbol, seqs.last())) {
      report.problems.push_back(describe_gap(content.symbol_name(symbol), gap) + " is missing");
    }
  }
  for (const auto& [symbol, gaps] : content.known_lost) {
    for (const SeqSet::Gap& gap : gaps) {
      report.notes.push_back(describe_gap(content.symbol_name(symbol), gap) + " was lost before an earlier repair");
    }
  }
  report.commits = content.newest.value;
  report.quotes = content.quotes;
  report.bars = content.bars;
}

DataReport check_data(const std::filesystem::path& database) {
  const std::optional<Position> synced = SyncedMark(database).read();
  DataReport report;
  report.problems = find_damaged_files(database);
  std::optional<Rocks> rocks;
  try {
    rocks.emplace(open_rocks(database.string(), true));
  } catch (const Error&) {
    return report;  // told above
  }
  const StoreContent content = read_content(*rocks);
  compare_content(content, report);
  if (synced && content.newest < *synced) {
    report.problems.push_back("the store ends at commit " + std::to_string(content.newest.value) + ", but has had " +
                              std::to_string(synced->value));
  }
  return report;
}

}  // namespace tickpipe::internal
