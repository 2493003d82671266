#include <hiredis/read.h>

#include <new>
#include <utility>

#include "core/safe_text.h"
#include "redis/redis_error.h"
#include "redis/redis_reply.h"

namespace tickpipe::internal {
namespace {

/// No answer to what is asked here comes near it.
constexpr int kMaxElements = 4 << 20;

/// Replies are built by hiredis as it parses: these functions make the objects, which it only passes around. An element
/// is made in its place in the array that was made before it. They are called from C: nothing may be thrown.

RedisReply* place_of(const redisReadTask* task) {
  if (task->parent == nullptr) return new (std::nothrow) RedisReply;
  auto* const array = static_cast<RedisReply*>(task->parent->obj);
  return &array->elements[static_cast<std::size_t>(task->idx)];
}

RedisReply::Type type_of(int type) {
  switch (type) {
    case REDIS_REPLY_STATUS:
      return RedisReply::Type::kStatus;
    case REDIS_REPLY_ERROR:
      return RedisReply::Type::kError;
    default:
      return RedisReply::Type::kText;
  }
}

template <typename Fill>
void* make(const redisReadTask* task, const Fill& fill) noexcept {
  RedisReply* const reply = place_of(task);
  if (reply == nullptr) return nullptr;
  try {
    fill(*reply);
  } catch (...) {  // out of memory: hiredis reports it
    if (task->parent == nullptr) delete reply;
    return nullptr;
  }
  return reply;
}

void* make_string(const redisReadTask* task, char* text, std::size_t size) {
  return make(task, [&](RedisReply& reply) {
    reply.type = type_of(task->type);
    reply.text.assign(text, size);
  });
}

void* make_array(const redisReadTask* task, int elements) {
  if (elements > kMaxElements) return nullptr;
  return make(task, [&](RedisReply& reply) {
    reply.type = RedisReply::Type::kArray;
    reply.elements.resize(static_cast<std::size_t>(elements));
  });
}

void* make_integer(const redisReadTask* task, long long value) {
  return make(task, [&](RedisReply& reply) {
    reply.type = RedisReply::Type::kInteger;
    reply.integer = value;
  });
}

void* make_nil(const redisReadTask* task) {
  return make(task, [](RedisReply& reply) { reply.type = RedisReply::Type::kNil; });
}

void free_reply(void* reply) { delete static_cast<RedisReply*>(reply); }

redisReplyObjectFunctions functions{make_string, make_array, make_integer, make_nil, free_reply};

struct FreeReader {
  void operator()(redisReader* reader) const noexcept { redisReaderFree(reader); }
};

}  // namespace

struct ReplyReader::Impl {
  std::unique_ptr<redisReader, FreeReader> reader{redisReaderCreateWithFunctions(&functions)};

  [[noreturn]] void fail() const {
    throw RedisError("what it answers is not the protocol of Redis: " + safe_text(reader->errstr, 128));
  }
};

ReplyReader::ReplyReader() : impl_(std::make_unique<Impl>()) {
  if (!impl_->reader) throw std::bad_alloc();
}
ReplyReader::~ReplyReader() = default;

void ReplyReader::feed(std::string_view bytes) {
  if (redisReaderFeed(impl_->reader.get(), bytes.data(), bytes.size()) != REDIS_OK) impl_->fail();
}

std::optional<RedisReply> ReplyReader::next() {
  void* raw = nullptr;
  if (redisReaderGetReply(impl_->reader.get(), &raw) != REDIS_OK) impl_->fail();
  if (raw == nullptr) return std::nullopt;
  const std::unique_ptr<RedisReply> reply(static_cast<RedisReply*>(raw));
  return std::move(*reply);
}

}  // namespace tickpipe::internal
