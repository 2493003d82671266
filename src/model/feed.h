#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/unix_nanos.h"
#include "model/raw_quote.h"
#include "model/reason.h"

namespace tickpipe::internal {

/// Whether a quote comes as it happens, or is told of afterwards: different rules of age, lateness and price levels.
enum class QuoteOrigin : std::uint8_t { kLive, kHistorical };

/// Where a feed's quotes go: the pipeline's door. One thread.
class FeedOutput {
 public:
  virtual ~FeedOutput() = default;
  /// Takes a quote, or the verdict of a decoder that refused one. Collected quotes leave with flush() or when many have
  /// come together. Waits while the pipeline has no room.
  virtual void submit(const RawQuote& quote, std::optional<Reason> fault, QuoteOrigin origin) = 0;
  /// Counts something that never became a quote: a line that was too long.
  virtual void refuse(Reason reason) = 0;
  /// Takes the time at which what is submitted next was received. Once per read or per tick of a timer.
  virtual void take_time() = 0;
  virtual void flush() = 0;
  /// The newest event time among everything stored of these symbols' quotes of this LP before the feed started; nothing
  /// when there is none.
  [[nodiscard]] virtual std::optional<UnixNanos> newest_stored(const Name& lp, const Name& symbol) const = 0;
};

enum class FeedState : std::uint8_t {
  kConnecting,
  kLive,
  kEnded,   ///< a finite source has been read to its end
  kFailed,  ///< cannot go on; `detail` says why
};
constexpr std::string_view to_string(FeedState state) {
  constexpr std::string_view kNames[] = {"connecting", "live", "ended", "failed"};
  return kNames[static_cast<std::size_t>(state)];
}

struct FeedStatus {
  std::string name;  ///< as in the configuration: `sim`, `replay:quotes.csv`
  FeedState state = FeedState::kConnecting;
  std::string detail;
};

/// One LP connection. It runs on a thread of its own, which its owner makes.
class Feed {
 public:
  virtual ~Feed() = default;
  /// Delivers quotes until it is stopped, its source ends or it cannot go on. Flushes before it returns. Throws
  /// nothing: what went wrong is in status().
  virtual void run(std::stop_token stop, FeedOutput& output) noexcept = 0;
  /// Any thread, at any time.
  [[nodiscard]] virtual FeedStatus status() const = 0;
};

/// Raw quotes one after the other: a file, decoded. Feeds that read files get one, as decoding is not their part.
class RawQuoteReader {
 public:
  virtual ~RawQuoteReader() = default;
  enum class Item : std::uint8_t { kQuote, kFault, kEnd };
  /// The next quote, or the reason for which the next line was refused. Throws Error when the source cannot be read.
  virtual Item next(RawQuote& quote, Reason& fault) = 0;
};

}  // namespace tickpipe::internal
