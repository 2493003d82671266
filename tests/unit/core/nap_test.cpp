#include "core/nap.h"

#include <gtest/gtest.h>

namespace tickpipe::internal {
namespace {

/// How often it naps in a row when there is never anything to do; it must end.
int naps_in_vain(Nap& nap) {
  int naps = 0;
  while (naps <= 100 * Nap::kMostInVain && nap.take()) ++naps;
  return naps;
}

TEST(NapTest, AQuietWorkerDoesNotNap) {
  Nap nap;
  EXPECT_FALSE(nap.take());
}

TEST(NapTest, NapsInVainComeToAnEnd) {
  Nap nap;
  nap.take();
  EXPECT_LE(naps_in_vain(nap), Nap::kMostInVain);
  EXPECT_EQ(naps_in_vain(nap), 0) << "it waits at its doorbell until there was work";
}

TEST(NapTest, AfterWorkABusyWorkerNapsAgain) {
  Nap nap;
  nap.take();
  naps_in_vain(nap);
  // A thread that is held up for longer than a nap looks like one that is not busy: then it is tried again.
  bool has_napped = false;
  for (int tries = 0; tries < 10'000 && !has_napped; ++tries) {
    nap.note_work();
    nap.take();
    has_napped = nap.take();
  }
  EXPECT_TRUE(has_napped);
}

}  // namespace
}  // namespace tickpipe::internal
