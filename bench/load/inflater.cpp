#include "load/inflater.h"

#include <zlib.h>

#include <array>

#include "core/error.h"

namespace tickpipe::internal::load {

Inflater::Inflater() : stream_(std::make_unique<z_stream_s>()) {
  constexpr int kRawDeflate = -15;
  if (::inflateInit2(stream_.get(), kRawDeflate) != Z_OK) throw Error("zlib does not start");
}

Inflater::~Inflater() { ::inflateEnd(stream_.get()); }

bool Inflater::inflate(std::string_view message, std::string& out) {
  constexpr std::size_t kMaxSize = 16 << 20;
  out.clear();
  ::inflateReset(stream_.get());
  // The sender takes this end of a flushed block off each message (RFC 7692, 7.2.1).
  std::string input(message);
  input.append("\x00\x00\xFF\xFF", 4);
  stream_->next_in = reinterpret_cast<Bytef*>(input.data());
  stream_->avail_in = static_cast<uInt>(input.size());
  std::array<char, 16384> chunk{};
  do {
    stream_->next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream_->avail_out = static_cast<uInt>(chunk.size());
    const int result = ::inflate(stream_.get(), Z_SYNC_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return false;
    out.append(chunk.data(), chunk.size() - stream_->avail_out);
    if (result == Z_STREAM_END) break;
  } while (stream_->avail_out == 0 && out.size() <= kMaxSize);
  return out.size() <= kMaxSize;
}

}  // namespace tickpipe::internal::load
