// Does the fake cuDNN's backend API refuse what a real one refuses?
#include <gtest/gtest.h>

#include <array>

#include "agent/dynlib/cudnn.h"
#include "tests/support/fake_gpu_session.h"

namespace gpuassay {
namespace {

using cudnn::BackendDescriptor;
using test::FakeGpuSession;
using test::FakeSetup;

constexpr int kBadParam = 2000, kNotSupported = 3000;

class FakeCudnnBackend : public ::testing::Test {
 protected:
  [[nodiscard]] const cudnn::Api& api() const { return library_.api; }

  [[nodiscard]] BackendDescriptor make(int type) const {
    BackendDescriptor made = nullptr;
    EXPECT_EQ(api().cudnnBackendCreateDescriptor(type, &made), 0);
    return made;
  }
  template <std::size_t kCount>
  [[nodiscard]] int set(BackendDescriptor descriptor, int attribute,
                        const std::array<std::int64_t, kCount>& values) const {
    return api().cudnnBackendSetAttribute(descriptor, attribute, cudnn::kInt64Element, kCount, values.data());
  }
  /// A tensor of 2 x 3 x 4 x 5, not yet finalized.
  [[nodiscard]] BackendDescriptor tensor(const std::array<std::int64_t, 4>& strides) const {
    const BackendDescriptor made = make(cudnn::kTensorType);
    const int type = cudnn::kFloat;
    EXPECT_EQ(api().cudnnBackendSetAttribute(made, cudnn::kTensorDataType, cudnn::kDataTypeElement, 1, &type), 0);
    EXPECT_EQ(set<4>(made, cudnn::kTensorDimensions, {2, 3, 4, 5}), 0);
    EXPECT_EQ(set<4>(made, cudnn::kTensorStrides, strides), 0);
    EXPECT_EQ(set<1>(made, cudnn::kTensorId, {1}), 0);
    return made;
  }

  FakeGpuSession gpu_{FakeSetup{}};
  cudnn::LoadedLibrary library_ = cudnn::load(FakeGpuSession::candidate("libcudnn.so.9"));
};

TEST_F(FakeCudnnBackend, AttributesBelongToATypeOfDescriptorAndHaveTheirOwn) {
  const BackendDescriptor made = make(cudnn::kTensorType);
  EXPECT_EQ(set<1>(made, cudnn::kConvolutionSpatialDimensions, {2}), kBadParam) << "another descriptor's";
  EXPECT_EQ(set<1>(made, 999, {2}), kBadParam) << "no attribute";
  EXPECT_EQ(set<1>(made, cudnn::kTensorDataType, {0}), kBadParam) << "not an int64";
  EXPECT_EQ(api().cudnnBackendSetAttribute(made, cudnn::kTensorId, cudnn::kInt64Element, 1, nullptr), kBadParam);
  EXPECT_EQ(api().cudnnBackendDestroyDescriptor(made), 0);
  EXPECT_NE(set<1>(made, cudnn::kTensorId, {1}), 0) << "destroyed";
}

TEST_F(FakeCudnnBackend, WhatIsFinalizedIsCompleteAndStaysAsItIs) {
  const BackendDescriptor made = tensor({60, 20, 5, 1});
  EXPECT_EQ(api().cudnnBackendFinalize(made), kBadParam) << "without alignment";
  EXPECT_EQ(set<1>(made, cudnn::kTensorAlignment, {16}), 0);
  EXPECT_EQ(api().cudnnBackendFinalize(made), 0);
  EXPECT_EQ(set<1>(made, cudnn::kTensorId, {2}), kBadParam);
  EXPECT_EQ(api().cudnnBackendFinalize(made), kBadParam);
  const BackendDescriptor strange = tensor({60, 1, 3, 15});
  EXPECT_EQ(set<1>(strange, cudnn::kTensorAlignment, {16}), 0);
  EXPECT_EQ(api().cudnnBackendFinalize(strange), kNotSupported) << "neither NCHW nor NHWC";
}

TEST_F(FakeCudnnBackend, PartsMustBeFinalized) {
  const BackendDescriptor operation = make(cudnn::kForwardType);
  const BackendDescriptor part = tensor({60, 20, 5, 1});
  EXPECT_EQ(api().cudnnBackendSetAttribute(operation, cudnn::kForwardX, cudnn::kDescriptorElement, 1,
                                           static_cast<const void*>(&part)),
            kBadParam);
  EXPECT_EQ(api().cudnnBackendFinalize(operation), kBadParam) << "without tensors";
  std::int64_t count = 0;
  EXPECT_EQ(api().cudnnBackendGetAttribute(make(cudnn::kHeuristicType), cudnn::kHeuristicResults,
                                           cudnn::kDescriptorElement, 0, &count, nullptr),
            kBadParam)
      << "nothing is known before";
}

}  // namespace
}  // namespace gpuassay
