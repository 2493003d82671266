#include <string>

#include "app/commands.h"
#include "app/output.h"

namespace tickpipe::internal {

std::string_view version_text() { return TICKPIPE_VERSION; }

int run_version() {
  Output output;
  output.write(
      std::string("tickpipe ") + TICKPIPE_VERSION + "\n" +  //
      "build:      " + TICKPIPE_BUILD_TYPE + "\n" +         //
      "compiler:   " + TICKPIPE_COMPILER + "\n" +           //
      "components: serve(rest,websocket,sse) role(node,edge) feeds(sim,replay) store(embedded,none) sink(redis) "
      "backfill export backup check-data repair bench\n");
  output.flush();
  return kExitSuccess;
}

}  // namespace tickpipe::internal
