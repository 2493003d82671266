#pragma once

#include <cstdint>
#include <optional>

#include "model/reason.h"

namespace tickpipe::internal {

/// Is told what became of quotes whose sender waits for it.
class VerdictBook {
 public:
  virtual ~VerdictBook() = default;
  /// What a shard decided on the next quote of `sink` (Quote::marks), in the order in which that sink's quotes came to
  /// this shard. It, and what it may be a duplicate of, is committed once batch number `batch` of the shard is. Called
  /// on the shard's thread, before that batch is handed over.
  virtual void on_verdict(std::uint16_t sink, std::uint32_t shard, std::optional<Reason> refused,
                          std::uint64_t batch) noexcept = 0;
};

}  // namespace tickpipe::internal
