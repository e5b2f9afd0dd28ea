#include "agent/workloads/compute_reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>

#include "agent/backends/cuda_images.h"
#include "kernels/fma_recurrence.h"

namespace gpuassay {
namespace {

using kernels::ElementFormat;
using kernels::MmaPlace;
using kernels::MmaShape;

const ComputeKernel& kernel_for(DType dtype, ComputeUnit unit, int capability) {
  const ComputeKernel* found = find_compute_kernel(dtype, unit, capability);
  EXPECT_NE(found, nullptr);
  return *found;
}

TEST(ComputeKernels, WhatEachGenerationHas) {
  const auto has = [](DType dtype, ComputeUnit unit, int capability) {
    return find_compute_kernel(dtype, unit, capability) != nullptr;
  };
  for (const int capability : {35, 60, 70, 90, 120}) {
    EXPECT_TRUE(has(DType::fp32, ComputeUnit::fma, capability));
    EXPECT_TRUE(has(DType::fp64, ComputeUnit::fma, capability));
  }
  EXPECT_FALSE(has(DType::fp16_acc16, ComputeUnit::fma, 52));
  EXPECT_TRUE(has(DType::fp16_acc16, ComputeUnit::fma, 60));
  EXPECT_FALSE(has(DType::int8, ComputeUnit::fma, 60));
  EXPECT_TRUE(has(DType::int8, ComputeUnit::fma, 61));
  EXPECT_FALSE(has(DType::fp16, ComputeUnit::mma, 61));
  EXPECT_TRUE(has(DType::fp16, ComputeUnit::mma, 70));
  EXPECT_FALSE(has(DType::int8, ComputeUnit::mma, 70));
  EXPECT_TRUE(has(DType::int8, ComputeUnit::mma, 75));
  EXPECT_FALSE(has(DType::bf16, ComputeUnit::mma, 75));
  EXPECT_TRUE(has(DType::tf32, ComputeUnit::mma, 86));
  EXPECT_FALSE(has(DType::fp8_e4m3, ComputeUnit::mma, 86));
  EXPECT_TRUE(has(DType::fp8_e4m3, ComputeUnit::mma, 89));
  EXPECT_FALSE(has(DType::fp4, ComputeUnit::mma, 120));
}

TEST(ComputeKernels, NoTwoAreMeantForOneDevice) {
  for (const ComputeKernel& a : compute_kernels()) {
    for (const ComputeKernel& b : compute_kernels()) {
      if (&a == &b || a.dtype != b.dtype || a.unit != b.unit) continue;
      EXPECT_TRUE(a.highest_capability < b.lowest_capability || b.highest_capability < a.lowest_capability) << a.name;
    }
  }
}

TEST(ComputeKernels, AreInModulesThatTheirDevicesLoad) {
  for (const ComputeKernel& kernel : compute_kernels()) {
    bool found = false;
    for (const KernelModule& module : kernel_modules()) {
      found = found || (module.name == kernel.module && module.lowest_capability <= kernel.lowest_capability &&
                        kernel.highest_capability <= module.highest_capability);
    }
    EXPECT_TRUE(found) << kernel.name;
  }
}

// Hand-worked: 8 chains * 64 steps * 2 operations per thread; 8 chains * 65 steps * 2 m n k per warp.
TEST(ComputeKernels, OperationCounts) {
  EXPECT_EQ(compute_operations(kernel_for(DType::fp32, ComputeUnit::fma, 70), 1024, 10), 1024LL * 10 * 1024);
  EXPECT_EQ(compute_operations(kernel_for(DType::fp16_acc16, ComputeUnit::fma, 70), 32, 1), 32 * 2048);
  EXPECT_EQ(compute_operations(kernel_for(DType::int8, ComputeUnit::fma, 70), 32, 1), 32 * 4096);
  EXPECT_EQ(compute_operations(kernel_for(DType::fp16, ComputeUnit::mma, 70), 32, 1), 520 * 2048);
  EXPECT_EQ(compute_operations(kernel_for(DType::fp16, ComputeUnit::mma, 75), 32, 1), 520 * 2048);
  EXPECT_EQ(compute_operations(kernel_for(DType::fp16, ComputeUnit::mma, 80), 64, 3), 2 * 3 * 520 * 4096);
  EXPECT_EQ(compute_operations(kernel_for(DType::int8, ComputeUnit::mma, 90), 32, 1), 520 * 8192);
  EXPECT_EQ(compute_operations(kernel_for(DType::fp64, ComputeUnit::mma, 80), 32, 1), 520 * 512);
}

TEST(ComputeKernels, ResultCounts) {
  EXPECT_EQ(compute_result_count(kernel_for(DType::fp32, ComputeUnit::fma, 35), 512), 512);
  EXPECT_EQ(compute_result_count(kernel_for(DType::fp16, ComputeUnit::mma, 70), 64), 2 * 4 * 64);
  EXPECT_EQ(compute_result_count(kernel_for(DType::fp16, ComputeUnit::mma, 80), 64), 2 * 128);
}

// The largest sum must be an integer the accumulator holds exactly: 2^11, 2^24, 2^31, 2^53.
TEST(MmaShapes, SumsStayExact) {
  for (const ComputeKernel& kernel : compute_kernels()) {
    if (kernel.shape == nullptr) continue;
    const MmaShape& shape = *kernel.shape;
    const double largest = static_cast<double>(shape.largest_operand) * shape.largest_operand * shape.k + 7;
    const double limit = shape.accumulator == ElementFormat::fp16   ? 0x1p11
                         : shape.accumulator == ElementFormat::fp32 ? 0x1p24
                         : shape.accumulator == ElementFormat::int8 ? 0x1p31
                                                                    : 0x1p53;
    EXPECT_LT(largest, limit) << kernel.name << " of " << kernel.module;
    for (const std::int32_t value : {0, 1, -1, 3, shape.largest_operand, -shape.largest_operand}) {
      EXPECT_EQ(kernels::value_of(shape.operand, kernels::mma_bits(shape.operand, value)), value) << kernel.name;
    }
  }
}

template <class PlaceOf>
void expect_each_place_once(std::uint32_t elements, std::uint32_t rows, std::uint32_t columns, std::uint32_t groups,
                            PlaceOf place_of) {
  std::set<std::uint32_t> seen;
  for (std::uint32_t lane = 0; lane < 32; ++lane) {
    for (std::uint32_t i = 0; i < elements; ++i) {
      const MmaPlace place = place_of(lane, i);
      EXPECT_LT(place.group, groups);
      EXPECT_LT(place.row, rows);
      EXPECT_LT(place.column, columns);
      EXPECT_TRUE(seen.insert(kernels::mma_index(place, rows, columns)).second);
    }
  }
  EXPECT_EQ(seen.size(), std::size_t{groups} * rows * columns);
}

TEST(MmaShapes, FragmentsCoverEveryElementOnce) {
  for (const ComputeKernel& kernel : compute_kernels()) {
    if (kernel.shape == nullptr) continue;
    SCOPED_TRACE(std::string(kernel.module) + " " + std::string(kernel.name));
    const MmaShape& s = *kernel.shape;
    expect_each_place_once(kernels::mma_a_elements(s), s.m, s.k, s.groups,
                           [&](auto lane, auto i) { return kernels::mma_a_place(s, lane, i); });
    expect_each_place_once(kernels::mma_b_elements(s), s.k, s.n, s.groups,
                           [&](auto lane, auto i) { return kernels::mma_b_place(s, lane, i); });
    expect_each_place_once(kernels::mma_c_elements(s), s.m, s.n, s.groups,
                           [&](auto lane, auto i) { return kernels::mma_c_place(s, lane, i); });
  }
}

void expect_place(const MmaPlace& place, std::uint32_t row, std::uint32_t column) {
  EXPECT_EQ(place.row, row);
  EXPECT_EQ(place.column, column);
}

// Read off the figures of the PTX ISA manual, lane 13 (group 3, thread 1 of it) and one of the upper half.
TEST(MmaShapes, FragmentLayoutsOfTheManual) {
  using namespace kernels;
  expect_place(mma_a_place(kMmaSm80Fp16, 13, 0), 3, 2);
  expect_place(mma_a_place(kMmaSm80Fp16, 13, 3), 11, 3);
  expect_place(mma_a_place(kMmaSm80Fp16, 13, 4), 3, 10);
  expect_place(mma_a_place(kMmaSm80Fp16, 13, 7), 11, 11);
  expect_place(mma_b_place(kMmaSm80Fp16, 13, 1), 3, 3);
  expect_place(mma_b_place(kMmaSm80Fp16, 13, 2), 10, 3);
  expect_place(mma_c_place(kMmaSm80Fp16, 13, 1), 3, 3);
  expect_place(mma_c_place(kMmaSm80Fp16, 13, 2), 11, 2);
  expect_place(mma_a_place(kMmaSm80Tf32, 13, 1), 11, 1);
  expect_place(mma_a_place(kMmaSm80Tf32, 13, 2), 3, 5);
  expect_place(mma_b_place(kMmaSm80Tf32, 13, 1), 5, 3);
  expect_place(mma_a_place(kMmaSm80Int8, 13, 5), 11, 5);
  expect_place(mma_a_place(kMmaSm80Int8, 13, 10), 3, 22);
  expect_place(mma_b_place(kMmaSm80Int8, 13, 6), 22, 3);
  expect_place(mma_a_place(kMmaSm80Fp64, 13, 0), 3, 1);
  expect_place(mma_b_place(kMmaSm80Fp64, 13, 0), 1, 3);
  expect_place(mma_c_place(kMmaSm80Fp64, 13, 1), 3, 3);
  expect_place(mma_a_place(kMmaSm70Fp16, 21, 2), 5, 2);
  expect_place(mma_b_place(kMmaSm70Fp16, 21, 2), 2, 5);
  expect_place(mma_c_place(kMmaSm70Fp16, 21, 6), 7, 4);
  expect_place(mma_c_place(kMmaSm70Fp16Acc16, 21, 6), 5, 6);
  EXPECT_EQ(mma_c_place(kMmaSm70Fp16, 21, 0).group, 1U);
}

TEST(NegatedElements, EveryByteAndHalf) {
  for (int value = -127; value <= 127; ++value) {
    const auto byte = static_cast<std::uint32_t>(value) & 0xffU;
    const auto negative = static_cast<std::uint32_t>(-value) & 0xffU;
    const std::uint32_t others = 0x00817f01U;
    EXPECT_EQ(kernels::negated_elements(ElementFormat::int8, byte << 24 | others), negative << 24 | 0x007f81ffU);
  }
  EXPECT_EQ(kernels::negated_elements(ElementFormat::fp16, 0x3c00c000U), 0xbc004000U);
  EXPECT_EQ(kernels::negated_elements(ElementFormat::e4m3, 0x00ff7f80U), 0x807fff00U);
  EXPECT_EQ(kernels::negated_elements(ElementFormat::tf32, 0x3f800000U), 0xbf800000U);
}

TEST(ComputeExpected, OneStepOfEachRecurrenceByHand) {
  using namespace kernels;
  // After 0 iterations the start itself; the map then keeps within |c|.
  const ComputeKernel& fp32 = kernel_for(DType::fp32, ComputeUnit::fma, 35);
  UInt64 starts = 0;
  for (UInt32 chain = 0; chain < kFmaChains; ++chain) starts += bits_of_float(fma_start(9, 4, chain, 0));
  EXPECT_EQ(compute_expected(fp32, 9, 0, 4), starts);
  for (std::uint32_t i = 0; i < 200; ++i) {
    const float start = fma_start(1, i, 0, 0);
    EXPECT_LT(std::fabs(start), 1);
    EXPECT_EQ(start * 256, std::nearbyint(start * 256));
  }
  EXPECT_EQ(dp4a_factor(3) & 0x01010101U, 0x01010101U);
}

TEST(ComputeExpected, ResultsDifferByThreadSeedAndIterations) {
  for (const ComputeKernel& kernel : compute_kernels()) {
    const std::uint64_t one = compute_expected(kernel, 1, 3, 5);
    EXPECT_NE(one, compute_expected(kernel, 2, 3, 5)) << kernel.name;
    EXPECT_NE(one, compute_expected(kernel, 1, 4, 5)) << kernel.name;
    EXPECT_NE(one, compute_expected(kernel, 1, 3, 6)) << kernel.name;
  }
}

// No chain may settle: constant operands would draw less power than work does.
TEST(ComputeExpected, FloatingPointChainsKeepMoving) {
  float x = kernels::fma_start(1, 0, 0, 0);
  for (int i = 0; i < 100000; ++i) x = std::fma(x, x, kernels::kFmaConstant);
  std::set<float> values;
  for (int i = 0; i < 2000; ++i) {
    x = std::fma(x, x, kernels::kFmaConstant);
    EXPECT_LE(std::fabs(x), -kernels::kFmaConstant);
    values.insert(x);
  }
  EXPECT_GT(values.size(), 100U);
  for (const auto& format : {kernels::kFp16, kernels::kBf16}) {
    std::set<std::uint32_t> codes;
    std::uint32_t code = kernels::narrow_from_float(format, kernels::fma_start(1, 0, 0, 0));
    for (int i = 0; i < 4000; ++i) {
      const double value = kernels::narrow_value(format, code);
      code = kernels::narrow_from_double(format, std::fma(value, value, static_cast<double>(kernels::kFmaConstant)));
      if (i >= 2000) codes.insert(code);
    }
    EXPECT_GT(codes.size(), 15U);
  }
}

}  // namespace
}  // namespace gpuassay
