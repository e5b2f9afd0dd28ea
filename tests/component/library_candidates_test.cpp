#include "agent/dynlib/library_candidates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/support/loader_cache_text.h"
#include "tests/support/scratch_root.h"

namespace gpuassay {
namespace {

const std::vector<std::string> kCublas{"libcublas.so.13", "libcublas.so.12", "libcublas.so.11"};
const std::vector<std::string> kDriver{"libcuda.so.1"};

/// "kind path" of each candidate, the path below the root.
std::vector<std::string> found(const test::ScratchRoot& root, const std::vector<std::string>& sonames,
                               const LibraryEnvironment& environment = {}, const LibrarySearch& search = {}) {
  const std::string start = std::filesystem::canonical(root.path()).string();
  std::vector<std::string> lines;
  for (const auto& candidate : find_candidates(SystemRoot(root.path()), environment, search, sonames)) {
    EXPECT_EQ(candidate.path.rfind(start, 0), 0U) << candidate.path;
    lines.push_back(candidate.path_kind + " " + candidate.path.substr(std::min(start.size(), candidate.path.size())));
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(LibraryCandidates, EveryPlaceIsFoundInTheDocumentedOrder) {
  const test::ScratchRoot root;
  const Lines expected{"system /srv/own/libcublas.so.12",
                       "system /opt/vendor/libcublas.so.11",
                       "system /usr/lib/x86_64-linux-gnu/libcublas.so.12",
                       "cuda /usr/local/cuda-13.0/lib64/libcublas.so.13",
                       "cuda /usr/local/cuda-12.8/targets/x86_64-linux/lib/libcublas.so.12",
                       "conda /home/u/env/lib/libcublas.so.12",
                       "conda /opt/conda/lib/libcublas.so.11",
                       "python /venv/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12",
                       "torch /venv/lib/python3.12/site-packages/torch/lib/libcublas.so.11",
                       "python /opt/image/.venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcublas.so.13",
                       "python /home/u/.local/lib/python3.10/site-packages/nvidia/cu13/lib/libcublas.so.13",
                       "python /usr/local/lib/python3.12/dist-packages/nvidia/cublas/lib/libcublas.so.12",
                       "python /usr/lib/python3/dist-packages/nvidia/cublas/lib/libcublas.so.12",
                       "python /opt/tools/lib/python3.11/site-packages/nvidia/cublas/lib/libcublas.so.12"};
  for (const std::string& line : expected) root.write(line.substr(line.find(' ') + 1), "library");
  root.write("/etc/ld.so.cache",
             test::loader_cache_text({{"libcublas.so.11", "/opt/vendor/libcublas.so.11"},
                                      {"libcublas.so.12", "/usr/lib/x86_64-linux-gnu/libcublas.so.12"}}));
  EXPECT_EQ(found(root, kCublas,
                  {"/srv/own:relative", "/venv", "/home/u/env", "/home/u", "relative/bin:/opt/image/.venv/bin"}),
            (Lines{expected[0], expected[2], expected[1], expected[3], expected[4], expected[5], expected[6],
                   expected[7], expected[8], expected[9], expected[10], expected[11], expected[12], expected[13]}));
}

TEST(LibraryCandidates, StubsAreNeverListedAndCompatOnlyForTheDriver) {
  const test::ScratchRoot root;
  root.write("/usr/local/cuda/lib64/stubs/libcuda.so.1", "stub");
  root.write("/usr/local/cuda-13.0/compat/libcuda.so.1", "driver");
  root.write("/usr/local/cuda-13.0/compat/libcublas.so.13", "library");
  root.write("/usr/lib64-nvidia/libcuda.so.1", "driver");
  root.link("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "../../local/cuda/lib64/stubs/libcuda.so.1");
  const LibraryEnvironment environment{"/usr/local/cuda/lib64/stubs:/usr/local/cuda-13.0/compat", "", "", "", ""};
  EXPECT_EQ(found(root, kDriver, environment),
            (Lines{"cuda /usr/local/cuda-13.0/compat/libcuda.so.1", "system /usr/lib64-nvidia/libcuda.so.1"}));
  EXPECT_EQ(found(root, kCublas, environment), Lines{});
  const auto drivers = find_candidates(SystemRoot(root.path()), environment, {}, kDriver);
  ASSERT_EQ(drivers.size(), 2U);
  EXPECT_TRUE(drivers[0].compat);
  EXPECT_FALSE(drivers[1].compat);
}

TEST(LibraryCandidates, TheCompatPackageIsNotLookedForOnItsOwn) {
  const test::ScratchRoot root;
  root.write("/usr/local/cuda/compat/libcuda.so.1", "driver");
  EXPECT_EQ(found(root, kDriver), Lines{});
}

TEST(LibraryCandidates, OneFileUnderSeveralNamesIsOneCandidate) {
  const test::ScratchRoot root;
  root.write("/usr/local/cuda-12.8/lib64/libcublas.so.12.8.4.1", "library");
  root.link("/usr/local/cuda-12.8/lib64/libcublas.so.12", "libcublas.so.12.8.4.1");
  root.link("/usr/local/cuda", "cuda-12.8");
  root.link("/usr/lib/x86_64-linux-gnu/libcublas.so.12", "../../local/cuda/lib64/libcublas.so.12");
  EXPECT_EQ(found(root, kCublas).size(), 1U);
}

TEST(LibraryCandidates, PlacesOfColabKaggleAndWsl) {
  for (const char* folder : {"/usr/lib64-nvidia", "/usr/local/nvidia/lib64", "/usr/lib/wsl/lib", "/usr/lib64"}) {
    const test::ScratchRoot root;
    const std::string path = std::string(folder) + "/libcuda.so.1";
    root.write(path, "driver");
    EXPECT_EQ(found(root, kDriver), (Lines{"system " + path}));
  }
}

TEST(LibraryCandidates, AnOverrideDirectoryIsTakenAtItsWord) {
  const test::ScratchRoot root;
  const test::ScratchRoot own;
  root.write("/usr/lib/x86_64-linux-gnu/libcublas.so.12", "library");
  own.write("/libcublas.so.11", "library");
  const LibrarySearch search{{"/no/such/folder", own.path().string()}};
  const auto candidates = find_candidates(SystemRoot(root.path()), {}, search, kCublas);
  ASSERT_EQ(candidates.size(), 1U);
  EXPECT_EQ(candidates[0].path, (own.path() / "libcublas.so.11").string());
  EXPECT_EQ(candidates[0].path_kind, "override");
  // It has no driver: that one is searched as ever.
  root.write("/usr/lib64/libcuda.so.1", "driver");
  EXPECT_EQ(found(root, kDriver, {}, search), (Lines{"system /usr/lib64/libcuda.so.1"}));
}

TEST(LibraryCandidates, OnTheMachineAnUnknownNameIsLeftToTheLoader) {
  const auto candidates = find_candidates(SystemRoot(), {}, {}, {"libgpuassay_no_such.so.7"});
  ASSERT_EQ(candidates.size(), 1U);
  EXPECT_EQ(candidates[0].path, "libgpuassay_no_such.so.7");
  const test::ScratchRoot root;
  EXPECT_EQ(found(root, {"libgpuassay_no_such.so.7"}), Lines{});
}

TEST(LibraryCandidates, TheMachinesOwnLibrariesAreFoundThroughItsLoaderCache) {
  const auto candidates = find_candidates(SystemRoot(), {}, {}, {"libm.so.6"});
  ASSERT_FALSE(candidates.empty());
  EXPECT_EQ(candidates[0].path.front(), '/');
  EXPECT_EQ(candidates[0].path_kind, "system");
}

}  // namespace
}  // namespace gpuassay
