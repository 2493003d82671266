#include "ingest/quote_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "core/error.h"
#include "support/temporary_folder.h"

namespace tickpipe::internal {
namespace {

using Item = RawQuoteReader::Item;

class QuoteFileTest : public ::testing::Test {
 protected:
  std::string write(const std::string& name, std::string_view text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  /// What the file gives: symbols of its quotes, reasons of its faults.
  static std::vector<std::string> items(QuoteFile& file) {
    std::vector<std::string> out;
    RawQuote quote;
    Reason fault{};
    while (true) {
      const Item item = file.next(quote, fault);
      if (item == Item::kEnd) return out;
      out.emplace_back(item == Item::kQuote ? quote.symbol.view() : to_string(fault));
    }
  }
  static std::string error_of(const std::string& path, const QuoteFile::Options& options = {}) {
    try {
      const QuoteFile file(path, options);
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }

  testing::TemporaryFolder folder_;
};

TEST_F(QuoteFileTest, ReadsCsvBehindItsHeader) {
  QuoteFile file(write("a.csv", "symbol,bid,ask,timestamp\nEURUSD,1,2,1700000000\n\nGBPUSD,2,1,1700000000\nUSDJPY\n"),
                 {});
  EXPECT_FALSE(file.is_empty());
  EXPECT_THAT(items(file), ::testing::ElementsAre("EURUSD", "crossed", "malformed"));
  EXPECT_EQ(file.line_number(), 5U);
  EXPECT_EQ(file.bytes_consumed(), file.size());
}

TEST_F(QuoteFileTest, ReadsJsonLinesFromTheFirstOn) {
  QuoteFile file(write("a.txt", R"({"symbol":"EURUSD","bid":1,"ask":2,"timestamp":1700000000})"
                                "\n"
                                R"({"symbol":"EURUSD","bid":1,"ask":2})"
                                "\n"),
                 {});
  EXPECT_THAT(items(file), ::testing::ElementsAre("EURUSD", "bad_timestamp"));
}

TEST_F(QuoteFileTest, TheFormatMayBeChosen) {
  QuoteFile file(write("a.csv", "nonsense\n"), {.format = InputFormat::kJsonLines});
  EXPECT_THAT(items(file), ::testing::ElementsAre("malformed"));
}

TEST_F(QuoteFileTest, ALongLineIsAFaultOfItsOwn) {
  QuoteFile file(write("a.csv", "symbol,bid,ask,timestamp\n" + std::string(200, 'x') + "\nEURUSD,1,2,1700000000\n"),
                 {.format = std::nullopt, .max_line_bytes = 100});
  EXPECT_THAT(items(file), ::testing::ElementsAre("line_too_long", "EURUSD"));
}

TEST_F(QuoteFileTest, AFirstLineThatIsTooLongIsAFaultToo) {
  QuoteFile file(write("a", std::string(200, 'x') + "\n"), {.format = std::nullopt, .max_line_bytes = 100});
  EXPECT_FALSE(file.is_empty());
  EXPECT_THAT(items(file), ::testing::ElementsAre("line_too_long"));
}

TEST_F(QuoteFileTest, AnEmptyFileAndAHeaderAloneHaveNoQuotes) {
  QuoteFile empty(write("a.csv", "\n \n"), {});
  EXPECT_TRUE(empty.is_empty());
  EXPECT_THAT(items(empty), ::testing::IsEmpty());
  QuoteFile header(write("b.csv", "symbol,bid,ask,timestamp\n"), {});
  EXPECT_FALSE(header.is_empty());
  EXPECT_THAT(items(header), ::testing::IsEmpty());
}

TEST_F(QuoteFileTest, AMissingColumnIsAConfigErrorThatNamesTheFile) {
  const std::string path = write("a.csv", "symbol,bid,ask\n");
  EXPECT_THROW(QuoteFile(path, {}), ConfigError);
  EXPECT_THAT(error_of(path), ::testing::StartsWith(path + ": "));
}

TEST_F(QuoteFileTest, WhatCannotBeOpenedIsAnError) {
  EXPECT_EQ(error_of(folder_ / "no"), "cannot open " + (folder_ / "no") + ": No such file or directory");
  EXPECT_THAT(error_of(folder_.path().string()), ::testing::HasSubstr("it is a folder"));
}

TEST_F(QuoteFileTest, OnlyRegularFilesWhenAsked) {
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path : {pipe, std::string("-"), std::string("/dev/zero"), folder_.path().string()}) {
    EXPECT_THAT(error_of(path, {.format = std::nullopt, .only_regular = true}),
                ::testing::HasSubstr("not a regular file"))
        << path;
  }
  EXPECT_EQ(error_of(write("a.csv", ""), {.format = std::nullopt, .only_regular = true}), "");
  EXPECT_THAT(error_of(folder_ / "no", {.format = std::nullopt, .only_regular = true}),
              ::testing::HasSubstr("No such file"));
}

}  // namespace
}  // namespace tickpipe::internal
