// Damaged files: found, named, never served, repaired as far as can be.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <random>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "support/server_fixture.h"

namespace tickpipe::internal::testing {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

const std::vector<std::string> kSymbols = {"EURUSD", "USDJPY", "XAUUSD"};

class DamageTest : public ServerTest {
 protected:
  void SetUp() override {
    // Two loads, so that the second start writes tables of what the first one has only logged.
    std::mt19937_64 random(4);
    for (int part = 0; part < 2; ++part) {
      std::string lines = "timestamp_ns,symbol,bid,ask\n";
      for (int i = 0; i < 120'000; ++i) {
        const std::int64_t time = 1'770'033'600'000'000'000 + (part * 120'000LL + i) * 10'000'000;
        const auto cents = random() % 10'000;
        lines +=
            std::to_string(time) + "," + kSymbols[random() % 3] + ",1." + std::to_string(10'000 + cents) + ",1.3\n";
      }
      backfill({file("part" + std::to_string(part) + ".csv", lines)});
    }
    serve()->stop();
    for (const std::string& symbol : kSymbols) {
      ticks_[symbol] = lines_of(exported("ticks", symbol));
      bars_[symbol] = exported("bars", symbol);
    }
    epoch_ = epoch_of(data());
    ASSERT_EQ(check(data()).out.substr(0, 4), "ok: ");
  }

  Result check(const std::string& dir) { return run({"check-data", "--data-dir", dir}); }
  std::string epoch_of(const std::string& dir) {
    const auto server = serve({"--data-dir", dir});
    std::string epoch = server->json("/api/pipeline/stats").at("epoch");
    server->stop();
    return epoch;
  }
  std::string export_from(const std::string& dir, const std::string& what, const std::string& symbol) {
    const Result result = run({"export", what, "--symbol", symbol, "--data-dir", dir});
    EXPECT_EQ(result.status, 0) << result.err;
    return result.out;
  }

  /// How often a bar was corrected is lost with it; what it is made of is not.
  static std::vector<std::string> without_revisions(const std::string& bars) {
    std::vector<std::string> lines = lines_of(bars);
    for (std::string& line : lines) {
      const std::size_t last = line.rfind(',');
      const std::size_t before = line.rfind(',', last - 1);
      line.erase(before, last - before);
    }
    return lines;
  }

  std::string copy() {
    std::string dir = folder_ / "copy" + std::to_string(++copies_);
    fs::copy(data(), dir, fs::copy_options::recursive);
    return dir;
  }
  /// The greatest file of that kind that has `text` in it.
  static fs::path greatest(const std::string& dir, const std::string& extension, const std::string& text = "") {
    fs::path found;
    for (const auto& entry : fs::directory_iterator(dir + "/db")) {
      if (entry.path().extension() == extension && read_file(entry.path()).find(text) != std::string::npos &&
          (found.empty() || entry.file_size() > fs::file_size(found))) {
        found = entry.path();
      }
    }
    return found;
  }
  static void flip(const fs::path& path, std::size_t at) {
    std::string content = read_file(path);
    content[at] = static_cast<char>(content[at] ^ 0x20);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  }

  /// Repairs what must be damaged, and compares what it says is lost with what is not there any more.
  std::uint64_t repair_and_compare(const std::string& dir) {
    const Result result = run({"repair", "--data-dir", dir});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_NE(result.out.find("damaged: "), std::string::npos) << result.out;
    std::map<std::string, std::set<std::uint64_t>> lost;
    std::uint64_t lost_count = 0;
    const std::regex range("^lost: ([A-Z]+): seq ([0-9]+)( to ([0-9]+))?");
    for (const std::string& line : lines_of(result.out)) {
      std::smatch match;
      if (!std::regex_search(line, match, range)) continue;
      const std::uint64_t last = std::stoull(match[4].matched ? match[4] : match[2]);
      for (std::uint64_t seq = std::stoull(match[2]); seq <= last; ++seq, ++lost_count) lost[match[1]].insert(seq);
    }
    for (const std::string& symbol : kSymbols) {
      std::vector<std::string> wanted;
      for (const std::string& line : ticks_.at(symbol)) {
        const std::string seq = fields_of(line).at(5);
        if (seq == "seq" || !lost[symbol].contains(std::stoull(seq))) wanted.push_back(line);
      }
      EXPECT_EQ(lines_of(export_from(dir, "ticks", symbol)), wanted) << symbol;
      EXPECT_EQ(without_revisions(export_from(dir, "bars", symbol)), without_revisions(bars_.at(symbol))) << symbol;
    }
    EXPECT_EQ(check(dir).status, 0) << check(dir).out;
    EXPECT_NE(run({"repair", "--data-dir", dir}).out.find("nothing to repair"), std::string::npos);
    const std::string epoch = epoch_of(dir);
    EXPECT_NE(epoch, epoch_);
    EXPECT_EQ(epoch_of(dir), epoch);
    EXPECT_EQ(check(dir).status, 0);
    return lost_count;
  }
  void expect_named(const std::string& dir, const fs::path& file) {
    const Result result = check(dir);
    EXPECT_EQ(result.status, 1);
    EXPECT_NE(result.out.find(file.string()), std::string::npos) << result.out;
  }

  std::map<std::string, std::vector<std::string>> ticks_;
  std::map<std::string, std::string> bars_;
  std::string epoch_;
  int copies_ = 0;
};

TEST_F(DamageTest, AFlippedBitInATableIsNamedNeverServedAndCostsLittle) {
  const std::string dir = copy();
  const fs::path table = greatest(dir, ".sst", "ticks");  // the name of the column family
  for (const std::size_t part : {2U, 5U, 9U}) flip(table, fs::file_size(table) / 10 * part);
  expect_named(dir, table);

  const Result refused = run({"export", "ticks", "--symbol", "USDJPY", "--data-dir", dir});
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find(table.filename().string()), std::string::npos) << refused.err;
  {
    const auto server = serve({"--data-dir", dir});
    std::size_t errors = 0;
    for (const std::string& symbol : kSymbols) {
      const HttpReply reply = server->get("/api/quotes/history/" + symbol + "?order=asc&limit=10000");
      if (reply.status == 200) {
        std::size_t row = 0;
        for (const RawMembers& quote : raw_objects(reply.body)) {
          const auto fields = fields_of(ticks_.at(symbol).at(++row));
          ASSERT_EQ(quote.at("tick_id"), symbol + "-" + fields.at(5));
          ASSERT_EQ(quote.at("bid"), fields.at(2));
        }
      } else {
        EXPECT_GE(reply.status, 500);
        ++errors;
      }
    }
    EXPECT_GT(errors, 0U) << "no damage was met: nothing was tested";
    server->stop();
  }
  const std::uint64_t lost = repair_and_compare(dir);
  EXPECT_GT(lost, 0U);
  EXPECT_LT(lost, 60'000U) << "more than the damaged blocks is lost";
  EXPECT_EQ(fs::exists(dir + "/db.repaired"), false);
  EXPECT_EQ(fs::exists(dir + "/db.salvaged"), false);
}

TEST_F(DamageTest, ATruncatedTableIsNamedAndAllElseIsKept) {
  const std::string dir = copy();
  const fs::path table = greatest(dir, ".sst", "ticks");  // the name of the column family
  fs::resize_file(table, fs::file_size(table) / 2);
  expect_named(dir, table);
  EXPECT_EQ(serve_and_end({"--data-dir", dir}).status, 1);
  EXPECT_GT(repair_and_compare(dir), 0U);
}

TEST_F(DamageTest, ATableThatIsGoneIsNamed) {
  const std::string dir = copy();
  const fs::path table = greatest(dir, ".sst", "ticks");  // the name of the column family
  fs::remove(table);
  const Result result = check(dir);
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.out.find(table.stem().string()), std::string::npos) << result.out;
  repair_and_compare(dir);
}

TEST_F(DamageTest, EveryTableMayBeDamagedNearItsBegin) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(data() + "/db")) {
    if (entry.path().extension() == ".sst") names.push_back(entry.path().filename());
  }
  ASSERT_GE(names.size(), 4U);
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    const std::string dir = copy();
    flip(dir + "/db/" + name, 20);
    expect_named(dir, dir + "/db/" + name);
    repair_and_compare(dir);
    fs::remove_all(dir);
  }
}

