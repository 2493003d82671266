// Runs a target on every file of the named files and folders, without libFuzzer: the seeds as tests, in every build.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "fuzz/fuzzing.h"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_of(int count, char** names) {
  std::vector<fs::path> files;
  for (int i = 1; i < count; ++i) {
    if (!fs::is_directory(names[i])) {
      files.emplace_back(names[i]);
      continue;
    }
    for (const auto& entry : fs::directory_iterator(names[i])) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void replay(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read it");
  const std::string bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  // Not the string's own memory, which is readable beyond the bytes.
  const auto exact = std::make_unique<std::uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), exact.get());
  tickpipe::internal::fuzzing::check({exact.get(), bytes.size()});
}

}  // namespace

int main(int argument_count, char** arguments) {
  try {
    const std::vector<fs::path> files = files_of(argument_count, arguments);
    for (const fs::path& file : files) {
      // Before it runs, so that the last one named is the one that ended the run.
      std::printf("%s\n", file.c_str());
      std::fflush(stdout);
      replay(file);
    }
    std::printf("%zu files\n", files.size());
    return files.empty() ? 1 : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
