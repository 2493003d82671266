#include <string>

#include "app/commands.h"
#include "app/output.h"

namespace tickpipe::internal {

std::string_view version_text() { return TICKPIPE_VERSION; }

int run_version() {
  Output output;
  output.write(std::string("tickpipe ") + TICKPIPE_VERSION + "\n" +  //
               "build:      " + TICKPIPE_BUILD_TYPE + "\n" +         //
               "compiler:   " + TICKPIPE_COMPILER + "\n" +           //
               "components: serve(http) backfill export bench feeds(sim,replay) store(embedded,none)\n");
  output.flush();
  return kExitSuccess;
}

}  // namespace tickpipe::internal
