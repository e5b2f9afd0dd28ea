#include "core/estimate.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/framework_costs.h"
#include "core/gpu_lookup.h"
#include "core/operations.h"
#include "core/workload_reader.h"

namespace gpuassay {
namespace {

constexpr std::string_view kTable =
    "name,value,what\nstart_ns,1000,\nconv_fp16,0.5,\ngemm_fp16,0.8,\nconv_tf32,0.25,\ngemm_tf32,0.4,\nconv_fp32,0.9,\n"
    "gemm_fp32,0.75,\noperands,0.5,\nnot_hidden,0.25,\ntraffic,1,\ntraffic_slowdown,10,\ntraffic_most,0.75,\n"
    "graph_launch_ns,600,\nkernel_launch_ns,4000,\nerror,0.25,\nerror_unseen,1,\ncapability,8.0,\n";

/// 1000 GB/s, 20 TFLOP/s on lanes, 400 on tensor cores in 16 bits, and no figure for tf32.
GpuSpec made_up_gpu() {
  GpuSpec spec;
  spec.gpu = "made up";
  spec.nvml_names = {"NVIDIA Made Up"};
  spec.compute_capability = "8.0";
  spec.sm_count = 100;
  spec.memory_gib = 16;
  spec.bandwidth_gb_per_s = 1000;
  spec.fp32_tflop_per_s = 20;
  spec.fp16_tensor_tflop_per_s = 400;
  return spec;
}

SpecifiedTimes made_up_times(const GpuSpec& spec = made_up_gpu()) {
  return SpecifiedTimes(spec, parse_estimate_efficiencies(kTable));
}

std::string refusal_of(std::string_view name) {
  try {
    const FoundGpu found = find_gpu_by_name(name);
    return "found " + found.spec->gpu;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    return error.what();
  }
}

double samples_per_s(const char* gpu, std::size_t workload, EstimatePrecision precision = EstimatePrecision::best) {
  return estimate_workloads(*gpu_spec_named(gpu), precision).at(workload).samples_per_s;
}

TEST(SpecifiedTimes, OfAProductByHand) {
  // 2 * 4096 * 4096 * 1024 FLOP at 0.8 * 400,000 per ns; 2 * (4096*1024 + 1024*4096 + 4096*4096) bytes at 0.5 * 1000.
  const double computing_ns = 34'359'738'368.0 / 320'000;
  const double moving_ns = 50'331'648.0 / 500;
  const auto time = made_up_times().of(GemmParams{DType::fp16, 4096, 4096, 1024, 1});
  ASSERT_TRUE(time);
  EXPECT_DOUBLE_EQ(time->median_ns, 1000 + computing_ns + 0.25 * moving_ns);
  EXPECT_DOUBLE_EQ(time->low_ns, time->median_ns / 1.25);
  EXPECT_DOUBLE_EQ(time->high_ns, time->median_ns * 1.25);
  EXPECT_FALSE(time->measured);
}

TEST(SpecifiedTimes, OfAConvolutionByHand) {
  // 16 images, 8 channels of 8 x 8 to 16, filters of 1 x 1: 2 * 16 * 16 * 8 * 8 * 8 FLOP in tf32, which has half of
  // fp16.
  const ConvParams conv{DType::tf32, ConvDirection::forward, 16, 8, 8, 8, 16, 1, 1, 1, 0};
  const double computing_ns = 262'144.0 / (0.25 * 200'000);
  const double moving_ns = 4.0 * (16 * (8 * 64 + 16 * 64) + 16 * 8) / 500;
  const auto time = made_up_times().of(conv);
  ASSERT_TRUE(time);
  EXPECT_DOUBLE_EQ(time->median_ns, 1000 + moving_ns + 0.25 * computing_ns) << "moving lasts longer here";
}

TEST(SpecifiedTimes, OtherKernelsByHand) {
  // 1000 bytes per 20,000 FLOP: a share of 1 / (1 + 10 * 0.05).
  EXPECT_DOUBLE_EQ(made_up_times().triad_ns_per_byte()->median_ns, 1.5 / 1000);
  GpuSpec narrow = made_up_gpu();
  narrow.bandwidth_gb_per_s = 100;  // 1 / (1 + 10 * 0.005) would be more than is ever reached
  EXPECT_DOUBLE_EQ(made_up_times(narrow).triad_ns_per_byte()->median_ns, 1 / (0.75 * 100));
  EXPECT_EQ(made_up_times().latency_ns(LatencyKind::graph_launch), 600);
  EXPECT_EQ(made_up_times().latency_ns(LatencyKind::kernel_launch), 4000);
}

TEST(SpecifiedTimes, TypesThatAreThere) {
  const SpecifiedTimes times = made_up_times();
  EXPECT_EQ(times.best_gemm_flops_per_ns(DType::fp16), 320'000);
  EXPECT_EQ(times.best_gemm_flops_per_ns(DType::bf16), 320'000);
  EXPECT_EQ(times.best_gemm_flops_per_ns(DType::tf32), 0.4 * 200'000);
  EXPECT_EQ(times.best_gemm_flops_per_ns(DType::fp32), 0.75 * 20'000);
  EXPECT_FALSE(times.best_gemm_flops_per_ns(DType::int8));
  EXPECT_FALSE(times.of(GemmParams{DType::fp64, 8, 8, 8, 1}));
  EXPECT_FALSE(times.of(BandwidthParams{BandwidthKernel::triad, MemoryLevel::dram, 1}));
}

TEST(SpecifiedTimes, VoltaHasNoTf32AndPascalNoTensorCores) {
  const SpecifiedTimes volta(*gpu_spec_named("V100-SXM2-16GB"));
  EXPECT_TRUE(volta.best_gemm_flops_per_ns(DType::fp16));
  EXPECT_FALSE(volta.best_gemm_flops_per_ns(DType::tf32));
  EXPECT_FALSE(volta.best_gemm_flops_per_ns(DType::bf16));
  const SpecifiedTimes pascal(*gpu_spec_named("P100-SXM2-16GB"));
  EXPECT_TRUE(pascal.best_gemm_flops_per_ns(DType::fp32));
  EXPECT_FALSE(pascal.best_gemm_flops_per_ns(DType::fp16));
}

TEST(SpecifiedTimes, KeplerFeedsTwoThirdsOfItsLanes) {
  const double share = estimate_efficiencies().fp32.gemm;
  const auto rate = SpecifiedTimes(*gpu_spec_named("K80 (one GK210)")).best_gemm_flops_per_ns(DType::fp32);
  EXPECT_NEAR(*rate, 4110 * share * 2 / 3, 0.5);
}

TEST(SpecifiedTimes, TensorCoresWithoutAPublishedFigureRunAtHalfRate) {
  const auto rate = SpecifiedTimes(*gpu_spec_named("A10G")).best_gemm_flops_per_ns(DType::fp16);
  // 72 multiprocessors, 1710 MHz, 512 FLOP a clock.
  EXPECT_NEAR(*rate, 72 * 1.71 * 512 * estimate_efficiencies().fp16.gemm, 1);
}

TEST(SpecifiedTimes, WiderWhereNothingWasPublished) {
  EXPECT_EQ(SpecifiedTimes(*gpu_spec_named("A30")).error(), estimate_efficiencies().error);
  EXPECT_EQ(SpecifiedTimes(*gpu_spec_named("L4")).error(), estimate_efficiencies().error_unseen);
  EXPECT_LT(estimate_efficiencies().error, estimate_efficiencies().error_unseen);
}

TEST(EstimateEfficiencies, RefusesWhatIsMissingOrNoNumber) {
  const auto problem = [](std::string_view csv) -> std::string {
    try {
      parse_estimate_efficiencies(csv);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_NE(problem("name,value,what\nconv_fp16,0.5,\n").find("has no gemm_fp16"), std::string::npos);
  for (const char* value : {"", "x", "0", "-1", "1x", "nan", "inf"}) {
    const std::string csv = "name,value,what\nconv_fp16," + std::string(value) + ",\n";
    EXPECT_NE(problem(csv).find("conv_fp16 is not a positive number"), std::string::npos) << value;
  }
}

TEST(Estimate, EveryGpuOfTheTableHasEveryWorkload) {
  EXPECT_EQ(gpu_specs().size(), 57U);
  for (const GpuSpec& row : gpu_specs()) {
    const FoundGpu found = find_gpu_by_name(row.gpu);
    EXPECT_EQ(found.of_board, row.is_board ? row.gpu : "") << row.gpu;
    for (const EstimatePrecision precision :
         {EstimatePrecision::fp32, EstimatePrecision::mixed, EstimatePrecision::best}) {
      const auto estimates = estimate_workloads(*found.spec, precision);
      ASSERT_EQ(estimates.size(), core_workloads().size()) << row.gpu;
      for (std::size_t i = 0; i < estimates.size(); ++i) {
        EXPECT_EQ(estimates[i].name, core_workloads()[i].id);
        EXPECT_GT(estimates[i].low, 0) << row.gpu;
        EXPECT_LT(estimates[i].low, estimates[i].samples_per_s) << row.gpu;
        EXPECT_LT(estimates[i].samples_per_s, estimates[i].high) << row.gpu;
      }
    }
  }
}

TEST(Estimate, FasterGenerationsAreFaster) {
  for (std::size_t workload = 0; workload < core_workloads().size(); ++workload) {
    const char* slower = "K80 (one GK210)";
    for (const char* gpu : {"P100-SXM2-16GB", "V100-SXM2-16GB", "A100-SXM4-80GB", "H100-SXM5-80GB", "B200-SXM"}) {
      EXPECT_GT(samples_per_s(gpu, workload), samples_per_s(slower, workload)) << gpu << core_workloads()[workload].id;
      slower = gpu;
    }
    EXPECT_GT(samples_per_s("V100-SXM2-16GB", workload), samples_per_s("T4", workload));
    EXPECT_GT(samples_per_s("A100-SXM4-80GB", workload), samples_per_s("A100-SXM4-40GB", workload));
    EXPECT_GT(samples_per_s("RTX A6000", workload), samples_per_s("RTX A4000", workload));
  }
}

TEST(Estimate, ThePublishedA100AndV100AreNear) {
  // Of one card and network different people published different figures (docs/measured/published_throughput.csv, NGC
  // 21.03 and 22.09): 1582 and 2470 images/s in mixed precision, 938 and 1066 in tf32; 833 and 1200 on the V100.
  const auto between = [](double value, double lowest, double highest) {
    EXPECT_GE(value, lowest);
    EXPECT_LE(value, highest);
  };
  between(samples_per_s("A100-SXM4-80GB", 0, EstimatePrecision::mixed), 1582, 2470);
  between(samples_per_s("A100-SXM4-80GB", 0, EstimatePrecision::fp32), 938, 1.15 * 1066);
  between(samples_per_s("V100-SXM2-16GB", 0, EstimatePrecision::mixed), 833, 1200);
}

TEST(Estimate, BestIsTheFasterOfBoth) {
  const GpuSpec& spec = *gpu_spec_named("A100-SXM4-80GB");
  const auto fp32 = estimate_workloads(spec, EstimatePrecision::fp32);
  const auto mixed = estimate_workloads(spec, EstimatePrecision::mixed);
  const auto best = estimate_workloads(spec, EstimatePrecision::best);
  for (std::size_t i = 0; i < best.size(); ++i)
    EXPECT_EQ(best[i].samples_per_s, std::max(fp32[i].samples_per_s, mixed[i].samples_per_s));
  EXPECT_EQ(fp32[0].dtype, DType::tf32);
  EXPECT_EQ(mixed[0].dtype, DType::fp16);
}

TEST(Estimate, WithoutTensorCoresAllIsFp32) {
  const GpuSpec& spec = *gpu_spec_named("GTX 1080 Ti");
  const auto fp32 = estimate_workloads(spec, EstimatePrecision::fp32);
  const auto mixed = estimate_workloads(spec, EstimatePrecision::mixed);
  for (std::size_t i = 0; i < fp32.size(); ++i) {
    EXPECT_EQ(mixed[i].samples_per_s, fp32[i].samples_per_s);
    EXPECT_EQ(mixed[i].dtype, DType::fp32);
    EXPECT_EQ(mixed[i].precision, WorkloadPrecision::mixed);
  }
}

TEST(Estimate, SaysWhereTheMemoryIsTooSmall) {
  // BERT-large trains in 6.00 GB (docs/WORKLOADS.md), a GTX 1060 has 6.4; ResNet-50 takes 5.76.
  const auto estimates = estimate_workloads(*gpu_spec_named("GTX 1060 6GB"), EstimatePrecision::mixed);
  EXPECT_TRUE(estimates[0].fits);
  EXPECT_FALSE(estimates[1].fits);
  for (const WorkloadEstimate& each : estimate_workloads(*gpu_spec_named("P4"), EstimatePrecision::fp32))
    EXPECT_TRUE(each.fits) << each.name << ": every one fits into 8 GB";
}

TEST(Estimate, ABoardOrARowThatSaysTooLittleHasNone) {
  EXPECT_THROW(estimate_workloads(*gpu_spec_named("K80 (board)"), EstimatePrecision::best), Error);
  GpuSpec unknown = made_up_gpu();
  unknown.bandwidth_gb_per_s.reset();
  EXPECT_THROW(estimate_workloads(unknown, EstimatePrecision::best), Error);
}

TEST(GpuLookup, NamesOfTheTableTheDriverAndPeople) {
  for (const auto& [name, gpu] : std::vector<std::pair<const char*, const char*>>{
           {"T4", "T4"},
           {"tesla t4", "T4"},
           {"NVIDIA  A100-SXM4-80GB ", "A100-SXM4-80GB"},
           {"A100-SXM-80GB", "A100-SXM4-80GB"},
           {"A100 80GB SXM", "A100-SXM4-80GB"},
           {"nvidia geforce rtx 3090", "RTX 3090"},
           {"GeForce RTX 3090", "RTX 3090"},
           {"Tesla K80", "K80 (one GK210)"},
           {"h100-sxm5-80gb", "H100-SXM5-80GB"},
       }) {
    EXPECT_EQ(find_gpu_by_name(name).spec, gpu_spec_named(gpu)) << name;
  }
  const FoundGpu board = find_gpu_by_name("k80 (BOARD)");
  EXPECT_EQ(board.spec->gpu, "K80 (one GK210)");
  EXPECT_EQ(board.of_board, "K80 (board)");
}

TEST(GpuLookup, EveryNameOfTheTableIsFound) {
  for (const GpuSpec& row : gpu_specs()) {
    for (const std::string& name : row.nvml_names) {
      const FoundGpu found = find_gpu_by_name(name);
      EXPECT_EQ(found.spec->nvml_names, row.nvml_names) << name;
      EXPECT_FALSE(found.spec->is_board);
    }
  }
}

TEST(GpuLookup, SaysWhatIsNear) {
  EXPECT_EQ(refusal_of("RTX 3091"),
            "there is no GPU 'RTX 3091' in the table; the nearest names are RTX 3090, RTX 3080, RTX 4090");
  EXPECT_EQ(nearest_gpu_names("tesla t5", 1), std::vector<std::string>{"T4"});
  EXPECT_EQ(nearest_gpu_names("", 0), std::vector<std::string>{});
  EXPECT_EQ(nearest_gpu_names("T4", 1000).size(), 56U) << "all but the board";
}

TEST(GpuLookup, RefusesWhatIsAmbiguousOrAPart) {
  EXPECT_EQ(refusal_of("P100"),
            "'P100' may be any of P100-PCIE-12GB, P100-PCIE-16GB, P100-SXM2-16GB; name one of them");
  EXPECT_EQ(
      refusal_of("NVIDIA A100-SXM4-80GB MIG 1g.10gb"),
      "'NVIDIA A100-SXM4-80GB MIG 1g.10gb' is a part of a GPU; estimates are of whole ones, here of A100-SXM4-80GB");
  EXPECT_NE(refusal_of("GRID T4-16C").find("is a part of a GPU"), std::string::npos);
  EXPECT_EQ(refusal_of(""), "the name of the GPU is empty; name one such as T4");
  EXPECT_EQ(refusal_of("   "), "the name of the GPU is empty; name one such as T4");
}

TEST(GpuLookup, HostileNamesAreShortAndUtf8InTheRefusal) {
  const std::string long_one = refusal_of(std::string(100'000, 'x'));
  EXPECT_LT(long_one.size(), 200U);
  EXPECT_NE(long_one.find("xxx...'"), std::string::npos);
  EXPECT_NE(refusal_of("\xff\xfeT4").find("there is no GPU 'T4'"), std::string::npos) << "never taken for the T4";
  EXPECT_NE(refusal_of("T4\n").find("there is no GPU 'T4?'"), std::string::npos);
  EXPECT_NE(refusal_of("\u202eT4").find("there is no GPU 'T4'"), std::string::npos) << "no override of direction";
}

}  // namespace
}  // namespace gpuassay
