#include "agent/dynlib/loader_cache.h"

#include <gtest/gtest.h>

#include "tests/support/loader_cache_text.h"

namespace gpuassay {
namespace {

using test::loader_cache_text;

TEST(LoaderCache, GivesThePathsOfOneNameInOrder) {
  const std::string cache = loader_cache_text({{"libcuda.so.1", "/usr/lib64/libcuda.so.1", 0x0303},
                                               {"libcudart.so.12", "/usr/local/cuda/lib64/libcudart.so.12", 0x0303},
                                               {"libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1", 0x0303}});
  EXPECT_EQ(paths_in_loader_cache(cache, "libcuda.so.1"),
            (std::vector<std::string>{"/usr/lib64/libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"}));
  EXPECT_TRUE(paths_in_loader_cache(cache, "libcuda.so").empty());
}

TEST(LoaderCache, LibrariesOfOtherMachinesAreLeftOut) {
  const std::string cache = loader_cache_text(
      {{"libcuda.so.1", "/usr/lib32/libcuda.so.1", 0x0003}, {"libcuda.so.1", "relative/libcuda.so.1", 0x0303}});
  EXPECT_TRUE(paths_in_loader_cache(cache, "libcuda.so.1").empty());
}

TEST(LoaderCache, TheNewLayoutIsFoundBehindTheOldOne) {
  const std::string old_part = std::string("ld.so-1.7.0") + std::string(37, '\0');
  const std::string cache = old_part + loader_cache_text({{"libm.so.6", "/lib/libm.so.6", 0x0303}});
  EXPECT_EQ(paths_in_loader_cache(cache, "libm.so.6"), (std::vector<std::string>{"/lib/libm.so.6"}));
}

TEST(LoaderCache, DamageIsNoPathAndNoCrash) {
  const std::string cache = loader_cache_text({{"libm.so.6", "/lib/libm.so.6", 0x0303}});
  for (std::size_t size = 0; size < cache.size(); ++size) {
    EXPECT_TRUE(paths_in_loader_cache(cache.substr(0, size), "libm.so.6").empty()) << size;
  }
  for (std::size_t at = 0; at < cache.size(); ++at) {
    std::string damaged = cache;
    damaged[at] = '\xff';
    (void)paths_in_loader_cache(damaged, "libm.so.6");
  }
  EXPECT_TRUE(paths_in_loader_cache("", "libm.so.6").empty());
  EXPECT_TRUE(paths_in_loader_cache("no cache at all", "libm.so.6").empty());
}

}  // namespace
}  // namespace gpuassay
