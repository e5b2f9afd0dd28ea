// Do the fake cuBLAS and cuBLASLt compute what their arguments say, and refuse what real ones refuse?
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <tuple>

#include "agent/dynlib/cublas.h"
#include "agent/dynlib/cublaslt.h"
#include "kernels/random_normal.h"
#include "tests/support/fake_gpu_session.h"

namespace gpuassay {
namespace {

using kernels::ElementFormat;
using test::FakeGpuSession;
using test::FakeSetup;
namespace lt = cublaslt;

template <class Pointer>
Pointer as(cuda::DevicePointer address) {
  return reinterpret_cast<Pointer>(address);
}

constexpr int kM = 5, kN = 3, kK = 7;
constexpr std::uint64_t kSeedA = 11, kSeedB = 12, kSeedC = 13;

double a_at(ElementFormat format, std::uint64_t index) { return kernels::element_value(format, kSeedA, index); }
double b_at(ElementFormat format, std::uint64_t index) { return kernels::element_value(format, kSeedB, index); }

/// transpose a, transpose b
class Classic : public ::testing::TestWithParam<std::tuple<bool, bool>> {};

TEST_P(Classic, SgemmWithLeadingDimensionsAndBeta) {
  const auto [ta, tb] = GetParam();
  const FakeGpuSession gpu(FakeSetup{.gpus = "K80 (board)", .driver = "470.256.02"});
  const auto blas = cublas::load(FakeGpuSession::candidate("libcublas.so.11"));
  cublas::Handle handle = nullptr;
  ASSERT_EQ(blas.api.cublasCreate_v2(&handle), 0);
  ASSERT_EQ(blas.api.cublasSetStream_v2(handle, gpu.stream()), 0);
  constexpr int kLda = 9, kLdb = 8, kLdc = 6;
  const auto a = gpu.filled(ElementFormat::fp32, kSeedA, 100);
  const auto b = gpu.filled(ElementFormat::fp32, kSeedB, 100);
  const auto c = gpu.filled(ElementFormat::fp32, kSeedC, 100);
  const float alpha = 2;
  const float beta = -0.5;
  ASSERT_EQ(blas.api.cublasSgemm_v2(handle, ta ? 1 : 0, tb ? 1 : 0, kM, kN, kK, &alpha, as<float*>(a), kLda,
                                    as<float*>(b), kLdb, &beta, as<float*>(c), kLdc),
            0);
  const auto got = gpu.values(c, ElementFormat::fp32, 100);
  for (std::uint64_t index = 0; index < 100; ++index) {
    const std::uint64_t row = index % kLdc;
    const std::uint64_t column = index / kLdc;
    const double before = kernels::element_value(ElementFormat::fp32, kSeedC, index);
    if (row >= kM || column >= kN) {
      EXPECT_EQ(got[index], before) << "padding " << index;
      continue;
    }
    double sum = 0;
    for (std::uint64_t k = 0; k < kK; ++k) {
      sum += a_at(ElementFormat::fp32, ta ? row * kLda + k : k * kLda + row) *
             b_at(ElementFormat::fp32, tb ? k * kLdb + column : column * kLdb + k);
    }
    EXPECT_NEAR(got[index], 2 * sum - 0.5 * before, 1e-6) << index;
  }
  EXPECT_EQ(blas.api.cublasDestroy_v2(handle), 0);
}

INSTANTIATE_TEST_SUITE_P(AllTranspositions, Classic, ::testing::Combine(::testing::Bool(), ::testing::Bool()));

TEST(FakeCublas, StridedBatch) {
  const FakeGpuSession gpu(FakeSetup{});
  const auto blas = cublas::load(FakeGpuSession::candidate("libcublas.so.12"));
  EXPECT_EQ(blas.version.major, 12);
  cublas::Handle handle = nullptr;
  ASSERT_EQ(blas.api.cublasCreate_v2(&handle), 0);
  constexpr int kBatch = 3, kStride = 40;
  constexpr std::size_t kCount = 120, kPadding = 2;  // elements in all; columns before the one looked at
  const auto a = gpu.filled(ElementFormat::fp16, kSeedA, kCount);
  const auto b = gpu.filled(ElementFormat::fp16, kSeedB, kCount);
  const auto c = gpu.allocate(kCount * 4);
  const float alpha = 1;
  const float beta = 0;
  ASSERT_EQ(blas.api.cublasGemmStridedBatchedEx(handle, 0, 0, kM, kN, kK, &alpha, as<void*>(a), cublas::kR16F, kM,
                                                kStride, as<void*>(b), cublas::kR16F, kK, kStride, &beta, as<void*>(c),
                                                cublas::kR32F, kM, kStride, kBatch, cublas::kCompute32F, -1),
            0);
  const auto got = gpu.values(c, ElementFormat::fp32, kCount);
  for (std::uint64_t matrix = 0; matrix < kBatch; ++matrix) {
    double sum = 0;
    for (std::uint64_t k = 0; k < kK; ++k) {
      sum += a_at(ElementFormat::fp16, matrix * kStride + k * kM + 4) *
             b_at(ElementFormat::fp16, matrix * kStride + kPadding * kK + k);
    }
    EXPECT_NEAR(got[matrix * kStride + kPadding * kM + 4], sum, 1e-6);
  }
}

TEST(FakeCublas, Fp32ReadsTheRoundedNumbersThatATf32FillWrote) {
  const FakeGpuSession gpu(FakeSetup{});
  const auto blas = cublas::load(FakeGpuSession::candidate("libcublas.so.12"));
  cublas::Handle handle = nullptr;
  ASSERT_EQ(blas.api.cublasCreate_v2(&handle), 0);
  ASSERT_EQ(blas.api.cublasSetStream_v2(handle, gpu.stream()), 0);
  const auto a = gpu.filled(ElementFormat::tf32, kSeedA, std::uint64_t{kM} * kK);
  const auto b = gpu.filled(ElementFormat::tf32, kSeedB, std::uint64_t{kK} * kN);
  const auto c = gpu.allocate(sizeof(float) * kM * kN);
  const float one = 1;
  const float zero = 0;
  ASSERT_EQ(blas.api.cublasSgemm_v2(handle, 0, 0, kM, kN, kK, &one, as<float*>(a), kM, as<float*>(b), kK, &zero,
                                    as<float*>(c), kM),
            0);
  const auto got = gpu.values(c, ElementFormat::fp32, std::size_t{kM} * kN);
  double sum = 0;
  for (std::uint64_t k = 0; k < kK; ++k) sum += a_at(ElementFormat::tf32, k * kM) * b_at(ElementFormat::tf32, k);
  EXPECT_NEAR(got[0], sum, 1e-6);
  EXPECT_EQ(blas.api.cublasDestroy_v2(handle), 0);
}

TEST(FakeCublas, LibrariesWithoutKernelsForTheGpuSayWhatRealOnesSay) {
  const FakeGpuSession gpu(FakeSetup{.gpus = "V100-SXM2-16GB", .driver = "580.65.06"});
  const auto blas = cublas::load(FakeGpuSession::candidate("libcublas.so.13"));
  cublas::Handle handle = nullptr;
  ASSERT_EQ(blas.api.cublasCreate_v2(&handle), 0);
  const auto memory = gpu.allocate(4096);
  const float one = 1;
  EXPECT_EQ(blas.api.cublasSgemm_v2(handle, 0, 0, 4, 4, 4, &one, as<float*>(memory), 4, as<float*>(memory), 4, &one,
                                    as<float*>(memory), 4),
            cublas::kArchMismatch);
}

TEST(FakeCublas, OldDriversRefuseNewLibrariesAndKeplerRefusesGemmEx) {
  const FakeGpuSession gpu(FakeSetup{.gpus = "K80 (board)", .driver = "470.256.02"});
  const auto newer = cublas::load(FakeGpuSession::candidate("libcublas.so.12"));
  cublas::Handle handle = nullptr;
  EXPECT_EQ(newer.api.cublasCreate_v2(&handle), cublas::kNotInitialized);
  const auto blas = cublas::load(FakeGpuSession::candidate("libcublas.so.11"));
  ASSERT_EQ(blas.api.cublasCreate_v2(&handle), 0);
  const auto memory = gpu.allocate(4096);
  const float one = 1;
  EXPECT_EQ(blas.api.cublasGemmEx(handle, 0, 0, 4, 4, 4, &one, as<void*>(memory), cublas::kR32F, 4, as<void*>(memory),
                                  cublas::kR32F, 4, &one, as<void*>(memory), cublas::kR32F, 4, cublas::kCompute32F, -1),
            cublas::kArchMismatch);
}

/// A product through cuBLASLt, as the agent makes it.
class LtProduct {
 public:
  LtProduct(const FakeGpuSession& gpu, const std::string& soname)
      : gpu_(gpu), lt_(lt::load(FakeGpuSession::candidate(soname))), workspace_(gpu.allocate(kWorkspaceBytes)) {
    gpu.require(lt_.api.cublasLtCreate(&handle_), "cublasLtCreate");
    gpu.require(lt_.api.cublasLtMatmulPreferenceCreate(&preference_), "preference");
    const std::uint64_t bytes = kWorkspaceBytes;
    gpu.require(lt_.api.cublasLtMatmulPreferenceSetAttribute(preference_, lt::kPreferenceMaxWorkspaceBytes, &bytes, 8),
                "preference");
  }

