#include "agent/dynlib/library_support.h"

#include <gtest/gtest.h>

#include <map>

#include "agent/dynlib/library_choice.h"

namespace gpuassay {
namespace {

VersionedLibrary copy(const char* path_kind, LibraryVersion version, int cuda_major) {
  return {
      {"lib.so", std::string("/") + path_kind + "/" + version.text(), path_kind, false}, version, cuda_major, false};
}

/// The versions of one library's generations that the images of clouds carry, as built.
std::vector<VersionedLibrary> every_cublas() {
  return {copy("system", {11, 6, 1}, 11), copy("system", {11, 11, 3}, 11), copy("python", {12, 1, 3}, 12),
          copy("python", {12, 8, 4}, 12), copy("cuda", {13, 1, 0}, 13)};
}
std::vector<VersionedLibrary> every_cudnn() {
  return {copy("system", {8, 5, 0}, 11), copy("system", {8, 7, 0}, 11),  copy("conda", {8, 9, 7}, 12),
          copy("system", {9, 8, 0}, 12), copy("python", {9, 10, 2}, 12), copy("python", {9, 19, 0}, 12),
          copy("cuda", {9, 19, 0}, 13)};
}

std::string best(LibraryKind kind, const std::vector<VersionedLibrary>& found, int capability, int driver) {
  const LibraryOrder order = choose(kind, found, {capability, driver});
  EXPECT_EQ(order.usable.size() + order.rejected.size(), found.size());
  return order.usable.empty() ? "none" : order.usable.front().version.text();
}

struct Machine {
  const char* name;
  int capability, driver;
  const char *cublas, *cublaslt, *cudnn;
};

// Rows of cuda.md section 6 with the driver releases the issue names; driver numbers are cuDriverGetVersion's.
constexpr Machine kMachines[] = {
    {"K80 with 470", 37, 11040, "11.11.3", "none", "8.7.0"},
    {"GTX 980 with 535", 52, 12020, "12.8.4", "12.8.4", "9.10.2"},
    {"P100 with 535", 60, 12020, "12.8.4", "12.8.4", "9.10.2"},
    {"V100 with 580", 70, 13000, "12.8.4", "12.8.4", "9.10.2"},
    {"T4 with 550", 75, 12040, "12.8.4", "12.8.4", "9.19.0"},
    {"A100 with 450", 80, 11000, "11.11.3", "11.11.3", "8.7.0"},
    {"A100 with 525", 80, 12000, "12.8.4", "12.8.4", "9.19.0"},
    {"L4 with 580", 89, 13000, "13.1.0", "13.1.0", "9.19.0"},
    {"H200 with 575", 90, 12090, "12.8.4", "12.8.4", "9.19.0"},
    {"B200 with 570", 100, 12080, "12.8.4", "12.8.4", "9.19.0"},
    {"RTX 5090 with 570", 120, 12080, "12.8.4", "12.8.4", "9.19.0"},
    {"RTX 5090 with 580", 120, 13000, "13.1.0", "13.1.0", "9.19.0"},
};

TEST(LibrarySupport, EveryGpuGetsTheNewestVersionThatStillHasKernelsForIt) {
  for (const Machine& machine : kMachines) {
    SCOPED_TRACE(machine.name);
    EXPECT_EQ(best(LibraryKind::cublas, every_cublas(), machine.capability, machine.driver), machine.cublas);
    EXPECT_EQ(best(LibraryKind::cublaslt, every_cublas(), machine.capability, machine.driver), machine.cublaslt);
    EXPECT_EQ(best(LibraryKind::cudnn, every_cudnn(), machine.capability, machine.driver), machine.cudnn);
  }
}

TEST(LibrarySupport, TheReasonNamesVersionAndGpu) {
  EXPECT_EQ(why_unsuitable(LibraryKind::cublas, copy("system", {13, 1, 0}, 13), {70, 13000}),
            "version 13.1.0 has no kernels for compute capability 7.0: it covers 7.5 and newer");
  EXPECT_EQ(why_unsuitable(LibraryKind::cudnn, copy("system", {8, 9, 7}, 12), {120, 13000}),
            "version 8.9.7 has no kernels for compute capability 12.0: it covers 5.0 to 9.0");
  EXPECT_EQ(why_unsuitable(LibraryKind::cublas, copy("system", {13, 1, 0}, 13), {90, 12040}),
            "version 13.1.0 is built with CUDA 13, which needs driver 580 or later");
  EXPECT_EQ(why_unsuitable(LibraryKind::cudnn, copy("system", {7, 6, 5}, 10), {70, 12040}),
            "version 7.6.5 is older than gpuassay knows");
  EXPECT_EQ(why_unsuitable(LibraryKind::nccl, copy("system", {2, 21, 5}, 0), {70, 12040}), "");
}

TEST(LibrarySupport, BoundariesOfTheRows) {
  const auto fits = [](LibraryKind kind, LibraryVersion version, int capability) {
    return why_unsuitable(kind, copy("system", version, 0), {capability, 13000}).empty();
  };
  EXPECT_FALSE(fits(LibraryKind::cublas, {11, 10, 3}, 90));
  EXPECT_TRUE(fits(LibraryKind::cublas, {11, 11, 0}, 90));
  EXPECT_FALSE(fits(LibraryKind::cublas, {12, 7, 9}, 100));
  EXPECT_TRUE(fits(LibraryKind::cublas, {12, 8, 0}, 100));
  EXPECT_TRUE(fits(LibraryKind::cudnn, {9, 10, 2}, 70));
  EXPECT_FALSE(fits(LibraryKind::cudnn, {9, 11, 0}, 70));
  EXPECT_TRUE(fits(LibraryKind::cudnn, {9, 11, 0}, 75));
  EXPECT_FALSE(fits(LibraryKind::cudnn, {9, 6, 0}, 100));
  EXPECT_TRUE(fits(LibraryKind::cudnn, {9, 7, 0}, 121));
}

TEST(LibrarySupport, TheTableIsInOrderAndComplete) {
  std::map<LibraryKind, LibraryVersion> last;
  for (const LibrarySupport& row : library_support_table()) {
    if (const auto before = last.find(row.kind); before != last.end()) {
      EXPECT_LT(before->second, row.first);
    }
    last[row.kind] = row.first;
    EXPECT_LE(row.lowest_capability, row.highest_capability);
    EXPECT_FALSE(row.source.empty());
  }
  EXPECT_EQ(last.size(), 4U);
}

TEST(LibrarySupport, EqualVersionsKeepTheOrderInWhichTheyWereFound) {
  const auto order = choose(
      LibraryKind::cublas,
      {copy("system", {12, 8, 4}, 12), copy("python", {12, 9, 0}, 12), copy("conda", {12, 8, 4}, 12)}, {80, 12080});
  ASSERT_EQ(order.usable.size(), 3U);
  EXPECT_EQ(order.usable[0].file.path_kind, "python");
  EXPECT_EQ(order.usable[1].file.path_kind, "system");
  EXPECT_EQ(order.usable[2].file.path_kind, "conda");
}

TEST(LibraryChoice, CudnnGetsTheCublasOfItsOwnCudaAndPlace) {
  const auto found = every_cublas();
  const auto companion = companion_cublas(copy("python", {9, 10, 2}, 12), found);
  ASSERT_TRUE(companion.has_value());
  EXPECT_EQ(companion->version.text(), "12.8.4");
  EXPECT_EQ(companion_cublas(copy("cuda", {9, 19, 0}, 13), found)->version.text(), "13.1.0");
  EXPECT_FALSE(companion_cublas(copy("system", {8, 9, 7}, 10), found).has_value());
  EXPECT_FALSE(companion_cublas(copy("system", {8, 9, 7}, 0), found).has_value());
  // A newer one elsewhere is passed over for the one that lies beside it.
  const auto beside =
      companion_cublas(copy("conda", {9, 1, 0}, 12), {copy("system", {12, 9, 1}, 12), copy("conda", {12, 1, 3}, 12)});
  EXPECT_EQ(beside->version.text(), "12.1.3");
}

TEST(LibraryChoice, EntriesSayWhatWasChosenAndWhyTheRestWasNot) {
  LibraryChoice choice;
  choice.chosen = copy("python", {12, 8, 4}, 12);
  choice.rejected = {{{"libcublas.so.13", "/x", "cuda", false}, LibraryVersion{13, 1, 0}, "too new"},
                     {{"libcublas.so.11", "libcublas.so.11", "system", false}, std::nullopt, "not there"}};
  const auto entries = library_entries(LibraryKind::cublas, choice, "cuda:0");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].version, "12.8.4");
  EXPECT_EQ(entries[0].chosen_for, "cuda:0");
  EXPECT_EQ(entries[1].path_kind, "cuda");
  EXPECT_EQ(entries[1].rejected_reason, "too new");

  choice.rejected = {{{"libcublas.so.13", "/x", "cuda", false},
                      std::nullopt,
                      std::string(252, 'x') + "\u00e4" + std::string(99, 'y')}};
  EXPECT_EQ(library_entries(LibraryKind::cublas, choice, "cuda:0")[1].rejected_reason, std::string(252, 'x') + "...");

  const auto none = library_entries(LibraryKind::cudnn, {}, "cuda:0");
  ASSERT_EQ(none.size(), 1U);
  EXPECT_EQ(none[0].path_kind, "absent");
  EXPECT_EQ(none[0].rejected_reason, "none of libcudnn.so.9, libcudnn.so.8 is installed");
}

}  // namespace
}  // namespace gpuassay
