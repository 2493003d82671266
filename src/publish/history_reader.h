#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "model/history.h"
#include "publish/tick_range.h"

namespace tickpipe::internal {

/// The first `count` quotes of the range, ascending. Throws what the history throws.
std::vector<Tick> read_oldest(const History& history, SymbolId symbol, const TickRange& range, std::size_t count);

/// The last `count` quotes of the range, descending. A history reads upwards only, so windows of time are read from
/// the end of the range down, the first one `first_window` long; memory is bounded by `count`, and what is read in vain
/// by a multiple of it, whatever the distribution of the quotes over time. Throws what the history throws.
std::vector<Tick> read_newest(const History& history, SymbolId symbol, const TickRange& range, std::size_t count,
                              std::chrono::nanoseconds first_window);

}  // namespace tickpipe::internal
