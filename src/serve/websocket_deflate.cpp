#include "serve/websocket_deflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>
#include <stdexcept>

namespace tickpipe::internal {
namespace {

constexpr int kLevel = 1;
constexpr int kMaxWindowBits = 15;
constexpr int kMinWindowBits = 9;             // zlib cannot do 8 without a header
constexpr std::size_t kLookaheadBytes = 262;  // zlib keeps this much of its window back
constexpr std::size_t kLeastOutputBytes = 256;
constexpr std::size_t kMaxPieceBytes = std::size_t{1} << 30;

/// What a sync flush ends in; not sent (RFC 7692, 7.2.1).
constexpr std::string_view kTail("\0\0\xff\xff", 4);

/// The smallest window that holds all of a message. zlib's memory, which it clears, is a multiple of it.
int window_bits_for(std::size_t payload_bytes) noexcept {
  int bits = kMinWindowBits;
  while (bits < kMaxWindowBits && (std::size_t{1} << bits) < payload_bytes + kLookaheadBytes) ++bits;
  return bits;
}

z_const Bytef* zlib_input(std::string_view bytes) noexcept {
  return reinterpret_cast<z_const Bytef*>(const_cast<char*>(bytes.data()));  // NOLINT: zlib does not write
}

/// A raw deflate stream and the bounded text it makes.
class Inflater {
 public:
  enum class Result { kGoOn, kBadData, kTooLarge };

  Inflater(std::size_t max_bytes, std::string& out) : max_bytes_(max_bytes), out_(out) {
    if (inflateInit2(&stream_, -kMaxWindowBits) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Takes the next piece, of at most kMaxPieceBytes. With Z_BLOCK zlib pauses between blocks, which tells
  /// where it is.
  Result add(std::string_view piece, int flush) {
    stream_.next_in = zlib_input(piece);
    stream_.avail_in = static_cast<uInt>(piece.size());
    for (;;) {
      if (made_ == out_.size()) {
        if (made_ > max_bytes_) return Result::kTooLarge;
        grow(piece.size());
      }
      const std::size_t room = std::min(out_.size() - made_, kMaxPieceBytes);
      stream_.next_out = reinterpret_cast<Bytef*>(out_.data() + made_);
      stream_.avail_out = static_cast<uInt>(room);
      const int status = inflate(&stream_, flush);
      made_ += room - stream_.avail_out;
      if (made_ > max_bytes_) return Result::kTooLarge;
      if (status == Z_STREAM_END) {
        is_between_blocks_ = true;
        if (stream_.avail_in == 0) return Result::kGoOn;
        if (inflateReset(&stream_) != Z_OK) return Result::kBadData;
      } else if (status == Z_MEM_ERROR) {
        throw std::bad_alloc();
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        return Result::kBadData;
      } else if (stream_.avail_in == 0 && stream_.avail_out != 0) {
        constexpr int kEndOfBlock = 128;
        is_between_blocks_ = (stream_.data_type & kEndOfBlock) != 0;
        return Result::kGoOn;
      }
    }
  }

  /// Takes the bytes that the sender left out. They have to be the rest of an empty block.
  Result finish() {
    const std::size_t made = made_;
    const Result result = add(kTail, Z_BLOCK);
    if (result != Result::kGoOn) return result;
    out_.resize(made_);
    return made_ == made && is_between_blocks_ ? Result::kGoOn : Result::kBadData;
  }

 private:
  /// One byte above the bound shows that there is more.
  void grow(std::size_t piece_bytes) {
    const std::size_t wanted = std::max({out_.size() * 2, piece_bytes * 4, kLeastOutputBytes});
    out_.resize(std::min(wanted, max_bytes_ + 1));
  }

  const std::size_t max_bytes_;
  std::string& out_;
  std::size_t made_ = 0;
  bool is_between_blocks_ = false;
  z_stream stream_{};
};

}  // namespace

std::string deflate_message(std::string_view payload) {
  if (payload.size() > std::numeric_limits<uInt>::max() / 2) throw std::length_error("a message beyond 2 GiB");
  const int window_bits = window_bits_for(payload.size());
  const int memory_level = window_bits - 7;
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, -window_bits, memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  struct End {
    z_stream& stream;
    ~End() { deflateEnd(&stream); }
  } const end{stream};
  // The bound is for a finished stream. A flush that leaves no room is not known to be complete.
  std::string out(deflateBound(&stream, static_cast<uLong>(payload.size())) + 16, '\0');
  stream.next_in = zlib_input(payload);
  stream.avail_in = static_cast<uInt>(payload.size());
  int status = Z_OK;
  do {
    if (stream.total_out == out.size()) out.resize(out.size() * 2);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + stream.total_out);
    stream.avail_out = static_cast<uInt>(out.size() - stream.total_out);
    status = deflate(&stream, Z_SYNC_FLUSH);
  } while (status == Z_OK && stream.avail_out == 0);
  out.resize(stream.total_out);
  out.resize(out.size() - kTail.size());
  return out;
}

bool inflate_message(std::string_view compressed, std::size_t max_bytes, std::string& out, bool& too_large) {
  too_large = false;
  out.clear();
  if (compressed.empty()) return true;
  max_bytes = std::min(max_bytes, out.max_size() / 4);
  Inflater inflater(max_bytes, out);
  auto result = Inflater::Result::kGoOn;
  while (result == Inflater::Result::kGoOn && !compressed.empty()) {
    const std::string_view piece = compressed.substr(0, kMaxPieceBytes);
    compressed.remove_prefix(piece.size());
    result = inflater.add(piece, Z_SYNC_FLUSH);
  }
  if (result == Inflater::Result::kGoOn) result = inflater.finish();
  too_large = result == Inflater::Result::kTooLarge;
  if (result == Inflater::Result::kGoOn) return true;
  std::string().swap(out);
  return false;
}

}  // namespace tickpipe::internal
