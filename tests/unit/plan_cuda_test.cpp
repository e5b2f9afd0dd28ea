#include "agent/plan_cuda.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "agent/plan.h"
#include "core/operations.h"
#include "core/replay.h"
#include "core/result_json.h"
#include "core/workload_reader.h"
#include "tests/support/example_result.h"
#include "tests/support/planned_machine.h"

namespace gpuassay {
namespace {

using test::has_case;
using test::has_prefix;
using test::kSevenGpus;
using test::machine;

TEST(PlanCuda, EveryDeviceHasHeadlinesThenTheScore) {
  for (const char* row : kSevenGpus) {
    const Inventory inventory = machine({row});
    const ComputeTypes types = preferred_types(inventory.devices[0]);
    std::set<std::string> of_networks;
    for (const WorkloadPrecision precision : {WorkloadPrecision::mixed, WorkloadPrecision::full}) {
      for (const ReplayOperation& each : replay_operations(core_workloads(), precision, types, 100))
        of_networks.insert(case_id(each.params));
    }
    std::size_t before = 0;
    for (const Profile profile : {Profile::quick, Profile::standard, Profile::full}) {
      const auto cases = plan(inventory, profile);
      EXPECT_TRUE(cases[0].id.starts_with(types.half == DType::fp16 ? "gemm/fp16/" : "gemm/fp32/")) << row;
      EXPECT_TRUE(cases[0].gpu_telemetry);
      EXPECT_EQ(cases[1].id, "bandwidth/triad/dram");
      EXPECT_EQ(cases[2].id, "latency/kernel_launch") << row;
      EXPECT_EQ(cases[3].id, "latency/graph_launch") << row;
      std::size_t place = 4;
      while (of_networks.contains(cases[place].id)) ++place;
      EXPECT_GT(place - 4, before) << row << ": every profile has more of them";
      before = place - 4;
    }
    EXPECT_EQ(before, of_networks.size()) << row << ": all in full";
  }
}

TEST(PlanCuda, IdsAreUniquePerDeviceAndParamsArePossible) {
  for (const char* row : kSevenGpus) {
    std::set<std::string> ids;
    for (const Case& c : plan(machine({row}), Profile::full)) {
      const std::string place = c.device ? c.id : "around " + c.id;
      EXPECT_TRUE(c.repeat || c.regime == Regime::sustained || ids.insert(place).second) << place;
      EXPECT_EQ(case_id(c.params), c.id);
      EXPECT_GE(c.limits.max_time_ns, c.limits.min_time_ns);
      const Measurement m = test::ok_measurement(c.params, {1e6});
      EXPECT_EQ(measurement_from_json(to_json(m)).id, c.id) << "the reader takes the shape";
      EXPECT_TRUE(flop_count(c.params) > 0 || byte_count(c.params) > 0 || c.id.starts_with("latency/")) << c.id;
    }
  }
}

TEST(PlanCuda, FormatsFollowTheComputeCapability) {
  const auto k80 = plan(machine({"K80 (one GK210)"}), Profile::full);
  EXPECT_TRUE(has_prefix(k80, "gemm/fp64/"));
  EXPECT_FALSE(has_prefix(k80, "gemm/fp16/"));
  EXPECT_TRUE(has_case(k80, "compute/fma/fp32"));
  EXPECT_FALSE(has_prefix(k80, "compute/mma/"));
  const auto v100 = plan(machine({"V100-SXM2-16GB"}), Profile::standard);
  EXPECT_TRUE(has_prefix(v100, "gemm/fp16_acc16/"));
  EXPECT_FALSE(has_prefix(v100, "gemm/bf16/"));
  EXPECT_TRUE(has_case(v100, "compute/mma/fp16"));
  const auto h200 = plan(machine({"H200-SXM"}), Profile::standard);
  EXPECT_TRUE(has_case(h200, "gemm/fp8_e4m3/m8192n8192k8192"));
  EXPECT_TRUE(has_case(h200, "gemm/bf16/m1n28672k8192"));
  EXPECT_TRUE(has_case(h200, "gemm/bf16/m16n14336k4096b8")) << "mixture of experts";
  EXPECT_FALSE(has_prefix(h200, "gemm/fp4/"));
  EXPECT_TRUE(has_prefix(plan(machine({"RTX 5090"}), Profile::standard), "gemm/fp4/"));
}

TEST(PlanCuda, StandardHasEveryKindOfWork) {
  const auto cases = plan(machine({"A100-SXM4-40GB"}), Profile::standard);
  for (const char* id :
       {"bandwidth/copy/dram", "bandwidth/write/dram", "bandwidth/gather/dram", "bandwidth/read/l2",
        "bandwidth/h2d/pinned", "bandwidth/d2h/pinned", "bandwidth/bidirectional/pinned", "bandwidth/h2d/pageable",
        "bandwidth/d2h/pageable", "latency/kernel_launch", "latency/graph_launch", "gemm/bf16/m2048n14336k4096"}) {
    EXPECT_TRUE(has_case(cases, id)) << id;
  }
  for (const char* prefix : {"conv/tf32/", "conv/bf16/", "compute/mma/", "compute/fma/"})
    EXPECT_TRUE(has_prefix(cases, prefix));
}

TEST(PlanCuda, SizesFollowMemoryAndSpeed) {
  EXPECT_EQ(plan(machine({"A100-SXM4-40GB"}), Profile::standard)[0].id, "gemm/fp16/m8192n8192k8192");
  EXPECT_EQ(plan(machine({"K80 (one GK210)"}), Profile::standard)[0].id, "gemm/fp32/m4096n4096k4096");
  EXPECT_TRUE(has_case(plan(machine({"B200-SXM"}), Profile::full), "gemm/fp16/m16384n16384k16384"));
  Inventory crowded = machine({"A100-SXM4-40GB"});
  crowded.free_memory_bytes[0] = std::int64_t{1} << 30;  // somebody else has the rest
  const auto cases = plan(crowded, Profile::standard);
  EXPECT_EQ(cases[0].id, "gemm/fp16/m2048n2048k2048");
  const auto& triad = std::get<BandwidthParams>(cases[1].params);
  EXPECT_EQ(triad.array_bytes, 128 << 20);
  EXPECT_FALSE(has_case(plan(crowded, Profile::full), "gemm/fp16/m4096n50304k768")) << "its operands take 0.5 GB";
  for (const Case& c : cases) {
    const auto* gemm = std::get_if<GemmParams>(&c.params);
    if (gemm == nullptr) continue;
    const double elements =
        static_cast<double>(gemm->batch) * static_cast<double>(gemm->m * gemm->k + gemm->k * gemm->n);
    EXPECT_LT(elements * 2, 0.5 * 1073741824.0) << c.id;
  }
}

TEST(PlanCuda, AnUnknownCardIsPlannedAllTheSame) {
  Inventory inventory;
  Device device;
  device.kind = DeviceKind::cuda;
  device.name = "NVIDIA Something";
  inventory.devices = {device};
  const auto cases = plan(inventory, Profile::standard);
  EXPECT_TRUE(cases[0].id.starts_with("gemm/fp32/"));
  EXPECT_TRUE(has_case(cases, "bandwidth/triad/dram"));
}

TEST(PlanCuda, SeveralDevicesTakeTurnsByValue) {
  const auto cases = plan(machine({"A100-SXM4-40GB", "A100-SXM4-40GB", "T4"}), Profile::standard);
  for (int device = 0; device < 3; ++device) {
    EXPECT_EQ(cases[static_cast<std::size_t>(2 * device)].device, device);
    EXPECT_EQ(cases[static_cast<std::size_t>(2 * device) + 1].device, device);
    EXPECT_TRUE(has_case(cases, "bandwidth/h2d/pinned", device)) << "each may be badly connected";
  }
  EXPECT_TRUE(has_case(cases, "gemm/fp16/m4096n50304k768", 0));
  EXPECT_FALSE(has_case(cases, "gemm/fp16/m4096n50304k768", 1)) << "the score takes those of its twin";
  EXPECT_TRUE(has_case(cases, "gemm/fp16/m4096n50304k768", 2));
  EXPECT_TRUE(has_case(cases, "compute/fma/fp32", 0));
  EXPECT_FALSE(has_case(cases, "compute/fma/fp32", 1)) << "as its twin";
  EXPECT_TRUE(has_case(cases, "compute/fma/fp32", 2)) << "another kind";
  EXPECT_FALSE(std::any_of(cases.begin(), cases.end(), [](const Case& c) { return c.repeat; }));
}

TEST(PlanCuda, OneDeviceRepeatsHeadlinesAndScore) {
  const auto cases = plan(machine({"V100-SXM2-16GB"}), Profile::standard);
  EXPECT_EQ(std::count_if(cases.begin(), cases.end(), [](const Case& c) { return c.repeat; }), 75);
  EXPECT_TRUE(cases[cases.size() - 4].repeat) << "before three that are kept under load";
  for (const Case& c : plan(machine({"V100-SXM2-16GB"}), Profile::quick)) EXPECT_FALSE(c.repeat);
}

TEST(PlanCuda, EveryDeviceIsAskedWhetherItsMemoryIsThere) {
  const auto cases = plan(machine({"A100-SXM4-40GB", "A100-SXM4-40GB"}), Profile::standard);
  for (const int device : {0, 1}) {
    const auto found = std::find_if(cases.begin(), cases.end(), [device](const Case& c) {
      return c.id == "bandwidth/readback/dram" && c.device == device;
    });
    ASSERT_NE(found, cases.end());
    EXPECT_TRUE(found->optional) << "a run without the time for it is complete";
    const auto bytes = std::get<BandwidthParams>(found->params).array_bytes;
    EXPECT_GT(bytes, std::int64_t{32} << 30U);
    EXPECT_LT(bytes, std::int64_t{39} << 30U) << "libraries need some meanwhile";
  }
  EXPECT_FALSE(has_case(plan(machine({"T4"}), Profile::quick), "bandwidth/readback/dram"));
}

std::vector<Case> collectives_of(const std::vector<Case>& cases) {
  std::vector<Case> found;
  std::copy_if(cases.begin(), cases.end(), std::back_inserter(found),
               [](const Case& c) { return workload_of(c.params) == Workload::collective; });
  return found;
}

TEST(PlanCuda, CollectivesTakeTwoGpusAndComeAfterTheLink) {
  EXPECT_TRUE(collectives_of(plan(machine({"T4"}), Profile::full)).empty());
  const auto cases = plan(machine({"T4", "A100-SXM4-40GB"}), Profile::standard);
  const auto first = std::find_if(cases.begin(), cases.end(),
                                  [](const Case& c) { return workload_of(c.params) == Workload::collective; });
  ASSERT_NE(first, cases.end());
  EXPECT_EQ(first->id, "collective/all_reduce/fp32/ranks2/bytes67108864");
  EXPECT_EQ((first - 1)->id, "bandwidth/d2h/pinned");
  EXPECT_EQ(collectives_of(cases).size(), 17u);
  EXPECT_TRUE(has_prefix(cases, "collective/all_to_all/fp32/ranks2/bytes67108864"));
  EXPECT_TRUE(has_prefix(cases, "collective/all_reduce/fp32/ranks2/bytes4096/graph"));
  const auto quick = collectives_of(plan(machine({"T4", "T4"}), Profile::quick));
  ASSERT_EQ(quick.size(), 2u);
  for (const Case& each : quick) EXPECT_TRUE(each.optional) << "a run of 20 s may end before";
  EXPECT_EQ(collectives_of(plan(machine({"T4", "T4"}), Profile::full)).size(), 26u);
}

TEST(PlanCuda, CollectivesFitTheSmallestMemoryAndAreSharedOutEvenly) {
  Inventory three = machine({"T4", "T4", "T4"});
  three.free_memory_bytes[1] = std::int64_t{100} << 20;
  for (const Case& each : collectives_of(plan(three, Profile::full))) {
    const auto& params = std::get<CollectiveParams>(each.params);
    EXPECT_LE(params.message_bytes, (std::int64_t{100} << 20) / 8) << each.id;
    EXPECT_EQ(params.ranks, 3);
    EXPECT_EQ(params.message_bytes % (params.kind == CollectiveKind::all_reduce ? 16 : 48), 0) << each.id;
  }
}

/// Seconds a plan takes at 40 % of the theoretical peaks with 90 ms per case for preparing, trying and verifying, a
/// third of it for repeats, and 6 s for loading the libraries.
double estimated_wall_s(const Inventory& inventory, const std::vector<Case>& cases) {
  constexpr double kShareOfPeak = 0.4, kLibrariesS = 6, kCaseS = 0.09, kRepeatS = 0.03;
  double total_s = kLibrariesS;
  int group = 0;
  for (const Case& c : cases) {
    if (const auto* collective = std::get_if<CollectiveParams>(&c.params)) {
      constexpr double kSlowRingGbPerS = 3;
      const double operation_s = static_cast<double>(collective->message_bytes) / (kSlowRingGbPerS * 1e9);
      const int calls = collective->mode == CollectiveMode::bandwidth ? 7
                        : collective->mode == CollectiveMode::plain   ? c.limits.min_samples
                                                                      : 16 * c.limits.min_samples;
      total_s += kCaseS + std::max(static_cast<double>(c.limits.min_time_ns) / 1e9, calls * operation_s);
      continue;
    }
    if (c.group != 0 && c.group == group) continue;  // at the same time as the one before
    group = c.group;
    if (c.optional && c.regime == Regime::burst) continue;  // around the devices: plan_host_test.cpp
    const TheoreticalPeak& peak = *inventory.devices[static_cast<std::size_t>(c.device.value())].theoretical;
    const auto* gemm = std::get_if<GemmParams>(&c.params);
    const auto* conv = std::get_if<ConvParams>(&c.params);
    const DType dtype = gemm != nullptr ? gemm->dtype : conv != nullptr ? conv->dtype : DType::fp32;
    const auto known = peak.tflop_per_s.find(dtype);
    const double tflop_per_s = known != peak.tflop_per_s.end() ? known->second : peak.tflop_per_s.at(DType::fp32);
    const bool crosses_bus = c.id.find("pinned") != std::string::npos || c.id.find("pageable") != std::string::npos ||
                             c.id.find("p2p") != std::string::npos;
    const double gb_per_s = crosses_bus ? 5 : *peak.bandwidth_gb_per_s;
    const double weights_bytes = gemm == nullptr ? 0 : 2.0 * static_cast<double>(gemm->n * gemm->k * gemm->batch);
    const double operation_s = flop_count(c.params) / (kShareOfPeak * tflop_per_s * 1e12) +
                               (byte_count(c.params) + weights_bytes) / (kShareOfPeak * gb_per_s * 1e9);
    const bool of_library = gemm != nullptr || conv != nullptr;
    const int tried = c.repeat ? 3 : of_library ? 6 : 2;  // candidates and warm-up
    const double sampled_s =
        std::max(static_cast<double>(c.limits.max_time_ns) / 1e9, c.limits.min_samples * operation_s);
    total_s += (c.repeat ? kRepeatS : kCaseS) + tried * operation_s + sampled_s;
  }
  return total_s;
}

std::vector<Case> sustained_of(const std::vector<Case>& cases) {
  std::vector<Case> sustained;
  std::copy_if(cases.begin(), cases.end(), std::back_inserter(sustained),
               [](const Case& c) { return c.regime == Regime::sustained; });
  return sustained;
}

TEST(PlanCuda, HeadlinesAreKeptUnderLoadLast) {
  const Inventory a100 = machine({"A100-SXM4-40GB"});
  for (const Profile profile : {Profile::standard, Profile::full}) {
    const auto cases = plan(a100, profile);
    const auto sustained = sustained_of(cases);
    ASSERT_EQ(sustained.size(), 3u);
    EXPECT_EQ(cases[cases.size() - 3].regime, Regime::sustained) << "last: a run that is cut off has all bursts";
    EXPECT_EQ(sustained[0].id, "gemm/fp16/m8192n8192k8192");
    EXPECT_TRUE(sustained[1].id.starts_with("conv/fp16/")) << sustained[1].id;
    EXPECT_EQ(sustained[2].id, "bandwidth/triad/dram");
    for (const Case& each : sustained) {
      EXPECT_EQ(each.limits.max_time_ns, 7'000'000'000);
      EXPECT_TRUE(each.gpu_telemetry);
      EXPECT_FALSE(each.repeat);
    }
  }
  EXPECT_TRUE(sustained_of(plan(a100, Profile::quick)).empty());
}

TEST(PlanCuda, SeveralDevicesAreUnderLoadAtTheSameTime) {
  const auto loads = sustained_of(plan(machine({"T4", "V100-SXM2-16GB", "T4"}), Profile::standard));
  ASSERT_EQ(loads.size(), 12u) << "GEMM, convolution, triad and uploads of three devices";
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const auto group = static_cast<int>(i / 3) + 1;
    EXPECT_EQ(loads[i].group, group);
    EXPECT_EQ(loads[i].device, static_cast<int>(i % 3));
    EXPECT_EQ(loads[i].limits.max_time_ns, group == 4 ? 4'000'000'000 : 7'000'000'000);
    EXPECT_EQ(loads[i].limits.min_time_ns, loads[i].limits.max_time_ns) << "none rests while the others work";
    EXPECT_TRUE(loads[i].optional);
  }
  EXPECT_EQ(loads[3].id, loads[5].id) << "what the first T4 ran alone, both run together";
  EXPECT_EQ(loads[9].id, "bandwidth/h2d/pinned");
  for (const Case& alone : plan(machine({"T4"}), Profile::standard)) EXPECT_EQ(alone.group, 0);
}

TEST(PlanCuda, ASoakPutsEveryDeviceUnderLoadInAnyProfile) {
  const Inventory eight = machine(std::vector<std::string>(8, "T4"));
  for (const Profile profile : {Profile::quick, Profile::standard}) {
    const auto soaks = sustained_of(plan(eight, profile, 300));
    ASSERT_EQ(soaks.size(), profile == Profile::quick ? 8u : 32u);
    for (std::size_t i = 0; i < 8; ++i) {
      EXPECT_EQ(soaks[i].group, 1);
      EXPECT_FALSE(soaks[i].optional);
      EXPECT_EQ(soaks[i].device, static_cast<int>(i));
      EXPECT_TRUE(soaks[i].id.starts_with("gemm/fp16/"));
      EXPECT_EQ(soaks[i].limits.max_time_ns, 300'000'000'000);
    }
  }
  const auto one = sustained_of(plan(machine({"T4"}), Profile::standard, 60));
  ASSERT_EQ(one.size(), 3u);
  EXPECT_EQ(one[0].limits.max_time_ns, 60'000'000'000);
  EXPECT_EQ(one[1].limits.max_time_ns, 7'000'000'000);
}

TEST(PlanCuda, FitsTheWallLimitOfItsProfile) {
  for (const Profile profile : {Profile::quick, Profile::standard, Profile::full}) {
    const double limit_s = rules_of(profile).wall_s, of_eight_s = rules_of(profile, 8).wall_s;
    for (const char* row : kSevenGpus) {
      const Inventory inventory = machine({row});
      EXPECT_LT(estimated_wall_s(inventory, plan(inventory, profile)), limit_s) << row;
      if (profile == Profile::quick) continue;  // too short for eight: it keeps what comes first
      const Inventory eight = machine(std::vector<std::string>(8, row));
      EXPECT_LT(estimated_wall_s(eight, plan(eight, profile)), of_eight_s) << row;
    }
    const Inventory b200 = machine({"B200-SXM"});
    EXPECT_LT(estimated_wall_s(b200, plan(b200, profile)), limit_s);
  }
}

}  // namespace
}  // namespace gpuassay
