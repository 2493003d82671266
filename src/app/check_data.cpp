#include <string>

#include "app/commands.h"
#include "app/output.h"
#include "store/data_check.h"
#include "store/data_directory.h"

namespace tickpipe::internal {
int run_check_data(const CheckDataOptions& options) {
  const DataDirectory directory = DataDirectory::lock_existing(options.data_dir);
  const DataReport report = check_data(directory.database());
  Output output;
  output.write_lines(report.problems);
  output.write_lines(report.notes);
  if (report.problems.empty()) {
    output.write("ok: " + std::to_string(report.commits) + " commits, " + std::to_string(report.quotes) + " quotes, " +
                 std::to_string(report.bars) + " closed bars\n");
  }
  output.flush();
  return report.problems.empty() ? kExitSuccess : kExitFailure;
}

}  // namespace tickpipe::internal