  static constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20;

  [[nodiscard]] const lt::Api& api() const { return lt_.api; }
  [[nodiscard]] lt::MatmulDesc desc(int compute, int scale, int transa, int transb) const {
    lt::MatmulDesc made = nullptr;
    gpu_.require(lt_.api.cublasLtMatmulDescCreate(&made, compute, scale), "desc");
    gpu_.require(lt_.api.cublasLtMatmulDescSetAttribute(made, lt::kDescTransA, &transa, 4), "transa");
    gpu_.require(lt_.api.cublasLtMatmulDescSetAttribute(made, lt::kDescTransB, &transb, 4), "transb");
    return made;
  }
  [[nodiscard]] lt::MatrixLayout layout(int type, std::uint64_t rows, std::uint64_t columns, std::int64_t ld,
                                        int order = lt::kOrderColumn) const {
    lt::MatrixLayout made = nullptr;
    gpu_.require(lt_.api.cublasLtMatrixLayoutCreate(&made, type, rows, columns, ld), "layout");
    gpu_.require(lt_.api.cublasLtMatrixLayoutSetAttribute(made, lt::kLayoutOrder, &order, 4), "order");
    return made;
  }
  [[nodiscard]] int heuristic(lt::MatmulDesc desc, lt::MatrixLayout a, lt::MatrixLayout b, lt::MatrixLayout d,
                              std::array<lt::HeuristicResult, 8>& results, int& count) const {
    return lt_.api.cublasLtMatmulAlgoGetHeuristic(handle_, desc, a, b, d, d, preference_, 8, results.data(), &count);
  }
  [[nodiscard]] int run(lt::MatmulDesc desc, const void* alpha, cuda::DevicePointer a, lt::MatrixLayout a_layout,
                        cuda::DevicePointer b, lt::MatrixLayout b_layout, const void* beta, cuda::DevicePointer d,
                        lt::MatrixLayout d_layout, const lt::Algo* algo,
                        std::size_t workspace = kWorkspaceBytes) const {
    return lt_.api.cublasLtMatmul(handle_, desc, alpha, as<void*>(a), a_layout, as<void*>(b), b_layout, beta,
                                  as<void*>(d), d_layout, as<void*>(d), d_layout, algo, as<void*>(workspace_),
                                  workspace, gpu_.stream());
  }

