#include "serve/websocket_extension.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace tickpipe::internal {
namespace {

constexpr std::string_view kAnswer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
constexpr std::string_view kWindowAnswer =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15";

std::string answer(std::string_view extensions) { return answer_deflate_offers(extensions).value_or("declined"); }

TEST(WebSocketExtensionTest, ValidOffersAreAccepted) {
  for (const char* offer : {
           "permessage-deflate",
           "permessage-deflate; client_max_window_bits",
           "permessage-deflate;client_max_window_bits",
           "permessage-deflate \t;\t client_max_window_bits \t",
           "permessage-deflate; client_max_window_bits=8",
           "permessage-deflate; client_max_window_bits=9",
           "permessage-deflate; client_max_window_bits=10",
           "permessage-deflate; client_max_window_bits=15",
           R"(permessage-deflate; client_max_window_bits="12")",
           R"(permessage-deflate; client_max_window_bits="\1\2")",
           "permessage-deflate; server_no_context_takeover",
           "permessage-deflate; client_no_context_takeover",
           "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits=11",
           "permessage-deflate; client_max_window_bits; client_no_context_takeover; server_no_context_takeover",
           ", ,permessage-deflate,",
       }) {
    EXPECT_EQ(answer(offer), kAnswer) << offer;
  }
}

TEST(WebSocketExtensionTest, FullWindowOfTheServerIsConfirmed) {
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=15"), kWindowAnswer);
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=\"15\"; client_max_window_bits"), kWindowAnswer);
}

TEST(WebSocketExtensionTest, SmallerWindowOfTheServerIsDeclinedForTheNextOffer) {
  for (int bits = 8; bits < 15; ++bits) {
    const std::string limited = "permessage-deflate; server_max_window_bits=" + std::to_string(bits);
    EXPECT_EQ(answer(limited), "declined");
    EXPECT_EQ(answer(limited + ", permessage-deflate"), kAnswer);
    EXPECT_EQ(answer(limited + ", permessage-deflate; server_max_window_bits=15, permessage-deflate"), kWindowAnswer);
  }
}

TEST(WebSocketExtensionTest, WhatIsNotValidIsDeclinedForTheNextOffer) {
  for (const char* offer : {
           "",
           "deflate",
           "permessage-deflatex",
           "x-webkit-deflate-frame",
           "Permessage-Deflate; x",
           // unknown, repeated
           "permessage-deflate; nonsense",
           "permessage-deflate; nonsense=1",
           "permessage-deflate; CLIENT_MAX_WINDOW_BITS",
           "permessage-deflate; client_max_window_bits; client_max_window_bits",
           "permessage-deflate; client_max_window_bits=10; client_max_window_bits",
           "permessage-deflate; server_max_window_bits=15; server_max_window_bits=15",
           "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
           "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
           // values
           "permessage-deflate; server_no_context_takeover=1",
           R"(permessage-deflate; client_no_context_takeover="true")",
           "permessage-deflate; server_max_window_bits",
           "permessage-deflate; server_max_window_bits=16",
           "permessage-deflate; server_max_window_bits=7",
           "permessage-deflate; client_max_window_bits=7",
           "permessage-deflate; client_max_window_bits=16",
           "permessage-deflate; client_max_window_bits=0",
           "permessage-deflate; client_max_window_bits=08",
           "permessage-deflate; client_max_window_bits=015",
           "permessage-deflate; client_max_window_bits=100",
           "permessage-deflate; client_max_window_bits=1",
           "permessage-deflate; client_max_window_bits=a",
           "permessage-deflate; client_max_window_bits=+9",
           // not well-formed
           "permessage-deflate;",
           "permessage-deflate; ;client_max_window_bits",
           "permessage-deflate client_max_window_bits",
           "permessage-deflate; client_max_window_bits=",
           "permessage-deflate; client_max_window_bits =10",
           "permessage-deflate; client_max_window_bits= 10",
           "permessage-deflate; client_max_window_bits=10=10",
           R"(permessage-deflate; client_max_window_bits="")",
           R"(permessage-deflate; client_max_window_bits="1 0")",
           R"(permessage-deflate; client_max_window_bits="10"x)",
           "permessage-deflate; =10",
           "permessage-deflate=1",
           R"("permessage-deflate")",
           R"(permessage-deflate; nonsense="a, permessage-deflate")",
           R"(permessage-deflate; nonsense="a\", permessage-deflate")",
       }) {
    EXPECT_EQ(answer(offer), "declined") << offer;
    EXPECT_EQ(answer(std::string(offer) + ", permessage-deflate; client_max_window_bits"), kAnswer) << offer;
    EXPECT_EQ(answer("x-other; a=1, permessage-deflate, " + std::string(offer)), kAnswer) << offer;
  }
}

TEST(WebSocketExtensionTest, QuoteThatNeverEndsTakesTheRest) {
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits=\"10, permessage-deflate"), "declined");
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits=\"10\\"), "declined");
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits=\""), "declined");
}

TEST(WebSocketExtensionTest, RandomTextDoesNoHarm) {
  constexpr std::string_view kPieces[] = {"permessage-deflate",
                                          "client_max_window_bits",
                                          "server_max_window_bits",
                                          ";",
                                          "; ",
                                          ",",
                                          "=",
                                          "\"",
                                          "\\",
                                          "15",
                                          "9",
                                          " ",
                                          "\t",
                                          "\x80",
                                          "x"};
  std::mt19937_64 random{5};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (std::size_t count = random() % 12; count != 0; --count) text += kPieces[random() % std::size(kPieces)];
    const std::string result = answer(text);
    EXPECT_TRUE(result == "declined" || result == kAnswer || result == kWindowAnswer) << text;
  }
}

}  // namespace
}  // namespace tickpipe::internal
