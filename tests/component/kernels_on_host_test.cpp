// Do the kernels' sources compute what their arguments and references say? There is no GPU here: the same sources are
// compiled for the host (tests/support/host_device) and run, block by block.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <numeric>

#include "agent/workloads/compute_reference.h"
#include "kernels/base.cu"
#include "kernels/fma_bf16.cu"
#include "kernels/mma_loop.h"
#include "kernels/random_normal.h"
#include "kernels/read_reference.h"
#include "kernels/sm60.cu"
#include "kernels/sm61.cu"

namespace gpuassay::kernels {
namespace {

/// Memory as a device gives it: 16-byte aligned, all bits set before.
template <class T>
class Buffer {
 public:
  explicit Buffer(std::size_t count) : words_(count * sizeof(T) / sizeof(Words) + 2), count_(count) {
    std::memset(static_cast<void*>(words_.data()), 0xff, words_.size() * sizeof(Words));
  }
  T* data() { return reinterpret_cast<T*>(words_.data()); }
  T& operator[](std::size_t i) { return data()[i]; }
  DeviceAddress address() { return reinterpret_cast<DeviceAddress>(words_.data()); }
  /// Nothing was written beyond the end.
  bool end_untouched() {
    const auto* bytes = reinterpret_cast<const unsigned char*>(words_.data());
    return std::all_of(bytes + count_ * sizeof(T), bytes + words_.size() * sizeof(Words),
                       [](unsigned char byte) { return byte == 0xff; });
  }

