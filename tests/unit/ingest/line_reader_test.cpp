#include "ingest/line_reader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"
#include "model/raw_quote.h"

namespace tickpipe::internal {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) { EXPECT_GE(fd, 0); }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor() { close(); }
  [[nodiscard]] int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    ASSERT_GT(count, 0);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

FileDescriptor file_with(std::string_view text) {
  FileDescriptor file(::memfd_create("lines", MFD_CLOEXEC));
  write_all(file.get(), text);
  EXPECT_EQ(::lseek(file.get(), 0, SEEK_SET), 0);
  return file;
}

struct Pipe {
  explicit Pipe(int flags = 0) : Pipe(make(flags)) {}
  FileDescriptor read;
  FileDescriptor write;

 private:
  explicit Pipe(std::pair<int, int> ends) : read(ends.first), write(ends.second) {}
  static std::pair<int, int> make(int flags) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC | flags), 0);
    return {ends[0], ends[1]};
  }
};

/// Each line as `number:text`, or `number!` if it is too long.
std::vector<std::string> read_lines(LineReader& reader) {
  std::vector<std::string> lines;
  Line line;
  while (reader.next(line)) {
    lines.push_back(std::to_string(line.number) + (line.too_long ? "!" : ":" + std::string(line.text)));
  }
  EXPECT_FALSE(reader.next(line));
  return lines;
}

std::vector<std::string> lines_of(std::string_view text, std::size_t max_line_bytes = 65536) {
  const FileDescriptor file = file_with(text);
  LineReader reader(file.get(), "test", max_line_bytes);
  std::vector<std::string> lines = read_lines(reader);
  EXPECT_EQ(reader.bytes_consumed(), text.size());
  return lines;
}

TEST(LineReaderTest, LinesAreNumberedAndBlankOnesSkipped) {
  EXPECT_THAT(lines_of("a\n\n \t\r\nb c\n\r\n d \n"), ElementsAre("1:a", "4:b c", "6: d "));
  EXPECT_THAT(lines_of(""), ElementsAre());
  EXPECT_THAT(lines_of("\n\n"), ElementsAre());
  EXPECT_THAT(lines_of(" "), ElementsAre());
}

TEST(LineReaderTest, LastLineNeedsNoLineEnd) {
  EXPECT_THAT(lines_of("a\nb"), ElementsAre("1:a", "2:b"));
  EXPECT_THAT(lines_of("a\nb\r"), ElementsAre("1:a", "2:b"));
  EXPECT_THAT(lines_of("a"), ElementsAre("1:a"));
}

TEST(LineReaderTest, OneTrailingCarriageReturnIsDropped) {
  EXPECT_THAT(lines_of("a\r\nb\r\r\nc\rd\n"), ElementsAre("1:a", "2:b\r", "3:c\rd"));
}

TEST(LineReaderTest, OneByteOrderMarkAtTheStartIsDropped) {
  EXPECT_THAT(lines_of("\xEF\xBB\xBF"
                       "a\n\xEF\xBB\xBF"
                       "b"),
              ElementsAre("1:a",
                          "2:\xEF\xBB\xBF"
                          "b"));
  EXPECT_THAT(lines_of("\xEF\xBB\xBF\xEF\xBB\xBF"), ElementsAre("1:\xEF\xBB\xBF"));
  EXPECT_THAT(lines_of("\xEF\xBB\xBF"), ElementsAre());
  EXPECT_THAT(lines_of("\xEF\xBB\xBF\r\na"), ElementsAre("2:a"));
  EXPECT_THAT(lines_of("\xEF\xBB"), ElementsAre("1:\xEF\xBB"));
  EXPECT_THAT(lines_of("\xEF\xBB\n"), ElementsAre("1:\xEF\xBB"));
}

TEST(LineReaderTest, ALineOfExactlyTheLimitIsTaken) {
  EXPECT_THAT(lines_of("1234\n12345\n1234\r\n12345\r\n", 4), ElementsAre("1:1234", "2!", "3:1234", "4!"));
  EXPECT_THAT(lines_of("1234", 4), ElementsAre("1:1234"));
  EXPECT_THAT(lines_of("1234\r", 4), ElementsAre("1:1234"));
  EXPECT_THAT(lines_of("12345", 4), ElementsAre("1!"));
  EXPECT_THAT(lines_of("123456789\nab", 4), ElementsAre("1!", "2:ab"));
  EXPECT_THAT(lines_of("\xEF\xBB\xBF"
                       "1234\n",
                       4),
              ElementsAre("1:1234"));
}

TEST(LineReaderTest, LimitsLargerThanAChunkWork) {
  const std::size_t limit = 1'000'000;
  const std::string full(limit, 'x');
  EXPECT_THAT(lines_of(full + "\n" + full + "\r\n" + full + "x\n" + full, limit),
              ElementsAre("1:" + full, "2:" + full, "3!", "4:" + full));
}

TEST(LineReaderTest, AnEndlessLineIsSkippedAndTheNextOneRead) {
  const FileDescriptor file = file_with("a\n");
  constexpr off_t kHole = 1 << 28;
  ASSERT_EQ(::ftruncate(file.get(), kHole), 0);
  ASSERT_EQ(::lseek(file.get(), 0, SEEK_END), kHole);
  write_all(file.get(), "\nb\n");
  ASSERT_EQ(::lseek(file.get(), 0, SEEK_SET), 0);
  LineReader reader(file.get(), "test");
  EXPECT_THAT(read_lines(reader), ElementsAre("1:a", "2!", "3:b"));
  EXPECT_EQ(reader.bytes_consumed(), static_cast<std::uint64_t>(kHole) + 3);
}

