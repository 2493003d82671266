#pragma once

// Counts what a thread allocates with operator new. Replaces it, so exactly one file of a program includes this.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace tickpipe::internal::testing {

inline thread_local std::uint64_t t_allocations = 0;
inline std::uint64_t allocations_of_this_thread() { return t_allocations; }

}  // namespace tickpipe::internal::testing

// NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): operator new is made of malloc. Inlined
// into one another, g++ 12 takes malloc and operator delete for a mismatched pair.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++tickpipe::internal::testing::t_allocations;
  void* const block = std::malloc(size != 0 ? size : 1);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  ++tickpipe::internal::testing::t_allocations;
  const auto align = static_cast<std::size_t>(alignment);
  void* const block = std::aligned_alloc(align, (size + align - 1) / align * align);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++tickpipe::internal::testing::t_allocations;
  return std::malloc(size != 0 ? size : 1);
}
[[gnu::noinline]] void operator delete(void* block, const std::nothrow_t&) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)
