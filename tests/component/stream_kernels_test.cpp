// Every version of the STREAM loops this CPU can run, element by element, and the thread team under them.
#include "agent/backends/stream_kernels.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "agent/backends/aligned_buffer.h"
#include "agent/backends/pinned_threads.h"
#include "core/error.h"

namespace gpuassay {
namespace {

struct Version {
  std::string name;
  StreamKernel (*kernel)(BandwidthKernel, Stores);
};

std::vector<Version> versions_here() {
  std::vector<Version> versions{{"sse2", sse2_stream_kernel}};
  if (__builtin_cpu_supports("avx2")) versions.push_back({"avx2", avx2_stream_kernel});
  if (__builtin_cpu_supports("avx512f")) versions.push_back({"avx512", avx512_stream_kernel});
  return versions;
}

/// Three arrays with a[i] = i+1, b[i] = 10i+3, c[i] = 7-i and an extra line that must not change.
struct Arrays {
  explicit Arrays(std::size_t count) : buffer(3 * (count + kStreamLine) * sizeof(double)) {
    double* start = buffer.as<double>().data();
    slice = {start, start + count + kStreamLine, start + 2 * (count + kStreamLine), count};
    for (std::size_t i = 0; i < count + kStreamLine; ++i) {
      const auto x = static_cast<double>(i);
      slice.a[i] = x + 1;
      slice.b[i] = 10 * x + 3;
      slice.c[i] = 7 - x;
    }
  }
  AlignedBuffer buffer;
  StreamSlice slice{};
};

TEST(StreamKernels, EveryVersionComputesEveryElementAndNoMore) {
  for (const Version& version : versions_here()) {
    for (const Stores stores : {Stores::normal, Stores::streaming}) {
      for (const std::size_t count : {8U, 24U, 32U, 64U, 72U, 136U}) {
        SCOPED_TRACE(version.name + " " + std::to_string(count));
        Arrays copy(count), mul(count), add(count), triad(count);
        version.kernel(BandwidthKernel::copy, stores)(copy.slice, 0.5);
        version.kernel(BandwidthKernel::mul, stores)(mul.slice, 0.5);
        version.kernel(BandwidthKernel::add, stores)(add.slice, 0.5);
        version.kernel(BandwidthKernel::triad, stores)(triad.slice, 0.5);
        for (std::size_t i = 0; i < count + kStreamLine; ++i) {
          const auto x = static_cast<double>(i);
          const bool inside = i < count;
          EXPECT_EQ(copy.slice.c[i], inside ? x + 1 : 7 - x);
          EXPECT_EQ(mul.slice.b[i], inside ? 0.5 * (7 - x) : 10 * x + 3);
          EXPECT_EQ(add.slice.c[i], inside ? 11 * x + 4 : 7 - x);
          EXPECT_EQ(triad.slice.a[i], inside ? 10 * x + 3 + 0.5 * (7 - x) : x + 1);
        }
      }
    }
  }
}

TEST(StreamKernels, ReadSumsEveryElement) {
  for (const Version& version : versions_here()) {
    for (const std::size_t count : {8U, 56U, 64U, 136U}) {
      const Arrays arrays(count);
      const auto n = static_cast<double>(count);
      EXPECT_EQ(version.kernel(BandwidthKernel::read, Stores::normal)(arrays.slice, 0), n * (n + 1) / 2)
          << version.name << " " << count;
    }
  }
}

TEST(StreamKernels, SelectedVersionNamesItsStores) {
  const std::string name = select_stream_kernel(BandwidthKernel::copy, Stores::streaming).name;
  EXPECT_NE(name.find("streaming"), std::string::npos);
  EXPECT_EQ(std::string(select_stream_kernel(BandwidthKernel::copy, Stores::normal).name).find("streaming"),
            std::string::npos);
}

TEST(PinnedThreads, EveryMemberRunsEveryTimeAndMeetsTheOthers) {
  PinnedThreads threads({-1, -1, -1});
  ASSERT_EQ(threads.size(), 3);
  std::array<int, 3> calls{};
  std::atomic<int> before{0};
  std::atomic<bool> all_were_there{true};
  for (int round = 1; round <= 200; ++round) {
    threads.run([&](int member) {
      ++calls[static_cast<std::size_t>(member)];
      ++before;
      threads.barrier();
      if (before.load() != 3 * round) all_were_there = false;
      threads.barrier();
    });
  }
  EXPECT_TRUE(all_were_there.load());
  EXPECT_EQ(calls, (std::array<int, 3>{200, 200, 200}));
}

TEST(AlignedBuffer, IsAlignedZeroAndRefusesTheImpossible) {
  const AlignedBuffer buffer(5 << 20);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % (2 << 20), 0U);
  EXPECT_EQ(buffer.as<unsigned char>()[(5 << 20) - 1], 0);
  try {
    const AlignedBuffer impossible(std::numeric_limits<std::size_t>::max());
    ADD_FAILURE() << "was allocated";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::out_of_memory);
  }
}

}  // namespace
}  // namespace gpuassay
