#pragma once

#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace tickpipe::internal::load {

/// Decompresses messages of permessage-deflate without context takeover. One thread.
class Inflater {
 public:
  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// False when the message is damaged or beyond 16 MiB. `out` is overwritten.
  bool inflate(std::string_view message, std::string& out);

 private:
  std::unique_ptr<z_stream_s> stream_;
};

}  // namespace tickpipe::internal::load