 private:
  std::vector<Words> words_;
  std::size_t count_;
};

constexpr UInt32 kBlocks = 3;

TEST(StreamKernels, WriteWhatTheirNamesSayUpToTheLastElement) {
  for (const std::size_t count : {std::size_t{2}, std::size_t{2048}, std::size_t{2050}, std::size_t{12346}}) {
    Buffer<double> a(count), b(count), c(count);
    for (std::size_t i = 0; i < count; ++i) a[i] = normal_double(1, i), b[i] = normal_double(2, i);
    const StreamArguments arguments{a.address(), b.address(), c.address(), count, 0.4};
    run_grid(kBlocks, kBlockThreads, [&] { gpuassay_stream_copy(arguments); });
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(c[i], normal_double(1, i));
    run_grid(kBlocks, kBlockThreads, [&] { gpuassay_stream_add(arguments); });
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(c[i], normal_double(1, i) + normal_double(2, i));
    run_grid(kBlocks, kBlockThreads, [&] { gpuassay_stream_triad(arguments); });
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(a[i], normal_double(2, i) + 0.4 * c[i]);
    run_grid(kBlocks, kBlockThreads, [&] { gpuassay_stream_mul(arguments); });
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(b[i], 0.4 * c[i]);
    EXPECT_TRUE(a.end_untouched() && b.end_untouched() && c.end_untouched());
  }
}

TEST(ReadKernel, BlockSumsAreThoseOfTheReference) {
  for (const std::size_t words : {std::size_t{2}, std::size_t{2048}, std::size_t{5 * 2048 + 514}}) {
    Buffer<UInt64> source(words), sums(kBlocks);
    for (std::size_t i = 0; i < words; ++i) source[i] = hash(7, i);
    for (const UInt32 passes : {1U, 4U}) {
      run_grid_together(kBlocks, kBlockThreads,
                        [&] { gpuassay_read({source.address(), words * 8, sums.address(), passes, 0}); });
      for (UInt32 block = 0; block < kBlocks; ++block) {
        EXPECT_EQ(sums[block], read_block_sum([](UInt64 i) { return hash(7, i); }, words * 8, block, kBlocks, passes));
      }
      const UInt64 all = std::accumulate(source.data(), source.data() + words, UInt64{0});
      EXPECT_EQ(std::accumulate(sums.data(), sums.data() + kBlocks, UInt64{0}), passes * all);
      EXPECT_TRUE(sums.end_untouched());
    }
  }
}

TEST(WriteKernel, NumbersTheWords) {
  constexpr std::size_t kWords = 2 * 2048 + 18;
  Buffer<UInt64> destination(kWords);
  run_grid(kBlocks, kBlockThreads, [&] { gpuassay_write({destination.address(), kWords * 8, 1000}); });
  for (std::size_t i = 0; i < kWords; ++i) ASSERT_EQ(destination[i], 1000 + i);
  EXPECT_TRUE(destination.end_untouched());
}

TEST(GatherKernel, SumsTheBlocksThatTheTableNames) {
  for (const UInt32 log2 : {4U, 9U, 12U}) {
    const std::size_t per_block = std::size_t{1} << (log2 - 3);
    constexpr std::size_t kEntries = 41, kPoolBlocks = 64;
    Buffer<UInt64> pool(kPoolBlocks * per_block), sums(kBlocks);
    Buffer<UInt32> table(kEntries);
    for (std::size_t i = 0; i < kPoolBlocks * per_block; ++i) pool[i] = hash(8, i);
    for (std::size_t i = 0; i < kEntries; ++i) table[i] = static_cast<UInt32>(hash(9, i) % kPoolBlocks);
    run_grid_together(kBlocks, kBlockThreads,
                      [&] { gpuassay_gather({pool.address(), table.address(), sums.address(), kEntries, log2, 0}); });
    const auto word = [&](UInt64 i) { return hash(8, table[i / per_block] * per_block + i % per_block); };
    for (UInt32 block = 0; block < kBlocks; ++block) {
      EXPECT_EQ(sums[block], read_block_sum(word, kEntries << log2, block, kBlocks, 1)) << log2;
    }
  }
}

TEST(FillKernel, EveryFormatAndEveryTail) {
  for (UInt32 format = 0; format <= 7; ++format) {
    const UInt32 bits = bits_of(static_cast<ElementFormat>(format));
    for (const std::size_t count : {std::size_t{1000}, std::size_t{1002}, std::size_t{6}}) {
      Buffer<UInt8> bytes(count * bits / 8);
      run_grid(kBlocks, kBlockThreads, [&] { gpuassay_fill({bytes.address(), count, 50, 11, format, 0}); });
      for (std::size_t i = 0; i < count; ++i) {
        UInt64 element = 0;
        std::memcpy(&element, bytes.data() + i * bits / 8, std::max(bits / 8, 1U));
        if (bits == 4) element = element >> (i % 2 * 4) & 0xf;
        ASSERT_EQ(element, element_bits(static_cast<ElementFormat>(format), 11, 50 + i)) << format << " " << i;
      }
      EXPECT_TRUE(bytes.end_untouched()) << format;
    }
  }
}

TEST(FillConstantKernel, EveryWordAndNoMore) {
  for (const std::size_t count : {std::size_t{1}, std::size_t{4}, std::size_t{1003}}) {
    Buffer<UInt32> words(count);
    run_grid(kBlocks, kBlockThreads, [&] { gpuassay_fill_constant({words.address(), count * 4, 0x1234567U, 0}); });
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(words[i], 0x1234567U);
    EXPECT_TRUE(words.end_untouched());
  }
}

TEST(SampleKernel, BringsElementsOfEverySize) {
  constexpr std::size_t kCount = 1500;
  Buffer<UInt64> source(4096), positions(kCount);
  for (std::size_t i = 0; i < 4096; ++i) source[i] = hash(3, i);
  for (const UInt32 size : {1U, 2U, 4U, 8U}) {
    for (std::size_t i = 0; i < kCount; ++i) positions[i] = hash(4, i) % (4096 * 8 / size);
    Buffer<UInt8> samples(kCount * size);
    run_grid(kBlocks, kBlockThreads,
             [&] { gpuassay_sample({source.address(), positions.address(), samples.address(), kCount, size, 0}); });
    const auto* bytes = reinterpret_cast<const UInt8*>(source.data());
    for (std::size_t i = 0; i < kCount; ++i) {
      ASSERT_EQ(std::memcmp(samples.data() + i * size, bytes + positions[i] * size, size), 0) << size << " " << i;
    }
    EXPECT_TRUE(samples.end_untouched());
  }
}

TEST(GateKernel, OpensByItsFlagAndByEitherBound) {
  UInt32 flag = 1, outcome = 0;
  const auto run = [&](UInt64 ns, UInt64 cycles) {
    outcome = 0;
    run_grid(1, 1, [&] {
      gpuassay_gate({reinterpret_cast<DeviceAddress>(&flag), reinterpret_cast<DeviceAddress>(&outcome), ns, cycles});
    });
    return static_cast<GateOutcome>(outcome);
  };
  EXPECT_EQ(run(1000000, 1000000), GateOutcome::opened);
  flag = 0;
  EXPECT_EQ(run(5000, UInt64{1} << 60), GateOutcome::timed_out);
  EXPECT_EQ(run(UInt64{1} << 60, 5000), GateOutcome::timed_out);
}

TEST(ClockKernel, StampsEachMultiprocessorWithinTheLimit) {
  constexpr std::size_t kLimit = 3;
  host_cycles = host_ns = 0;
  Buffer<ClockStamp> stamps(kLimit);
  run_grid(10, 1, [&] { gpuassay_clock({stamps.address(), kLimit, 0}); });
  for (std::size_t i = 0; i < kLimit; ++i) {
    EXPECT_NE(stamps[i].global_ns, ~UInt64{0}) << "not written";
    EXPECT_EQ(stamps[i].sm_cycles, kHostCyclesPerNs * stamps[i].global_ns) << "both clocks at one moment";
  }
  EXPECT_TRUE(stamps.end_untouched());
}

using RunGrid = void (*)(UInt32, UInt32, const std::function<void()>&);

void expect_results(DType dtype, ComputeUnit unit, int capability, RunGrid run, UInt32 blocks, UInt32 iterations,
                    const std::function<void(ComputeArguments)>& launch) {
  constexpr UInt32 kThreads = 32;
  const ComputeKernel* kernel = find_compute_kernel(dtype, unit, capability);
  ASSERT_NE(kernel, nullptr);
  const auto count = static_cast<std::size_t>(compute_result_count(*kernel, std::int64_t{blocks} * kThreads));
  Buffer<UInt64> results(count);
  run(blocks, kThreads, [&] { launch({results.address(), 77, iterations, 0}); });
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(results[i], compute_expected(*kernel, 77, iterations, static_cast<std::int64_t>(i)))
        << kernel->name << " of " << kernel->module << ", result " << i;
  }
  EXPECT_TRUE(results.end_untouched());
}

TEST(FmaKernels, WriteWhatTheReferenceExpects) {
  expect_results(DType::fp32, ComputeUnit::fma, 35, run_grid, 2, 3, gpuassay_fma_fp32);
  expect_results(DType::fp64, ComputeUnit::fma, 35, run_grid, 2, 3, gpuassay_fma_fp64);
  expect_results(DType::fp16_acc16, ComputeUnit::fma, 60, run_grid, 2, 3, gpuassay_fma_fp16);
  expect_results(DType::int8, ComputeUnit::fma, 61, run_grid, 2, 3, gpuassay_fma_int8);
  expect_results(DType::bf16, ComputeUnit::fma, 80, run_grid, 2, 3, gpuassay_fma_bf16);
}

/// One mma instruction as its definition has it: the lanes lay their registers out as matrices, then each adds the
/// products that are its own. The accumulators are rounded by their format, so an inexact sum would show.
template <const MmaShape& kShape, class Base>
struct WarpOnHost : Base {
  using Operand = typename Base::Operand;
  using Accumulator = typename Base::Accumulator;

