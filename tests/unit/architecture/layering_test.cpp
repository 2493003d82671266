// The folders under src/ are layers: this test reads every source file and fails where one reaches across, uses a
// library that has its home elsewhere, or does what library code must not do. The rules are the tables below.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace tickpipe::internal {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kParts = {"feed", "ingest", "shard", "store", "publish", "serve", "redis", "monitor"};

/// A library and the only folders that may include it.
struct LibraryHome {
  std::string_view include_prefix;  ///< what follows `<`
  std::vector<std::string> folders;
};

const std::vector<LibraryHome> kLibraryHomes = {
    {"rocksdb/", {"store"}},         {"simdjson", {"ingest"}}, {"date/", {"model"}},
    {"nlohmann/", {"app", "serve"}}, {"spdlog/", {"app"}},     {"CLI/", {"app"}},
    {"boost/", {"serve", "redis"}},  {"zlib.h", {"serve"}},    {"openssl/", {"serve"}},
    {"tickpipe/", {"library"}},      {"hiredis/", {"redis"}},
};

/// What internals throw is what users of the library catch.
constexpr std::string_view kSharedPublicHeader = "tickpipe/error.h";

/// Printing and ending the process belong to the program, not to the library: identifiers that only app may use.
const std::vector<std::string_view> kAppOnlyNames = {"cout", "cerr", "clog"};
const std::vector<std::string_view> kAppOnlyCalls = {"printf", "fprintf", "vprintf",    "vfprintf",
                                                     "puts",   "fputs",   "putchar",    "perror",
                                                     "exit",   "_exit",   "quick_exit", "_Exit"};

/// Wall time is read in one file. libstdc++'s high_resolution_clock is the system clock.
const std::vector<std::string_view> kWallClockNames = {"system_clock", "high_resolution_clock", "gettimeofday",
                                                       "CLOCK_REALTIME"};
constexpr std::string_view kWallClockFile = "core/clock.h";

constexpr std::size_t kMaxLines = 600;

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_known_folder(std::string_view folder) {
  return folder == "core" || folder == "model" || folder == "pipeline" || folder == "app" || folder == "library" ||
         contains(kParts, folder);
}

/// Whether code of folder `from` may include headers of folder `to`; both are known folders.
bool may_include(std::string_view from, std::string_view to) {
  if (from == to) return true;
  if (from == "app" || from == "library") return to != "app" && to != "library";
  if (from == "core") return false;
  if (from == "model") return to == "core";
  if (from == "pipeline") return to != "app" && to != "library";
  return to == "core" || to == "model";
}

bool is_word_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

bool starts_with_digit(std::string_view word) {
  return !word.empty() && std::isdigit(static_cast<unsigned char>(word.front())) != 0;
}

/// `text` with the inside of comments and of string and character literals replaced by spaces. Line breaks stay, so
/// line numbers and columns are those of the original.
std::string blank_comments_and_literals(std::string_view text) {
  std::string out(text);
  std::size_t i = 0;
  const auto blank_to = [&](std::size_t end) {
    for (end = std::min(end, text.size()); i < end; ++i) {
      if (text[i] != '\n') out[i] = ' ';
    }
  };
  // The end of what starts at `from` and ends in `closing`, or of the text.
  const auto after = [&](std::string_view closing, std::size_t from) {
    const std::size_t at = text.find(closing, from);
    return at == std::string_view::npos ? text.size() : at + closing.size();
  };
  std::size_t word_start = 0;  // of the identifier or number that ends at `i`
  while (i < text.size()) {
    const char c = text[i];
    if (i == 0 || !(is_word_char(text[i - 1]) || text[i - 1] == '\'')) word_start = i;
    const std::string_view word = text.substr(word_start, i - word_start);
    if (text.substr(i, 2) == "//") {
      blank_to(text.find('\n', i));
    } else if (text.substr(i, 2) == "/*") {
      blank_to(after("*/", i + 2));
    } else if (c == '"' && word.ends_with('R')) {
      const std::size_t open = text.find('(', i);
      if (open == std::string_view::npos) return out;
      std::string closing(1, ')');
      closing.append(text.substr(i + 1, open - i - 1)).append(1, '"');
      const std::size_t end = after(closing, open);
      ++i;
      blank_to(end - 1);
      ++i;
    } else if (c == '"' || (c == '\'' && !starts_with_digit(word))) {  // after a digit it separates digits
      std::size_t end = i + 1;
      while (end < text.size() && text[end] != c && text[end] != '\n') end += text[end] == '\\' ? 2u : 1u;
      ++i;
      blank_to(end);
      ++i;
    } else {
      ++i;
    }
  }
  return out;
}