 private:
  const FakeGpuSession& gpu_;
  lt::LoadedLibrary lt_;
  lt::Handle handle_ = nullptr;
  lt::Preference preference_ = nullptr;
  cuda::DevicePointer workspace_;
};

TEST(FakeCublasLt, RowAndColumnMajorLayouts) {
  const FakeGpuSession gpu(FakeSetup{});
  const LtProduct product(gpu, "libcublasLt.so.12");
  const auto a = gpu.filled(ElementFormat::fp32, kSeedA, 100);
  const auto b = gpu.filled(ElementFormat::fp32, kSeedB, 100);
  const float one = 1;
  const float zero = 0;
  for (const bool row_major : {false, true}) {
    const int order = row_major ? lt::kOrderRow : lt::kOrderColumn;
    const auto d = gpu.allocate(400);
    const auto desc = product.desc(cublas::kCompute32F, cublas::kR32F, 0, 0);
    const auto la = product.layout(cublas::kR32F, kM, kK, row_major ? kK : kM, order);
    const auto lb = product.layout(cublas::kR32F, kK, kN, row_major ? kN : kK, order);
    const auto ld = product.layout(cublas::kR32F, kM, kN, row_major ? kN : kM, order);
    std::array<lt::HeuristicResult, 8> results{};
    int count = 0;
    ASSERT_EQ(product.heuristic(desc, la, lb, ld, results, count), 0);
    ASSERT_GE(count, 3);
    ASSERT_EQ(product.run(desc, &one, a, la, b, lb, &zero, d, ld, &results[1].algo), 0);
    const auto got = gpu.values(d, ElementFormat::fp32, std::size_t{kM} * kN);
    for (std::uint64_t row = 0; row < kM; ++row) {
      for (std::uint64_t column = 0; column < kN; ++column) {
        double sum = 0;
        for (std::uint64_t k = 0; k < kK; ++k) {
          sum += a_at(ElementFormat::fp32, row_major ? row * kK + k : k * kM + row) *
                 b_at(ElementFormat::fp32, row_major ? k * kN + column : column * kK + k);
        }
        EXPECT_NEAR(got[row_major ? row * kN + column : column * kM + row], sum, 1e-6);
      }
    }
  }
}

TEST(FakeCublasLt, CandidatesDifferInSpeedAndWorkspace) {
  const FakeGpuSession gpu(FakeSetup{});
  const LtProduct product(gpu, "libcublasLt.so.12");
  constexpr int kSize = 4096;
  const auto matrix = gpu.filled(ElementFormat::fp16, kSeedA, std::uint64_t{kSize} * kSize);
  const auto d = gpu.allocate(std::size_t{2} * kSize * kSize);
  const auto desc = product.desc(cublas::kCompute32F, cublas::kR32F, 0, 0);
  const auto layout = product.layout(cublas::kR16F, kSize, kSize, kSize);
  std::array<lt::HeuristicResult, 8> results{};
  int count = 0;
  ASSERT_EQ(product.heuristic(desc, layout, layout, layout, results, count), 0);
  const float one = 1;
  const float zero = 0;
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    const auto& result = results.at(static_cast<std::size_t>(i));
    EXPECT_LE(result.workspace_bytes, LtProduct::kWorkspaceBytes);
    times.push_back(gpu.time_ns([&] {
      ASSERT_EQ(product.run(desc, &one, matrix, layout, matrix, layout, &zero, d, layout, &result.algo), 0);
    }));
    if (result.workspace_bytes > 0) {
      EXPECT_EQ(product.run(desc, &one, matrix, layout, matrix, layout, &zero, d, layout, &result.algo, 0),
                cublas::kInvalidValue);
    }
  }
  const double best = *std::min_element(times.begin(), times.end());
  EXPECT_GT(times.front(), best);
  const double tflop_per_s = 2.0 * kSize * kSize * kSize / best / 1000;
  EXPECT_GT(tflop_per_s, 0.8 * 125);
  EXPECT_LT(tflop_per_s, 125);
}

struct Support {
  const char* gpu;
  const char* driver;
  const char* soname;
  const char* version;
  int type, output, compute, scale;
  bool transposed;
  int expected;
};

class LtSupport : public ::testing::TestWithParam<Support> {};

TEST_P(LtSupport, HeuristicAnswers) {
  const Support& row = GetParam();
  const FakeGpuSession gpu(FakeSetup{.gpus = row.gpu, .driver = row.driver, .cublas = row.version});
  const LtProduct product(gpu, row.soname);
  constexpr int kSize = 64;
  const auto desc = product.desc(row.compute, row.scale, row.transposed ? 1 : 0, 0);
  const auto in = product.layout(row.type, kSize, kSize, kSize);
  const auto out = product.layout(row.output, kSize, kSize, kSize);
  std::array<lt::HeuristicResult, 8> results{};
  int count = 0;
  EXPECT_EQ(product.heuristic(desc, in, in, out, results, count), row.expected);
}

using cublas::kCompute16F;
using cublas::kCompute32F;
using cublas::kCompute32I;
using cublas::kR16BF;
using cublas::kR16F;
using cublas::kR32F;
using cublas::kR32I;
using cublas::kR4FE2M1;
using cublas::kR8FE4M3;
using cublas::kR8I;
constexpr const char* k12 = "libcublasLt.so.12";

INSTANTIATE_TEST_SUITE_P(
    Table, LtSupport,
    ::testing::Values(
        Support{"T4", "550.54.15", k12, "12.4.5", kR16F, kR16F, kCompute16F, kR16F, false, 0},
        Support{"T4", "550.54.15", k12, "12.4.5", kR16F, kR16F, kCompute16F, kR32F, false, 15},
        Support{"T4", "550.54.15", k12, "12.4.5", kR16BF, kR16BF, kCompute32F, kR32F, false, 15},
        Support{"A100-SXM4-80GB", "535.1", k12, "12.2.5", kR16BF, kR16BF, kCompute32F, kR32F, false, 0},
        Support{"T4", "550.54.15", k12, "12.4.5", kR8I, kR32I, kCompute32I, kR32I, true, 0},
        Support{"T4", "550.54.15", k12, "12.4.5", kR8I, kR32I, kCompute32I, kR32I, false, 15},
        Support{"V100-SXM2-16GB", "535.1", k12, "12.2.5", kR8I, kR32I, kCompute32I, kR32I, true, 15},
        Support{"A100-SXM4-80GB", "570.1", k12, "12.8.4", kR8FE4M3, kR16BF, kCompute32F, kR32F, true, 15},
        Support{"H200-SXM", "570.1", k12, "12.8.4", kR8FE4M3, kR16BF, kCompute32F, kR32F, true, 0},
        Support{"H200-SXM", "570.1", k12, "12.8.4", kR8FE4M3, kR16BF, kCompute32F, kR32F, false, 15},
        Support{"RTX 5090", "575.1", k12, "12.8.4", kR4FE2M1, kR16BF, kCompute32F, kR32F, true, 15},
        Support{"RTX 5090", "575.1", k12, "12.4.5", kR16F, kR16F, kCompute32F, kR32F, false, 15},
        Support{"V100-SXM2-16GB", "580.1", "libcublasLt.so.13", "13.0.2", kR16F, kR16F, kCompute32F, kR32F, false, 15},
        Support{"K80 (board)", "470.1", "libcublasLt.so.11", "11.11.3", kR32F, kR32F, kCompute32F, kR32F, false, 15}));

TEST(FakeCublasLt, BlockScaledFp4UsesEachBlocksFactor) {
  const FakeGpuSession gpu(FakeSetup{.gpus = "RTX 5090", .driver = "580.65.06", .cublas = "12.8.4"});
  const LtProduct product(gpu, k12);
  constexpr std::uint64_t kSize = 64;
  const auto a = gpu.filled(ElementFormat::e2m1, kSeedA, kSize * kSize);
  const auto b = gpu.filled(ElementFormat::e2m1, kSeedB, kSize * kSize);
  const auto d = gpu.allocate(kSize * kSize * 4);
  // One tile of 512 factors: 1, but 2 (e4m3 0x40) for block 1 of line 33, which lies at 1 * 16 + 1 * 4 + 1.
  std::vector<std::byte> scales(512, std::byte{0x38});
  const auto ones = gpu.allocate(512);
  gpu.upload(ones, scales);
  scales.at(21) = std::byte{0x40};
  const auto with_two = gpu.allocate(512);
  gpu.upload(with_two, scales);
  const auto desc = product.desc(kCompute32F, kR32F, 1, 0);
  const int mode = lt::kScaleVec16UE4M3;
  for (const auto attribute : {lt::kDescAScaleMode, lt::kDescBScaleMode}) {
    ASSERT_EQ(product.api().cublasLtMatmulDescSetAttribute(desc, attribute, &mode, 4), 0);
  }
  ASSERT_EQ(product.api().cublasLtMatmulDescSetAttribute(desc, lt::kDescAScalePointer, &with_two, 8), 0);
  ASSERT_EQ(product.api().cublasLtMatmulDescSetAttribute(desc, lt::kDescBScalePointer, &ones, 8), 0);
  const auto in = product.layout(kR4FE2M1, kSize, kSize, kSize);
  const auto out = product.layout(kR32F, kSize, kSize, kSize);
  const float one = 1;
  const float zero = 0;
  ASSERT_EQ(product.run(desc, &one, a, in, b, in, &zero, d, out, nullptr), 0);
  const auto got = gpu.values(d, ElementFormat::fp32, kSize * kSize);
  for (const std::uint64_t row : {32U, 33U}) {
    double sum = 0;
    for (std::uint64_t k = 0; k < kSize; ++k) {
      const double factor = row == 33 && k / 16 == 1 ? 2 : 1;
      sum += factor * a_at(ElementFormat::e2m1, row * kSize + k) * b_at(ElementFormat::e2m1, 5 * kSize + k);
    }
    EXPECT_NEAR(got[5 * kSize + row], sum, 1e-5) << row;
  }
}

TEST(FakeCublasLt, ElementsOfALargeProductComeQuickly) {
  const FakeGpuSession gpu(FakeSetup{});
  const LtProduct product(gpu, k12);
  constexpr std::uint64_t kSize = 8192;
  const auto a = gpu.filled(ElementFormat::fp16, kSeedA, kSize * kSize);
  const auto d = gpu.allocate(2 * kSize * kSize);
  const auto desc = product.desc(kCompute32F, kR32F, 0, 0);
  const auto layout = product.layout(kR16F, kSize, kSize, kSize);
  const float one = 1;
  const float zero = 0;
  ASSERT_EQ(product.run(desc, &one, a, layout, a, layout, &zero, d, layout, nullptr), 0);
  std::vector<std::uint64_t> positions(128);
  for (std::uint64_t i = 0; i < positions.size(); ++i) positions[i] = i * 524'287;
  const auto where = gpu.allocate(positions.size() * 8);
  gpu.upload(where, std::as_bytes(std::span(positions)));
  const auto to = gpu.allocate(positions.size() * 2);
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(gpu.launch(kernels::kSample, 1, kernels::SampleArguments{d, where, to, positions.size(), 2, 0}), 0);
  const auto got = gpu.values(to, ElementFormat::fp16, positions.size());
  const auto elapsed = std::chrono::steady_clock::now() - begin;
  double sum = 0;
  const std::uint64_t row = positions[77] % kSize;
  const std::uint64_t column = positions[77] / kSize;
  for (std::uint64_t k = 0; k < kSize; ++k) {
    sum += a_at(ElementFormat::fp16, k * kSize + row) * a_at(ElementFormat::fp16, column * kSize + k);
  }
  EXPECT_NEAR(got[77], sum, 0.1);
  // Generous: under sanitizers and on a busy machine too.
  EXPECT_LT(elapsed, std::chrono::seconds(2));
  RecordProperty("milliseconds",
                 static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count()));
}

}  // namespace
}  // namespace gpuassay