TEST(LineReaderTest, BytesConsumedFollowTheLines) {
  const FileDescriptor file = file_with(
      "\xEF\xBB\xBF"
      "ab\r\n\ncd\nef");
  LineReader reader(file.get(), "test");
  Line line;
  std::vector<std::uint64_t> positions = {reader.bytes_consumed()};
  while (reader.next(line)) positions.push_back(reader.bytes_consumed());
  EXPECT_THAT(positions, ElementsAre(0, 7, 11, 13));
}

TEST(LineReaderTest, PaddingBehindEveryLineIsReadable) {
  std::string text;
  for (int i = 0; i < 40'000; ++i) text += std::string(static_cast<std::size_t>(i % 50), 'x') + "y\n";
  const FileDescriptor file = file_with(text);
  LineReader reader(file.get(), "test");
  Line line;
  unsigned sum = 0;
  while (reader.next(line)) {
    const char* const padding = line.text.data() + line.text.size();
    for (std::size_t i = 0; i < kJsonPadding; ++i) sum += static_cast<unsigned char>(padding[i]);
  }
  EXPECT_GT(sum, 0U);
}

TEST(LineReaderTest, ALineIsGivenOutAsSoonAsItIsWhole) {
  Pipe pipe;
  LineReader reader(pipe.read.get(), "test");
  Line line;
  write_all(pipe.write.get(), "{}\n{");
  ASSERT_TRUE(reader.next(line));
  EXPECT_EQ(line.text, "{}");
  write_all(pipe.write.get(), "}\n");
  ASSERT_TRUE(reader.next(line));
  EXPECT_EQ(line.text, "{}");
}

/// What LineReader promises, said in another way: over the whole text.
std::vector<std::string> expected_lines(std::string text, std::size_t limit) {
  std::vector<std::string> lines;
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string line = text.substr(0, end);
    text.erase(0, end == std::string::npos ? text.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.size() > limit) {
      lines.push_back(std::to_string(number) + "!");
    } else if (line.find_first_not_of(" \t") != std::string::npos) {
      lines.push_back(std::to_string(number) + ":" + line);
    }
  }
  return lines;
}

TEST(LineReaderTest, WhereReadsAreCutDoesNotMatter) {
  std::mt19937_64 random(7);
  const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (int round = 0; round < 300; ++round) {
    std::string text = below(3) == 0 ? "\xEF\xBB\xBF" : "";
    for (std::size_t i = below(60); i > 0; --i) text += "ab \t\r\r\n\n\n"[below(9)];
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < text.size();) {
      pieces.push_back(text.substr(at, 1 + below(4)));
      at += pieces.back().size();
    }
    // A packet pipe keeps the pieces apart for the reader.
    Pipe pipe(O_DIRECT);
    const std::jthread writer([&] {
      for (const std::string& piece : pieces) write_all(pipe.write.get(), piece);
      pipe.write.close();
    });
    LineReader reader(pipe.read.get(), "test", 5);
    EXPECT_EQ(read_lines(reader), expected_lines(text, 5)) << text;
  }
}

TEST(LineReaderTest, ManySmallReadsAcrossTheBufferEndAreRight) {
  std::string text;
  for (int i = 0; i < 60'000; ++i) text += "line " + std::to_string(i) + (i % 3 == 0 ? "\r\n" : "\n");
  Pipe pipe;
  std::jthread writer([&] {
    for (std::size_t at = 0; at < text.size(); at += 997)
      write_all(pipe.write.get(), std::string_view(text).substr(at, 997));
    pipe.write.close();
  });
  LineReader reader(pipe.read.get(), "test");
  EXPECT_EQ(read_lines(reader), expected_lines(text, 65536));
}

TEST(LineReaderTest, NonBlockingInputIsWaitedFor) {
  Pipe pipe;
  ASSERT_EQ(::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK), 0);
  std::jthread writer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    write_all(pipe.write.get(), "a\n");
    pipe.write.close();
  });
  LineReader reader(pipe.read.get(), "test");
  EXPECT_THAT(read_lines(reader), ElementsAre("1:a"));
}

TEST(LineReaderTest, InterruptedReadsAreRepeated) {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) {};  // no SA_RESTART: read() then fails with EINTR
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  Pipe pipe;
  std::jthread writer([&, reader_thread = ::pthread_self()] {
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      ::pthread_kill(reader_thread, SIGUSR1);
    }
    write_all(pipe.write.get(), "a\n");
    pipe.write.close();
  });
  LineReader reader(pipe.read.get(), "test");
  EXPECT_THAT(read_lines(reader), ElementsAre("1:a"));
  writer.join();
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST(LineReaderTest, FailedReadNamesTheInput) {
  const FileDescriptor directory(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  LineReader reader(directory.get(), "/data/ticks.csv");
  Line line;
  try {
    reader.next(line);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/data/ticks.csv"));
    EXPECT_THAT(error.what(), HasSubstr("directory"));
  }
}

}  // namespace
}  // namespace tickpipe::internal