/// Lines without their ends; a last line without a line break counts too.
std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

/// Whether `code` uses `name` as a whole identifier; with `call`, only where `(` follows and it is no member's name.
bool uses(std::string_view code, std::string_view name, bool call) {
  for (std::size_t at = code.find(name); at != std::string_view::npos; at = code.find(name, at + 1)) {
    const std::string_view before = code.substr(0, at);
    std::string_view rest = code.substr(at + name.size());
    if (!before.empty() && is_word_char(before.back())) continue;
    if (!rest.empty() && is_word_char(rest.front())) continue;
    if (!call) return true;
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (rest.starts_with('(') && !before.ends_with('.') && !before.ends_with("->")) return true;
  }
  return false;
}

struct Include {
  bool quoted = false;
  std::string path;
};

/// The include directive of a line, or an empty path. `code` is the line with comments and literals blanked.
Include parse_include(std::string_view code, std::string_view original) {
  std::size_t at = code.find_first_not_of(" \t");
  if (at == std::string_view::npos || code[at] != '#') return {};
  at = code.find_first_not_of(" \t", at + 1);
  if (at == std::string_view::npos || !code.substr(at).starts_with("include")) return {};
  at = code.find_first_not_of(" \t", at + std::string_view("include").size());
  if (at == std::string_view::npos || (code[at] != '"' && code[at] != '<')) return {};
  const bool quoted = code[at] == '"';
  const std::size_t end = original.find(quoted ? '"' : '>', at + 1);
  if (end == std::string_view::npos) return {};
  return {quoted, std::string(original.substr(at + 1, end - at - 1))};
}

/// Checks a tree of sources against the rules above.
class LayerChecker {
 public:
  explicit LayerChecker(fs::path src) : src_(std::move(src)) {}

  /// Reads every file and returns what is wrong, as `file:line: message` with the file relative to the folder.
  std::vector<std::string> check() {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(src_)) {
      if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(src_));
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      if (file.filename() != "CMakeLists.txt") check_file(file);
    }
    return std::move(violations_);
  }

  /// Source files that were read.
  [[nodiscard]] std::size_t file_count() const { return file_count_; }

 private:
  void check_file(const fs::path& file) {
    file_ = file.generic_string();
    line_ = 1;
    const std::string extension = file.extension().string();
    if (extension != ".h" && extension != ".cpp") return report("only .h, .cpp and CMakeLists.txt belong under src/");
    folder_ = file.begin()->string();
    if (!file.has_parent_path() || !is_known_folder(folder_)) return report("not in one of the known folders");
    ++file_count_;

    std::ifstream stream(src_ / file, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    const std::string blanked = blank_comments_and_literals(text);
    const auto originals = split_lines(text);
    const auto lines = split_lines(blanked);
    if (extension == ".h" && (originals.empty() || originals.front() != "#pragma once")) {
      report("a header starts with #pragma once");
    }
    for (line_ = 1; line_ <= lines.size(); ++line_) check_line(lines[line_ - 1], originals[line_ - 1]);
    if (lines.size() > kMaxLines) {
      line_ = kMaxLines + 1;
      report("the file has " + std::to_string(lines.size()) + " lines, more than " + std::to_string(kMaxLines));
    }
  }

  void check_line(std::string_view code, std::string_view original) {
    if (const Include include = parse_include(code, original); !include.path.empty()) {
      if (include.quoted) {
        check_own_header(include.path);
      } else {
        check_library_header(include.path);
      }
    }
    if (folder_ != "app") {
      for (const auto name : kAppOnlyNames) {
        if (uses(code, name, false)) report("library code does not print: " + std::string(name));
      }
      for (const auto name : kAppOnlyCalls) {
        if (uses(code, name, true)) report("library code neither prints nor exits: " + std::string(name) + "()");
      }
    }
    if (file_ != kWallClockFile) {
      for (const auto name : kWallClockNames) {
        if (uses(code, name, false)) report("wall time comes from a Clock, not from " + std::string(name));
      }
    }
  }

  void check_own_header(const std::string& path) {
    const fs::path target(path);
    if (target.lexically_normal() != target || path.starts_with("..") || !fs::is_regular_file(src_ / target)) {
      return report("\"" + path + "\" is not a file under src/");
    }
    const std::string to = target.begin()->string();
    if (!is_known_folder(to) || !may_include(folder_, to)) report(folder_ + " must not include \"" + path + "\"");
  }

  void check_library_header(const std::string& path) {
    if (fs::is_regular_file(src_ / path)) report("headers of src/ are included with quotes: <" + path + ">");
    for (const auto& library : kLibraryHomes) {
      const bool is_shared = path == kSharedPublicHeader && folder_ == "core";
      if (path.starts_with(library.include_prefix) && !contains(library.folders, folder_) && !is_shared) {
        report("<" + path + "> is only for " + library.folders.front());
      }
    }
  }

  void report(const std::string& message) {
    violations_.push_back(file_ + ":" + std::to_string(line_) + ": " + message);
  }

  const fs::path src_;
  std::size_t file_count_ = 0;
  std::vector<std::string> violations_;
  // Where the check is.
  std::string file_;
  std::string folder_;
  std::size_t line_ = 0;
};

