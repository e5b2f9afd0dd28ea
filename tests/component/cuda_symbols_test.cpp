// Are the tables of exported names right? They agree with the declarations and with the comparison against the headers,
// and the real libraries export every required one, as far as real libraries, or lists of their names, are here.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "agent/dynlib/cublas.h"
#include "agent/dynlib/cublaslt.h"
#include "agent/dynlib/cuda_driver.h"
#include "agent/dynlib/cudnn.h"
#include "agent/dynlib/nccl.h"
#include "agent/dynlib/nvml.h"

namespace gpuassay {
namespace {

namespace fs = std::filesystem;

struct Table {
  std::string header;           ///< of agent/dynlib, without .h
  std::string file_name_start;  ///< of the library's files
  std::vector<SymbolName> names;
};

std::vector<Table> tables() {
  return {{"cuda_driver", "libcuda.so", cuda::symbol_names()}, {"nvml", "libnvidia-ml.so", nvml::symbol_names()},
          {"cublas", "libcublas.so", cublas::symbol_names()},  {"cublaslt", "libcublasLt.so", cublaslt::symbol_names()},
          {"cudnn", "libcudnn.so", cudnn::symbol_names()},     {"nccl", "libnccl.so", nccl::symbol_names()}};
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> matches(const std::string& text, const char* pattern) {
  const std::regex expression(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at) found.push_back((*at)[1]);
  return found;
}

std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names(table.names.size());
  std::transform(table.names.begin(), table.names.end(), names.begin(),
                 [](const SymbolName& symbol) { return std::string(symbol.name); });
  return names;
}

class Symbols : public ::testing::TestWithParam<std::size_t> {
 protected:
  const Table table_ = tables()[GetParam()];
};

INSTANTIATE_TEST_SUITE_P(EveryLibrary, Symbols, ::testing::Range<std::size_t>(0, tables().size()),
                         [](const auto& instance) { return tables()[instance.param].header; });

TEST_P(Symbols, EveryDeclaredFunctionIsBoundUnderItsOwnName) {
  const fs::path folder = fs::path(GPUASSAY_SOURCE_DIR) / "agent/dynlib";
  std::string header = text_of(folder / (table_.header + ".h"));
  header = header.substr(header.find("struct Api {"));
  header = header.substr(0, header.find("\n};"));
  EXPECT_EQ(names_of(table_), matches(header, "\\(\\*(\\w+)\\)\\("));

  const std::string source = text_of(folder / (table_.header + ".cpp"));
  const auto quoted = matches(source, "visit\\(\"(\\w+)\", api\\.\\w+\\)");
  EXPECT_EQ(names_of(table_), quoted);
  EXPECT_EQ(quoted, matches(source, "visit\\(\"\\w+\", api\\.(\\w+)\\)"));
}

TEST_P(Symbols, EveryDeclaredFunctionIsComparedWithTheHeaders) {
  const fs::path test = fs::path(GPUASSAY_SOURCE_DIR) / "tests/component" / (table_.header + "_abi_test.cpp");
  const auto compared = matches(text_of(test), "static_assert\\(\\s*kSame<&Api::(\\w+)");
  const auto names = names_of(table_);
  EXPECT_EQ(std::set(names.begin(), names.end()), std::set(compared.begin(), compared.end()));
}

/// Names a linker may share the text of: "ncclX" is stored as the end of "pncclX".
bool has_name_ending_in(const std::vector<std::string>& names, std::string_view wanted) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return name.size() >= wanted.size() && std::string_view(name).substr(name.size() - wanted.size()) == wanted;
  });
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// What the library exports, read from its file: a stub of the driver must not be loaded.
std::vector<std::string> exports_of(const fs::path& library) {
  const std::string command = "nm -D --defined-only --format=posix '" + library.string() + "' 2>/dev/null";
  // A shell, as there is no reader of ELF in the project; the paths are fixed folders of this machine, nobody's input.
  // NOLINTNEXTLINE(bugprone-command-processor)
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string text;
  char part[4096];
  while (pipe && std::fgets(part, sizeof part, pipe.get()) != nullptr) text += part;
  std::vector<std::string> names;
  for (const std::string& line : lines_of(text)) names.push_back(line.substr(0, line.find_first_of(" @")));
  return names;
}

/// Calls check(path) for each file of the folder that is the table's library; how many there were.
int for_each_library(const fs::path& folder, const Table& table, const std::function<void(const fs::path&)>& check) {
  int count = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().rfind(table.file_name_start, 0) != 0) continue;
    check(entry.path());
    ++count;
  }
  return count;
}

/// Lists of exported names: of the oldest and a middle driver, recorded here (what `nm -D` prints of the libraries in
/// Debian's packages), and of the other libraries, as setup took them from the starts of the published ones.
std::vector<fs::path> folders_of_names() {
  const fs::path root(GPUASSAY_SOURCE_DIR);
  return {root / "tests/support/driver_exports", root / ".cache/cuda-headers/11.8/exports",
          root / ".cache/cuda-headers/13.0/exports"};
}

TEST_P(Symbols, PublishedLibrariesHaveTheRequiredNames) {
  int checked = 0;
  for (const fs::path& folder : folders_of_names()) {
    checked += for_each_library(folder, table_, [&](const fs::path& path) {
      const auto names = lines_of(text_of(path));
      for (const SymbolName& symbol : table_.names) {
        if (!symbol.required) continue;
        EXPECT_TRUE(has_name_ending_in(names, symbol.name)) << path.filename() << ' ' << symbol.name;
      }
    });
  }
  // Those of the driver and NVML are in the repository; the others are fetched by setup and may not be reachable.
  if (checked == 0) GTEST_SKIP() << "no list of the names of " << table_.file_name_start << " here";
}

TEST_P(Symbols, InstalledLibrariesExportTheRequiredNames) {
  int checked = 0;
  for (const char* folder : {"/usr/local/cuda/lib64", "/usr/local/cuda/lib64/stubs", "/usr/lib/x86_64-linux-gnu"}) {
    checked += for_each_library(folder, table_, [&](const fs::path& path) {
      const auto names = exports_of(path);
      for (const SymbolName& symbol : table_.names) {
        if (!symbol.required) continue;
        EXPECT_NE(std::find(names.begin(), names.end(), symbol.name), names.end()) << path << ' ' << symbol.name;
      }
    });
  }
  // The real libraries are several hundred MB each: looked at where a machine has them, never installed for this.
  if (checked == 0) GTEST_SKIP() << table_.file_name_start << " is not installed";
}

}  // namespace
}  // namespace gpuassay