  static inline double matrix_a[kShape.groups * kShape.m * kShape.k], matrix_b[kShape.groups * kShape.k * kShape.n];

  static UInt64 bits(UInt32 value) { return value; }
  static UInt64 bits(double value) { return bits_of_double(value); }

  static double element(const Operand* registers, UInt32 i) {
    constexpr UInt32 kPer = mma_elements_per_register(kShape);
    const UInt64 word = bits(registers[i / kPer]) >> (i % kPer * (32 / kPer));
    return value_of(kShape.operand, kPer == 1 ? word : word & ((1U << (32 / kPer)) - 1));
  }

  static double product(const MmaPlace& place) {
    double sum = 0;
    for (UInt32 k = 0; k < kShape.k; ++k) {
      sum += matrix_a[mma_index({place.group, place.row, k}, kShape.m, kShape.k)] *
             matrix_b[mma_index({place.group, k, place.column}, kShape.k, kShape.n)];
    }
    return sum;
  }

  template <std::size_t kC, std::size_t kA, std::size_t kB>
  static void multiply(Accumulator (&c)[kC], const Operand (&a)[kA], const Operand (&b)[kB]) {
    const UInt32 lane = thread_in_block();
    for (UInt32 i = 0; i < mma_a_elements(kShape); ++i) {
      matrix_a[mma_index(mma_a_place(kShape, lane, i), kShape.m, kShape.k)] = element(a, i);
    }
    for (UInt32 i = 0; i < mma_b_elements(kShape); ++i) {
      matrix_b[mma_index(mma_b_place(kShape, lane, i), kShape.k, kShape.n)] = element(b, i);
    }
    block_barrier();
    for (UInt32 i = 0; i < mma_c_elements(kShape); ++i) add(c, i, product(mma_c_place(kShape, lane, i)));
    block_barrier();
  }