TEST(LayeringTest, SourcesKeepToTheirLayers) {
  const fs::path src = fs::path(TICKPIPE_SOURCE_DIR) / "src";
  LayerChecker checker(src);
  const auto violations = checker.check();
  for (const auto& violation : violations) ADD_FAILURE() << "src/" << violation;
  EXPECT_GT(checker.file_count(), 0u) << "no sources under " << src;
}

/// A source tree in a temporary folder, gone with the object.
class SyntheticTree {
 public:
  SyntheticTree() {
    static int count = 0;
    root_ = fs::path(testing::TempDir()) / ("layering-" + std::to_string(getpid()) + "-" + std::to_string(++count));
    if (!fs::create_directory(root_)) throw std::runtime_error(root_.string() + " exists already");
    write("core/price.h", "#pragma once\n");
    write("model/tick.h", "#pragma once\n#include \"core/price.h\"\n");
    write("shard/shard.h", "#pragma once\n#include \"core/price.h\"\n#include \"model/tick.h\"\n");
    write("store/store.h", "#pragma once\n#include <rocksdb/db.h>\n#include \"model/tick.h\"\n");
    write("pipeline/pipeline.h", "#pragma once\n#include \"shard/shard.h\"\n#include \"store/store.h\"\n");
    write("library/engine.h", "#pragma once\n#include <tickpipe/tick.h>\n#include \"pipeline/pipeline.h\"\n");
    write("core/error.h", "#pragma once\n#include <tickpipe/error.h>\n");
    write("app/main.cpp",
          "#include <CLI/CLI.hpp>\n#include \"pipeline/pipeline.h\"\nint main() { std::puts(\"\"); }\n");
    write("core/CMakeLists.txt", "tickpipe_library(core)\n");
  }
  ~SyntheticTree() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  SyntheticTree(const SyntheticTree&) = delete;
  SyntheticTree& operator=(const SyntheticTree&) = delete;

  void write(const fs::path& file, std::string_view text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file, std::ios::binary) << text;
  }
  [[nodiscard]] std::vector<std::string> violations() const { return LayerChecker(root_).check(); }

 private:
  fs::path root_;
};

TEST(LayerCheckerTest, AcceptsATreeThatKeepsTheRules) { EXPECT_THAT(SyntheticTree().violations(), testing::IsEmpty()); }

struct Violation {
  std::string name;
  std::string file;
  std::string text;
  std::string expected;  ///< the one violation, from its start

