// Ten thousand connections that have nothing to say must cost next to nothing.

#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>

#include "serve/websocket_deflate.h"
#include "support/websocket_client_frames.h"
#include "unit/serve_websocket/reading.h"

namespace {

std::atomic<std::size_t> heap_bytes{0};  // of all blocks of this process that came from operator new

}  // namespace

// NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): operator new is made of malloc. Inlined into one
// another, g++ 12 takes malloc and operator delete for a mismatched pair.
[[gnu::noinline]] void* operator new(std::size_t size) {
  void* block = std::malloc(size);
  if (block == nullptr) throw std::bad_alloc();
  heap_bytes += malloc_usable_size(block);
  return block;
}

[[gnu::noinline]] void operator delete(void* block) noexcept {
  if (block != nullptr) heap_bytes -= malloc_usable_size(block);
  std::free(block);
}

[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { operator delete(block); }
// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)

namespace tickpipe::internal::testing {
namespace {

/// What a reader holds, seen from outside, as bytes go in.
class Watched {
 public:
  explicit Watched(WebSocketReader::Limits limits) : reader_(limits) {}

  /// Reads all; returns how many events there were.
  int add(std::string_view input) {
    int events = 0;
    for (;;) {
      const std::size_t before = heap_bytes;
      std::size_t consumed = 0;
      const auto event = reader_.read(input, consumed);
      held_ += heap_bytes - before;
      if (event.kind == WebSocketReader::Event::Kind::kNeedMore) return events;
      ++events;
      input.remove_prefix(consumed);
    }
  }

  void release() {
    const std::size_t before = heap_bytes;
    reader_.release();
    held_ += heap_bytes - before;
  }

  std::size_t read_one(std::string_view input) {
    const std::size_t before = heap_bytes;
    std::size_t consumed = 0;
    static_cast<void>(reader_.read(input, consumed));
    held_ += heap_bytes - before;
    return consumed;
  }

  [[nodiscard]] std::size_t held() const { return held_; }

 private:
  WebSocketReader reader_;
  std::size_t held_ = 0;
};

TEST(WebSocketReaderMemoryTest, ReaderWithoutAMessageHoldsNoHeap) {
  const std::string text(60'000, 'x');
  const std::string compressed = deflate_message(text);
  const std::string fragments =
      client_frame({WsOpcode::kText, text, false}) + client_frame({WsOpcode::kContinuation, "end"});
  Watched reader({65'536, true});
  EXPECT_EQ(reader.held(), 0u);
  EXPECT_EQ(reader.add(client_text(text)), 1);
  EXPECT_EQ(reader.held(), 0u) << "after a message";
  EXPECT_EQ(reader.add(fragments), 1);
  EXPECT_EQ(reader.held(), 0u) << "after fragments";
  EXPECT_EQ(reader.add(client_frame({WsOpcode::kText, compressed, true, 4})), 1);
  EXPECT_EQ(reader.held(), 0u) << "after a compressed message";
  EXPECT_EQ(reader.add(client_ping(std::string(125, 'p')) + client_pong(std::string(125, 'q'))), 2);
  EXPECT_EQ(reader.held(), 0u) << "after control frames";
  EXPECT_EQ(reader.add(client_text(text) + "\x81\xfe\x10"), 1);
  EXPECT_EQ(reader.held(), 0u) << "within a header";
}

TEST(WebSocketReaderMemoryTest, ReleaseGivesTheLastEventBack) {
  Watched reader({65'536, true});
  const std::string frame = client_text(std::string(60'000, 'x'));
  EXPECT_EQ(reader.read_one(frame), frame.size());
  EXPECT_GE(reader.held(), 60'000u);
  reader.release();
  EXPECT_EQ(reader.held(), 0u);
  const std::string ping = client_ping(std::string(125, 'p'));
  EXPECT_EQ(reader.read_one(ping), ping.size());
  reader.release();
  EXPECT_EQ(reader.held(), 0u);
}

TEST(WebSocketReaderMemoryTest, AnnouncedBytesTakeNoMemoryBeforeTheyCome) {
  Watched reader({std::size_t{1} << 30, true});
  const std::string frame = client_text(std::string(5'000'000, 'x'));
  reader.add(std::string_view(frame).substr(0, 14));
  EXPECT_EQ(reader.held(), 0u);
  reader.add(std::string_view(frame).substr(14, 1'000));
  EXPECT_LE(reader.held(), 1'100u);
  reader.add(std::string_view(frame).substr(1'014, 1'000));
  EXPECT_LE(reader.held(), 2'200u);
}

TEST(WebSocketReaderMemoryTest, MessageThatWasBegunIsDroppedWithAFaultAndWithAClose) {
  for (const std::string& end : {client_close(1000), client_text("x"), std::string("\x83")}) {
    Watched reader({65'536, true});
    reader.add(client_frame({WsOpcode::kText, std::string(10'000, 'x'), false}));
    EXPECT_GE(reader.held(), 10'000u);
    EXPECT_EQ(reader.add(end), 1);
    EXPECT_EQ(reader.held(), 0u);
  }
}

TEST(WebSocketReaderMemoryTest, MessageInOnePieceTakesOneAllocation) {
  Watched reader({65'536, true});
  const std::string frame = client_text(std::string(60'000, 'x'));
  reader.read_one(frame);
  EXPECT_LE(reader.held(), 61'000u);
}

}  // namespace
}  // namespace tickpipe::internal::testing
