#include <string>

#include "app/commands.h"
#include "app/output.h"
#include "pipeline/data_repair.h"

namespace tickpipe::internal {

int run_repair(const PipelineConfig& config, const RepairOptions& options) {
  const RepairReport report = repair_data(options.data_dir, BarSettings::of(config));
  Output output;
  const std::string kept = std::to_string(report.commits) + " commits, " + std::to_string(report.quotes) + " quotes, " +
                           std::to_string(report.bars) + " closed bars";
  if (report.damage.empty()) {
    output.write("ok: nothing to repair: " + kept + "\n");
  } else {
    output.write_lines(report.damage, "damaged: ");
    output.write_lines(report.lost, "lost: ");
    output.write_lines(report.notes, "note: ");
    output.write("repaired: " + kept + "; epoch " + report.epoch + "\n");
    output.write("kept: the damaged store is in " + report.damaged.string() + "; remove it when it is not needed\n");
  }
  output.flush();
  return kExitSuccess;
}

}  // namespace tickpipe::internal
