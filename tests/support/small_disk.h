#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "support/process.h"

namespace tickpipe::internal::testing {

/// A tmpfs of 24 MB in a mount namespace of its own, which lives as long as this.
class SmallDisk {
 public:
  SmallDisk(const std::string& mount_point, const std::string& files)
      : mount_point_(mount_point),
        holder_({"/usr/bin/unshare", "--map-root-user", "--mount", "/bin/sh", "-c",
                 "mount -t tmpfs -o size=24m none " + mount_point + " && : > " + mount_point +
                     "/mounted && exec sleep 900"},
                files) {}

  /// False where the machine does not permit it.
  [[nodiscard]] bool is_there() const {
    for (int i = 0; i < 100; ++i) {
      if (std::filesystem::exists(inside("mounted"))) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    return false;
  }
  [[nodiscard]] std::string why_not() const { return holder_.err(); }
  /// What to put before a command, so that it sees the disk.
  [[nodiscard]] std::vector<std::string> enter() const {
    return {"/usr/bin/nsenter", "--preserve-credentials",     "--user", "--mount",
            "--target",         std::to_string(holder_.pid())};
  }
  /// The file on the disk, as seen from here.
  [[nodiscard]] std::filesystem::path inside(const std::string& name) const {
    return "/proc/" + std::to_string(holder_.pid()) + "/root" + mount_point_ + "/" + name;
  }
  void take_room(std::size_t bytes) const {
    std::ofstream out(inside("filler"), std::ios::binary);
    out << std::string(bytes, 'x');
  }
  void give_room() const { std::filesystem::remove(inside("filler")); }

 private:
  std::string mount_point_;
  Process holder_;
};

}  // namespace tickpipe::internal::testing
