#pragma once

#include "core/bytes.h"
#include "model/bar.h"

namespace tickpipe::internal {

/// The stored form of a bar. Part of the store format.
void encode_bar(ByteWriter& out, const Bar& bar);
/// Check `in.ok()` afterwards.
Bar decode_bar(ByteReader& in) noexcept;

}  // namespace tickpipe::internal
