#pragma once

#include <span>

#include "shard/shard_engine.h"
#include "store/embedded_store.h"

namespace tickpipe::internal {

/// Brings fresh engines to the state of the newest commit: snapshots, then every record since the checkpoint, folded
/// by the same code that folded it first. A symbol goes to the engine number symbol % engines. Returns the number of
/// replayed records. Throws Error when the stored data is damaged.
std::uint64_t restore_engines(const EmbeddedStore& store, std::span<ShardEngine* const> engines);

/// Tells engines that were restored or rebuilt what retention has removed, so that no quote brings it back.
void restore_retention(const EmbeddedStore& store, std::span<ShardEngine* const> engines);

/// Commits a checkpoint of everything that was replayed, so that the next start need not replay it again.
void commit_checkpoint(EmbeddedStore& store, std::span<ShardEngine* const> engines);

/// Folds all stored ticks into bars again, into `engines`, which have other bar settings than those of `old_engines`,
/// and commits the result; all other state is taken over. Stored bars of the new timeframes are replaced.
void rebuild_bars(EmbeddedStore& store, std::span<ShardEngine* const> old_engines,
                  std::span<ShardEngine* const> engines, std::span<const Timeframe> timeframes);

/// Folds all stored ticks again, with `folder`, a fresh engine without history, and commits the closed bars of which
/// the store has none, an older or another one; but bars that hold more ticks than are stored stay. `engine` has the
/// state of all symbols. Returns how many were committed.
std::uint64_t mend_bars(EmbeddedStore& store, const ShardEngine& engine, ShardEngine& folder,
                        std::span<const Timeframe> timeframes);

}  // namespace tickpipe::internal
