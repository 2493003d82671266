#include "load/process_usage.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "load/now.h"

namespace tickpipe::internal::load {

namespace {

namespace fs = std::filesystem;

/// Empty when it cannot be read, also when its process ends meanwhile.
std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Of a directory whose entries may vanish meanwhile; empty when it may not be read.
std::vector<fs::path> entries(const fs::path& directory) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    found.push_back(at->path());
  }
  return found;
}

/// User and system time of a `stat` file and the name in its parentheses, which may hold anything.
std::optional<ProcessSample::Thread> read_stat(const std::string& path) {
  static const double kTicksPerSecond = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const std::string text = read_file(path);
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  std::istringstream rest(text.substr(close + 2));
  std::string ignored;
  for (int i = 0; i < 11; ++i) rest >> ignored;
  double user = 0;
  double system = 0;
  rest >> user >> system;
  return ProcessSample::Thread{text.substr(open + 1, close - open - 1), (user + system) / kTicksPerSecond};
}

std::uint64_t kilobytes_after(const std::string& text, const std::string& name) {
  const std::size_t at = text.find(name);
  return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at + name.size(), nullptr, 10) * 1024;
}

std::set<std::string> listening_sockets(std::uint16_t port) {
  std::set<std::string> sockets;
  for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      std::string slot;
      std::string local;
      std::string remote;
      std::string state;
      std::string ignored;
      std::string inode;
      fields >> slot >> local >> remote >> state;
      for (int i = 0; i < 5; ++i) fields >> ignored;
      fields >> inode;
      const std::size_t colon = local.rfind(':');
      if (state != "0A" || colon == std::string::npos) continue;
      if (std::strtoul(local.c_str() + colon + 1, nullptr, 16) == port) sockets.insert("socket:[" + inode + "]");
    }
  }
  return sockets;
}

}  // namespace

std::optional<ProcessSample> sample_process(int pid) {
  const std::string root = "/proc/" + std::to_string(pid);
  const auto process = read_stat(root + "/stat");
  if (!process) return std::nullopt;
  ProcessSample sample;
  sample.at_us = monotonic_us();
  sample.cpu_s = process->cpu_s;
  const std::string status = read_file(root + "/status");
  sample.rss_bytes = kilobytes_after(status, "VmRSS:");
  sample.peak_rss_bytes = kilobytes_after(status, "VmHWM:");
  for (const fs::path& task : entries(root + "/task")) {
    const auto thread = read_stat(task.string() + "/stat");
    if (thread) sample.threads[std::atoi(task.filename().c_str())] = *thread;
  }
  return sample;
}

ProcessUsage usage_between(const ProcessSample& begin, const ProcessSample& end) {
  ProcessUsage usage;
  usage.rss_bytes = end.rss_bytes;
  usage.peak_rss_bytes = end.peak_rss_bytes;
  const double seconds = static_cast<double>(end.at_us - begin.at_us) / 1e6;
  if (seconds <= 0) return usage;
  usage.cores = (end.cpu_s - begin.cpu_s) / seconds;
  for (const auto& [id, thread] : end.threads) {
    const auto before = begin.threads.find(id);
    const double share = (thread.cpu_s - (before == begin.threads.end() ? 0 : before->second.cpu_s)) / seconds;
    if (share > 0) usage.threads[thread.name] += share;
    if (share <= usage.busiest_share) continue;
    usage.busiest_share = share;
    usage.busiest = thread.name;
  }
  return usage;
}

MachineSample sample_machine() {
  std::ifstream file("/proc/stat");
  std::string name;
  MachineSample sample;
  file >> name;
  for (int i = 0; i < 8; ++i) {
    std::uint64_t ticks = 0;
    file >> ticks;
    sample.total += ticks;
    const bool is_idle = i == 3 || i == 4;  // idle, iowait
    if (!is_idle) sample.busy += ticks;
  }
  return sample;
}

int find_listener(std::uint16_t port) {
  const std::set<std::string> sockets = listening_sockets(port);
  for (const fs::path& process : entries("/proc")) {
    const int pid = std::atoi(process.filename().c_str());
    if (pid <= 0) continue;
    for (const fs::path& file : entries(process / "fd")) {
      std::error_code error;
      const fs::path link = fs::read_symlink(file, error);
      if (!error && sockets.contains(link.string())) return pid;
    }
  }
  return 0;
}

}  // namespace tickpipe::internal::load