  static void add(float* c, UInt32 i, double value) { c[i] = static_cast<float>(static_cast<double>(c[i]) + value); }
  static void add(double* c, UInt32 i, double value) { c[i] += value; }
  static void add(UInt32* c, UInt32 i, double value) {
    if (kShape.accumulator == ElementFormat::int8) {
      c[i] += static_cast<UInt32>(static_cast<Int32>(value));
      return;
    }
    const UInt32 shift = i % 2 * 16;
    const double sum = narrow_value(kFp16, c[i / 2] >> shift & 0xffffU) + value;
    c[i / 2] = (c[i / 2] & ~(0xffffU << shift)) | narrow_from_double(kFp16, sum) << shift;
  }
};

template <const MmaShape& kShape, class Base>
void expect_mma(DType dtype, int capability, UInt32 iterations = 1) {
  expect_results(dtype, ComputeUnit::mma, capability, run_grid_together, 1, iterations,
                 [](ComputeArguments arguments) { run_mma<kShape, WarpOnHost<kShape, Base>>(arguments); });
}

TEST(MmaKernels, WriteWhatTheReferenceExpects) {
  expect_mma<kMmaSm70Fp16, FloatAccumulator>(DType::fp16, 70);
  expect_mma<kMmaSm70Fp16Acc16, HalfAccumulator>(DType::fp16_acc16, 70);
  expect_mma<kMmaSm75Fp16, FloatAccumulator>(DType::fp16, 75);
  expect_mma<kMmaSm75Fp16Acc16, HalfAccumulator>(DType::fp16_acc16, 75);
  expect_mma<kMmaSm75Int8, IntegerAccumulator>(DType::int8, 75);
  expect_mma<kMmaSm80Fp16, FloatAccumulator>(DType::fp16, 80);
  expect_mma<kMmaSm80Fp16Acc16, HalfAccumulator>(DType::fp16_acc16, 80);
  expect_mma<kMmaSm80Bf16, FloatAccumulator>(DType::bf16, 80);
  expect_mma<kMmaSm80Tf32, FloatAccumulator>(DType::tf32, 80);
  expect_mma<kMmaSm80Int8, IntegerAccumulator>(DType::int8, 80);
  expect_mma<kMmaSm80Fp64, DoubleAccumulator>(DType::fp64, 80, 3);
  expect_mma<kMmaSm90Fp64, DoubleAccumulator>(DType::fp64, 90, 3);
  expect_mma<kMmaSm89Fp8, FloatAccumulator>(DType::fp8_e4m3, 89);
}

}  // namespace
}  // namespace gpuassay::kernels
