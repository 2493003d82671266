// Input: a byte that bounds lines, the number of reads that have a size of their own, those sizes, then the text. The
// reader gets it in pieces of these sizes, the rest in one.

#include "ingest/line_reader.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "fuzz/fuzzing.h"
#include "model/raw_quote.h"

namespace tickpipe::internal::fuzzing {
namespace {

/// A packet socket: each packet that is sent is one read, as if the input had come in just these pieces.
class Packets {
 public:
  Packets() { require(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends_) == 0, "a socket pair"); }
  Packets(const Packets&) = delete;
  Packets& operator=(const Packets&) = delete;
  ~Packets() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  void send(std::string_view bytes) const {
    if (bytes.empty()) return;  // it would be the end
    require(::send(ends_[1], bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()), "a packet is sent");
  }
  void end() const { ::shutdown(ends_[1], SHUT_WR); }
  [[nodiscard]] int reading_end() const { return ends_[0]; }

 private:
  int ends_[2] = {-1, -1};
};

struct Expected {
  std::string text;
  std::uint64_t number = 0;
  bool too_long = false;
  std::uint64_t consumed = 0;
};

std::vector<Expected> reference_lines(std::string_view text, std::size_t max_bytes) {
  std::vector<Expected> lines;
  std::uint64_t number = 0;
  std::size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line(text.substr(at, end - at));
    at = std::min(end + 1, text.size());
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    const bool too_long = line.size() > max_bytes;
    if (!too_long && line.find_first_not_of(" \t") == std::string::npos) continue;
    lines.push_back({too_long ? "" : line, number, too_long, at});
  }
  return lines;
}

}  // namespace

void check(Input input) {
  const std::size_t max_bytes = input.byte();
  std::vector<std::size_t> sizes(input.byte() % 32);
  for (std::size_t& size : sizes) size = input.byte();
  const std::string_view text = input.rest();
  if (text.size() > 65536) return;  // what a socket holds without a reader

  const Packets packets;
  std::string_view unsent = text;
  for (const std::size_t size : sizes) {
    packets.send(unsent.substr(0, size));
    unsent.remove_prefix(std::min(size, unsent.size()));
  }
  packets.send(unsent);
  packets.end();

  LineReader reader(packets.reading_end(), "input", max_bytes);
  Line line;
  for (const Expected& expected : reference_lines(text, max_bytes)) {
    require(reader.next(line), "no line is lost");
    require(line.text == expected.text && line.number == expected.number && line.too_long == expected.too_long,
            "each line is that of the reference, in whatever pieces it came");
    require(reader.bytes_consumed() == expected.consumed, "what was consumed ends with the line");
    // The decoder reads behind the line.
    const volatile char* const behind = line.text.data() + line.text.size();
    for (std::size_t i = 0; !line.too_long && i < kJsonPadding; ++i) (void)behind[i];
  }
  require(!reader.next(line) && !reader.next(line), "there are no more lines than those of the reference");
  require(reader.bytes_consumed() == text.size(), "all was consumed at the end");
}

}  // namespace tickpipe::internal::fuzzing