  friend std::ostream& operator<<(std::ostream& out, const Violation& violation) { return out << violation.file; }
};

class LayerCheckerFindsTest : public testing::TestWithParam<Violation> {};

TEST_P(LayerCheckerFindsTest, TheViolationAndNothingElse) {
  const SyntheticTree tree;
  tree.write(GetParam().file, GetParam().text);
  EXPECT_THAT(tree.violations(), testing::ElementsAre(testing::StartsWith(GetParam().expected)));
}

INSTANTIATE_TEST_SUITE_P(
    All, LayerCheckerFindsTest,
    testing::Values(
        Violation{"CoreIncludesModel", "core/a.cpp", "\n#include \"model/tick.h\"\n", "core/a.cpp:2: core must not"},
        Violation{"ModelIncludesAPart", "model/a.cpp", "#include \"shard/shard.h\"\n", "model/a.cpp:1: model must not"},
        Violation{"PartIncludesAnotherPart", "shard/a.cpp", "#include \"shard/shard.h\"\n#include \"store/store.h\"\n",
                  "shard/a.cpp:2: shard must not include \"store/store.h\""},
        Violation{"PartIncludesPipeline", "store/a.cpp", "  #  include \"pipeline/pipeline.h\"\n",
                  "store/a.cpp:1: store must not"},
        Violation{"NestedFolderOfAPart", "redis/edge/a.cpp", "#include \"store/store.h\"\n",
                  "redis/edge/a.cpp:1: redis must not"},
        Violation{"PipelineIncludesApp", "pipeline/a.cpp", "#include \"app/main.cpp\"\n",
                  "pipeline/a.cpp:1: pipeline must not"},
        Violation{"PipelineIncludesTheLibrary", "pipeline/a.cpp", "#include \"library/engine.h\"\n",
                  "pipeline/a.cpp:1: pipeline must not"},
        Violation{"AppIncludesTheLibrary", "app/a.cpp", "#include \"library/engine.h\"\n", "app/a.cpp:1: app must not"},
        Violation{"LibraryIncludesApp", "library/a.cpp", "#include \"app/main.cpp\"\n",
                  "library/a.cpp:1: library must not"},
        Violation{"PublicHeaderInAPart", "store/a.cpp", "#include <tickpipe/tick.h>\n", "store/a.cpp:1: <tickpipe/"},
        Violation{"IncludeAfterAComment", "core/a.cpp", "/* why */ #include \"model/tick.h\"  // how\n",
                  "core/a.cpp:1: core must not"},
        Violation{"UnresolvedInclude", "model/a.cpp", "#include \"core/prise.h\"\n",
                  "model/a.cpp:1: \"core/prise.h\" is not a file"},
        Violation{"IncludeBesideTheFile", "core/a.cpp", "#include \"price.h\"\n", "core/a.cpp:1: \"price.h\" is not"},
        Violation{"IncludeThroughTheParent", "shard/a.cpp", "#include \"../store/store.h\"\n",
                  "shard/a.cpp:1: \"../store/store.h\" is not"},
        Violation{"IncludeByADetour", "shard/a.cpp", "#include \"shard/../core/price.h\"\n",
                  "shard/a.cpp:1: \"shard/../core/price.h\" is not"},
        Violation{"OwnHeaderInAngleBrackets", "shard/a.cpp", "#include <core/price.h>\n",
                  "shard/a.cpp:1: headers of src/ are included with quotes"},
        Violation{"UnknownFolder", "util/a.cpp", "\n", "util/a.cpp:1: not in one of the known folders"},
        Violation{"FileOutsideEveryFolder", "a.cpp", "\n", "a.cpp:1: not in one of the known folders"},
        Violation{"OtherExtension", "core/a.hpp", "#pragma once\n", "core/a.hpp:1: only .h, .cpp"},
        Violation{"RocksDbInAShard", "shard/a.cpp", "#include <rocksdb/db.h>\n", "shard/a.cpp:1: <rocksdb/db.h>"},
        Violation{"SimdjsonInTheModel", "model/a.cpp", "#include <simdjson.h>\n", "model/a.cpp:1: <simdjson.h>"},
        Violation{"DateInTheCore", "core/a.cpp", "#include <date/tz.h>\n", "core/a.cpp:1: <date/tz.h>"},
        Violation{"NlohmannInIngest", "ingest/a.cpp", "#include <nlohmann/json.hpp>\n", "ingest/a.cpp:1: <nlohmann/"},
        Violation{"SpdlogInThePipeline", "pipeline/a.cpp", "#include <spdlog/spdlog.h>\n", "pipeline/a.cpp:1: <spdlog"},
        Violation{"CliInThePipeline", "pipeline/a.cpp", "#include <CLI/CLI.hpp>\n", "pipeline/a.cpp:1: <CLI/CLI.hpp>"},
        Violation{"OpensslInTheStore", "store/a.cpp", "#include <openssl/evp.h>\n", "store/a.cpp:1: <openssl/"},
        Violation{"PrintsToCout", "shard/a.cpp", "void f() {\n  std::cout << 1;\n}\n", "shard/a.cpp:2: library code"},
        Violation{"Printf", "shard/a.cpp", "void f() { std::printf (\"x\"); }\n", "shard/a.cpp:1: library code"},
        Violation{"Exit", "pipeline/a.cpp", "void f() { exit(1); }\n", "pipeline/a.cpp:1: library code"},
        Violation{"SystemClock", "app/a.cpp", "auto t = std::chrono::system_clock::now();\n",
                  "app/a.cpp:1: wall time comes from a Clock"},
        Violation{"CodeAfterADigitSeparator", "core/a.cpp",
                  "int a = 1'000; auto t = system_clock::now(); char c = 'x';\n", "core/a.cpp:1: wall time"},
        Violation{"CodeAfterARawString", "core/a.cpp", "auto a = R\"x(\"))x\"; void f() { exit(1); }\n",
                  "core/a.cpp:1: library code"},
        Violation{"NoPragmaOnce", "core/a.h", "\n#pragma once\n", "core/a.h:1: a header starts with"},
        Violation{"TooManyLines", "core/a.cpp", std::string(kMaxLines + 1, '\n'),
                  "core/a.cpp:601: the file has 601 lines"}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(LayerCheckerTest, IgnoresCommentsLiteralsAndNamesThatOnlyLookAlike) {
  const SyntheticTree tree;
  tree.write("core/a.cpp", R"--(// #include "model/tick.h"
/* as in
#include "model/tick.h"
printf(system_clock) */
const char* a = "std::cout // exit(1) /* system_clock";
const char* b = "\" printf( '";
const char c = '"';
const char* d = R"x(
#include "model/tick.h"
" exit(1) )")x";
constexpr long e = 1'000'000;  // don't exit()
void f() { std::snprintf(g, 1, "x"); on_exit(); loop.exit(); file_system_clock(); exit_code = 1; cout_ = 2; }
)--");
  EXPECT_THAT(tree.violations(), testing::IsEmpty());
}

TEST(LayerCheckerTest, AllowsAWallClockAndPrintingWhereTheyBelong) {
  const SyntheticTree tree;
  tree.write("core/clock.h", "#pragma once\nauto t = std::chrono::system_clock::now();\n");
  tree.write("app/print.cpp", "void f() { std::cout << 1; std::printf(\"\"); exit(2); }\n");
  tree.write("core/long.cpp", std::string(kMaxLines, '\n'));
  EXPECT_THAT(tree.violations(), testing::IsEmpty());
}

TEST(LayerCheckerTest, ReportsEveryViolationInOrder) {
  const SyntheticTree tree;
  tree.write("core/a.h", "#include \"model/tick.h\"\n");
  tree.write("core/b.cpp", "#include <date/tz.h>\n#include \"no.h\"\n");
  EXPECT_THAT(tree.violations(),
              testing::ElementsAre(testing::StartsWith("core/a.h:1: a header"), testing::StartsWith("core/a.h:1: core"),
                                   testing::StartsWith("core/b.cpp:1: <date/tz.h>"),
                                   testing::StartsWith("core/b.cpp:2: \"no.h\"")));
}

}  // namespace
}  // namespace tickpipe::internal