TEST_F(DamageTest, WithoutItsManifestEverythingIsStillThere) {
  const std::string dir = copy();
  for (const auto& entry : fs::directory_iterator(dir + "/db")) {
    if (entry.path().filename().string().starts_with("MANIFEST")) fs::remove(entry.path());
  }
  EXPECT_EQ(check(dir).status, 1);
  EXPECT_EQ(serve_and_end({"--data-dir", dir}).status, 1);
  EXPECT_EQ(repair_and_compare(dir), 0U);
}

TEST_F(DamageTest, CommitsBehindADamagedOneInTheLogAreKept) {
  const std::string dir = folder_ / "logged";
  std::string body;
  {
    const auto server = serve({"--data-dir", dir});
    for (int i = 0; i < 300; ++i) {
      const std::string quote = R"({"symbol":"EURUSD","bid":1.1,"ask":1.2,"timestamp_ns":)" +
                                std::to_string(1'770'033'600'000'000'000 + i) + "}";
      ASSERT_EQ(server->ingest(quote, true).at("accepted"), 1);
    }
    server->kill();
  }
  const std::string all = export_from(dir, "ticks", "EURUSD");
  ASSERT_EQ(lines_of(all).size(), 301U);
  const fs::path log = greatest(dir, ".log");
  flip(log, fs::file_size(log) / 2);
  expect_named(dir, log);
  const Result refused = serve_and_end({"--data-dir", dir});
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find(log.string() + " is damaged at byte "), std::string::npos) << refused.err;

  const Result repaired = run({"repair", "--data-dir", dir});
  EXPECT_EQ(repaired.status, 0) << repaired.err;
  EXPECT_NE(repaired.out.find("lost: EURUSD: seq "), std::string::npos) << repaired.out;
  EXPECT_GE(lines_of(export_from(dir, "ticks", "EURUSD")).size(), 299U) << "one commit is damaged";
  const Result checked = check(dir);
  EXPECT_EQ(checked.status, 0);
  EXPECT_NE(checked.out.find("was lost before an earlier repair"), std::string::npos) << checked.out;

  // The seq of what is lost is not given again.
  const auto server = serve({"--data-dir", dir});
  EXPECT_EQ(server->ingest(R"({"symbol":"EURUSD","bid":1.1,"ask":1.2,"timestamp_ns":1770033600000009999})", true)
                .at("accepted"),
            1);
  EXPECT_EQ(server->json("/api/quotes/latest/EURUSD").at("tick_id"), "EURUSD-301");
  server->stop();
}

TEST_F(DamageTest, ASoundStoreIsLeftAlone) {
  const Result result = run({"repair", "--data-dir", data()});
  EXPECT_EQ(result.status, 0);
  EXPECT_TRUE(result.out.starts_with("ok: nothing to repair: ")) << result.out;
  EXPECT_EQ(epoch_of(data()), epoch_);
  const auto server = serve();
  for (const char* command : {"check-data", "repair"}) {
    const Result refused = run({command, "--data-dir", data()});
    EXPECT_EQ(refused.status, 1);
    EXPECT_NE(refused.err.find("is in use by process"), std::string::npos) << refused.err;
    EXPECT_EQ(run({command, "--data-dir", folder_ / "nothing"}).status, 1);
  }
  server->stop();
}

}  // namespace
}  // namespace tickpipe::internal::testing
