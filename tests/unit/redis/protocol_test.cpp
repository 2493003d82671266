#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "redis/redis_commands.h"
#include "redis/redis_connection.h"
#include "redis/redis_reply.h"

namespace tickpipe::internal {
namespace {

TEST(RedisCommandsTest, AreArraysOfBulkStrings) {
  RedisCommands commands;
  EXPECT_TRUE(commands.empty());
  commands.add("SET", std::string("a\r\nb\0c", 6), "", -17);
  commands.begin(2);
  commands.argument("GET");
  commands.argument(std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(commands.bytes(), std::string_view("*4\r\n$3\r\nSET\r\n$6\r\na\r\nb\0c\r\n$0\r\n\r\n$3\r\n-17\r\n"
                                               "*2\r\n$3\r\nGET\r\n$20\r\n18446744073709551615\r\n",
                                               80));
  EXPECT_EQ(commands.count(), 2U);
  commands.clear();
  EXPECT_TRUE(commands.empty());
  EXPECT_EQ(commands.bytes(), "");
}

constexpr std::string_view kReplies =
    "+OK\r\n:-42\r\n$-1\r\n$5\r\nab\r\nc\r\n-OOM no room\r\n*3\r\n:1\r\n*2\r\n$1\r\nx\r\n$-1\r\n*0\r\n*-1\r\n";

void expect_all(ReplyReader& reader, const std::vector<RedisReply>& replies) {
  using Type = RedisReply::Type;
  ASSERT_EQ(replies.size(), 7U);
  EXPECT_EQ(replies[0].type, Type::kStatus);
  EXPECT_EQ(replies[0].text, "OK");
  EXPECT_EQ(replies[1].integer, -42);
  EXPECT_TRUE(replies[2].is_nil());
  EXPECT_EQ(replies[3].text, "ab\r\nc");
  EXPECT_TRUE(replies[4].is_error("OOM"));
  EXPECT_FALSE(replies[4].is_error("READONLY"));
  ASSERT_EQ(replies[5].elements.size(), 3U);
  ASSERT_EQ(replies[5].elements[1].elements.size(), 2U);
  EXPECT_EQ(replies[5].elements[1].elements[0].text, "x");
  EXPECT_TRUE(replies[5].elements[1].elements[1].is_nil());
  EXPECT_EQ(replies[5].elements[2].type, Type::kArray);
  EXPECT_TRUE(replies[6].is_nil());
  EXPECT_FALSE(reader.next());
}

TEST(ReplyReaderTest, SplitsRepliesHoweverTheyArrive) {
  for (std::size_t piece = 1; piece <= kReplies.size(); ++piece) {
    ReplyReader reader;
    std::vector<RedisReply> replies;
    for (std::size_t at = 0; at < kReplies.size(); at += piece) {
      reader.feed(kReplies.substr(at, piece));
      while (auto reply = reader.next()) replies.push_back(std::move(*reply));
    }
    SCOPED_TRACE(piece);
    expect_all(reader, replies);
  }
}

TEST(ReplyReaderTest, WhatIsNotTheProtocolIsAnError) {
  for (const std::string_view text : {"HTTP/1.1 400 Bad Request\r\n\r\n", "*2000000000\r\n", "$-5x\r\n\r\n"}) {
    ReplyReader reader;
    EXPECT_THROW(
        {
          reader.feed(text);
          while (reader.next()) {
          }
        },
        RedisError)
        << text;
  }
}

TEST(ReplyReaderTest, RandomBytesNeverHarm) {
  std::mt19937_64 random(3);
  constexpr std::string_view kLikely = "+-:$*0123456789\r\n\r\nax";
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (std::uint64_t size = random() % 40; size > 0; --size) text += kLikely[random() % kLikely.size()];
    ReplyReader reader;
    try {
      reader.feed(text);
      while (reader.next()) {
      }
    } catch (const RedisError&) {
      continue;  // that is what it is for
    }
  }
}

TEST(RedisEndpointTest, IsHostAndPort) {
  EXPECT_EQ(parse_redis_endpoint("localhost:6380"), (RedisEndpoint{"localhost", 6380}));
  EXPECT_EQ(parse_redis_endpoint("redis"), (RedisEndpoint{"redis", 6379}));
  EXPECT_EQ(parse_redis_endpoint("[::1]:7000"), (RedisEndpoint{"::1", 7000}));
  EXPECT_EQ(to_string(RedisEndpoint{"::1", 7000}), "[::1]:7000");
  EXPECT_EQ(to_string(RedisEndpoint{"redis", 1}), "redis:1");
  for (const char* const text : {"", ":1", "a:", "a:0", "a:65536", "a:1x", "::1", "[::1", "a b:1", "a/b:1", "[]:1"}) {
    EXPECT_FALSE(parse_redis_endpoint(text)) << text;
  }
}

}  // namespace
}  // namespace tickpipe::internal
