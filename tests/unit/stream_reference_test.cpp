#include "agent/workloads/stream_reference.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

TEST(StreamReference, OutputsFollowTheDefinitionsOfStream) {
  const auto input = [](BandwidthKernel kernel, StreamArray array) { return stream_input(kernel, array, 77, 3); };
  using enum BandwidthKernel;
  EXPECT_EQ(stream_output(copy, 77, 3, 0.5), input(copy, StreamArray::a));
  EXPECT_EQ(stream_output(mul, 77, 3, 0.5), 0.5 * input(mul, StreamArray::c));
  EXPECT_EQ(stream_output(add, 77, 3, 0.5), input(add, StreamArray::a) + input(add, StreamArray::b));
  EXPECT_EQ(stream_output(triad, 77, 3, 0.5), input(triad, StreamArray::b) + 0.5 * input(triad, StreamArray::c));
}

TEST(StreamReference, InputsDependOnPositionArrayAndRun) {
  const double base = stream_input(BandwidthKernel::add, StreamArray::a, 5, 0);
  EXPECT_NE(base, stream_input(BandwidthKernel::add, StreamArray::a, 6, 0));
  EXPECT_NE(base, stream_input(BandwidthKernel::add, StreamArray::b, 5, 0));
  EXPECT_NE(base, stream_input(BandwidthKernel::add, StreamArray::a, 5, 1));
  EXPECT_GE(base, 1.0);
  EXPECT_LT(base, 2.0);
}

TEST(StreamReference, ReadInputsAreSmallIntegers) {
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const double value = stream_input(BandwidthKernel::read, StreamArray::a, i, 0);
    EXPECT_EQ(value, static_cast<double>(static_cast<int>(value)));
    EXPECT_LT(value, 65536);
  }
}

TEST(StreamReference, NeighbouringIterationsHaveDifferentScalars) {
  EXPECT_EQ(stream_scalar(0), 0.4);
  for (std::uint64_t i = 0; i < 16; ++i) EXPECT_NE(stream_scalar(i), stream_scalar(i + 1));
}

}  // namespace
}  // namespace gpuassay
