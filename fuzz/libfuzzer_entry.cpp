#include "fuzz/fuzzing.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tickpipe::internal::fuzzing::check({data, size});
  return 0;
}
