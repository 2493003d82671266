#include <string>

#include "app/commands.h"
#include "app/output.h"

namespace tickpipe {

int run_version() {
  Output output;
  output.write(std::string("tickpipe ") + TICKPIPE_VERSION + "\n" +  //
               "build:      " + TICKPIPE_BUILD_TYPE + "\n" +         //
               "compiler:   " + TICKPIPE_COMPILER + "\n" +           //
               "components: backfill export bench store(embedded,none)\n");
  output.flush();
  return kExitSuccess;
}

}  // namespace tickpipe
