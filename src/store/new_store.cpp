#include "store/new_store.h"

#include <rocksdb/write_batch.h>

#include "core/random_id.h"
#include "store/keys.h"

namespace tickpipe::internal {

std::string write_new_store(const Rocks& rocks) {
  constexpr std::string_view kCannotCreate = "cannot create the store";
  std::string epoch = random_id();
  rocksdb::WriteBatch first;
  check(first.Put(rocks.meta, to_slice(keys::kFormat), to_slice(kFormatVersion)), kCannotCreate);
  check(first.Put(rocks.meta, to_slice(keys::kEpoch), to_slice(epoch)), kCannotCreate);
  check(rocks.db->Write(rocksdb::WriteOptions(), &first), kCannotCreate);
  return epoch;
}

}  // namespace tickpipe::internal
