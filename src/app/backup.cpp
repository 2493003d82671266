#include <chrono>
#include <string>

#include "app/commands.h"
#include "app/output.h"
#include "store/backup.h"

namespace tickpipe::internal {

int run_backup(const BackupOptions& options) {
  const BackupSummary summary = back_up(options.data_dir, options.target);
  Output output;
  std::string line = R"({"directory":)";
  append_json_string(line, options.target.string());
  line.append(R"(,"epoch":)");
  append_json_string(line, summary.epoch);
  line.append(R"(,"position":)").append(std::to_string(summary.newest.value));
  line.append(R"(,"files":)").append(std::to_string(summary.files));
  line.append(R"(,"bytes":)").append(std::to_string(summary.bytes));
  line.append(R"(,"linked_bytes":)").append(std::to_string(summary.linked_bytes));
  line.append(R"(,"milliseconds":)")
      .append(std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(summary.taken).count()));
  output.write(line + "}\n");
  output.flush();
  return kExitSuccess;
}

}  // namespace tickpipe::internal
