#include "store/data_directory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include "core/error.h"
#include "support/temporary_folder.h"

namespace tickpipe::internal {
namespace {

using testing::TemporaryFolder;

std::string failure_to_lock(const std::filesystem::path& path) {
  try {
    const DataDirectory directory = DataDirectory::lock(path);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(DataDirectoryTest, TheFolderIsMadeWithItsParents) {
  const TemporaryFolder folder;
  const auto path = std::filesystem::path(folder.path()) / "a" / "b";
  const DataDirectory directory = DataDirectory::lock(path);
  EXPECT_TRUE(std::filesystem::is_directory(path));
  EXPECT_EQ(directory.database(), path / "db");
}

TEST(DataDirectoryTest, TheLockFileHoldsTheProcessId) {
  const TemporaryFolder folder;
  const auto file = std::filesystem::path(folder.path()) / "tickpipe.lock";
  std::ofstream(file) << "123456789012345\n";  // of an earlier, longer one
  const DataDirectory directory = DataDirectory::lock(folder.path());
  std::string text;
  std::getline(std::ifstream(file), text, '\0');
  EXPECT_EQ(text, std::to_string(::getpid()) + "\n");
}

TEST(DataDirectoryTest, ASecondLockFailsAndNamesTheProcess) {
  const TemporaryFolder folder;
  const DataDirectory directory = DataDirectory::lock(folder.path());
  for (int i = 0; i < 2; ++i) {  // a failed try changes nothing
    const std::string message = failure_to_lock(folder.path());
    EXPECT_NE(message.find("process " + std::to_string(::getpid()) + ":"), std::string::npos) << message;
    EXPECT_NE(message.find("--data-dir"), std::string::npos) << message;
  }
}

TEST(DataDirectoryTest, TheLockGoesWithItsOwner) {
  const TemporaryFolder folder;
  {
    std::optional<DataDirectory> first = DataDirectory::lock(folder.path());
    const DataDirectory second = std::move(*first);
    first.reset();
    EXPECT_NE(failure_to_lock(folder.path()), "");
    EXPECT_EQ(second.database(), std::filesystem::path(folder.path()) / "db");
  }
  EXPECT_EQ(failure_to_lock(folder.path()), "");
}

TEST(DataDirectoryTest, AFolderThatCannotBeMadeIsNamed) {
  const TemporaryFolder folder;
  const auto file = std::filesystem::path(folder.path()) / "file";
  std::ofstream(file) << "x";
  EXPECT_NE(failure_to_lock(file / "data").find((file / "data").string()), std::string::npos);
  EXPECT_NE(failure_to_lock(file), "");
}

}  // namespace
}  // namespace tickpipe::internal
