#include "agent/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/operation_times.h"
#include "core/operations.h"
#include "core/replay.h"
#include "core/resnet50.h"
#include "core/workload_reader.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

Inventory machine(int threads, bool avx512, std::int64_t memory_gib) {
  Inventory inventory;
  inventory.cpu.threads = threads;
  inventory.cpu.has_avx2 = avx512;
  inventory.cpu.has_avx512 = avx512;
  inventory.cpu.l1d_bytes = 32 << 10;
  inventory.cpu.l2_bytes = 1 << 20;
  inventory.cpu.l3_bytes = 32 << 20;
  inventory.host.memory_bytes = memory_gib << 30;
  inventory.devices = {test::cpu_device()};
  return inventory;
}

std::size_t position(const std::vector<Case>& cases, const std::string& id) {
  const auto found = std::find_if(cases.begin(), cases.end(), [&](const Case& c) { return c.id == id; });
  return static_cast<std::size_t>(found - cases.begin());
}

TEST(Plan, IdsAreUnique) {
  for (const Profile profile : {Profile::quick, Profile::standard, Profile::full}) {
    std::set<std::string> ids;
    const auto cases = plan(machine(2, true, 16), profile);
    for (const Case& c : cases) EXPECT_TRUE(c.repeat || ids.insert(c.id).second) << c.id;
  }
}

TEST(Plan, HeadlinesComeFirstThenTheScoreThenTheRest) {
  const auto cases = plan(machine(2, true, 16), Profile::standard);
  EXPECT_TRUE(cases[0].id.starts_with("gemm/fp32/"));
  EXPECT_EQ(cases[1].id, "bandwidth/triad/dram");
  const auto operations = resnet50_train_operations(DType::fp32, 8);
  std::size_t last_of_score = 0;
  for (const auto& operation : operations)
    last_of_score = std::max(last_of_score, position(cases, case_id(operation.params)));
  EXPECT_EQ(last_of_score, 4 + operations.size() - 1);
  EXPECT_GT(position(cases, "bandwidth/copy/dram"), last_of_score);
  EXPECT_LT(position(cases, "gemm/fp32/m1n2048k2048"), cases.size());
}

TEST(Plan, EveryProfileHasWhatTheScoreNeeds) {
  for (const Profile profile : {Profile::quick, Profile::standard, Profile::full}) {
    const auto cases = plan(machine(2, true, 16), profile);
    for (const auto& operation : resnet50_train_operations(DType::fp32, 8)) {
      EXPECT_LT(position(cases, case_id(operation.params)), cases.size()) << case_id(operation.params);
    }
  }
}

TEST(Plan, RepeatsComeLastAndCoverTheScore) {
  const auto cases = plan(machine(2, true, 16), Profile::standard);
  const auto first_repeat = std::find_if(cases.begin(), cases.end(), [](const Case& c) { return c.repeat; });
  ASSERT_NE(first_repeat, cases.end());
  std::set<std::string> repeated;
  for (auto c = first_repeat; c != cases.end(); ++c) {
    EXPECT_TRUE(c->repeat);
    EXPECT_TRUE(repeated.insert(c->id).second);
    EXPECT_LT(position(cases, c->id), static_cast<std::size_t>(first_repeat - cases.begin()));
  }
  EXPECT_TRUE(repeated.contains("bandwidth/triad/dram"));
  for (const auto& operation : resnet50_train_operations(DType::fp32, 8)) {
    EXPECT_TRUE(repeated.contains(case_id(operation.params)));
  }
  for (const Case& c : plan(machine(2, true, 16), Profile::quick)) EXPECT_FALSE(c.repeat);
}

TEST(Plan, LongerProfilesMeasureMoreAndLonger) {
  const Inventory inventory = machine(2, true, 16);
  EXPECT_LT(plan(inventory, Profile::quick).size(), plan(inventory, Profile::standard).size());
  EXPECT_LT(plan(inventory, Profile::standard).size(), plan(inventory, Profile::full).size());
  EXPECT_EQ(rules_of(Profile::quick).limits.min_time_ns, 20'000'000);
  EXPECT_EQ(rules_of(Profile::standard).limits.min_time_ns, 100'000'000);
  EXPECT_EQ(rules_of(Profile::full).limits.min_time_ns, 500'000'000);
  EXPECT_GE(rules_of(Profile::quick).limits.min_samples, 5);
}

TEST(Plan, FullMeasuresTheOperationsOfTheWorkloadsAsFarAsTimeAllows) {
  const auto covered = [](const Inventory& inventory, DType half, WorkloadPrecision precision) {
    std::set<std::string> ids;
    for (const Case& c : plan(inventory, Profile::full)) ids.insert(c.id);
    double share = 0;
    for (const ReplayOperation& each : replay_operations(core_workloads(), precision, {half, DType::fp32}))
      share += ids.contains(case_id(each.params)) ? each.share : 0;
    return share / static_cast<double>(core_workloads().size());
  };
  Inventory inventory = machine(2, true, 16);
  const double without_bf16 = covered(inventory, DType::fp32, WorkloadPrecision::full);
  EXPECT_GT(without_bf16, 0.9);
  inventory.cpu.has_bf16 = true;
  EXPECT_GT(covered(inventory, DType::bf16, WorkloadPrecision::mixed), 0.8);
  EXPECT_LT(covered(machine(1, false, 16), DType::fp32, WorkloadPrecision::full), without_bf16);
  for (const Case& c : plan(machine(2, true, 1), Profile::full)) EXPECT_LE(operand_bytes(c.params), 1 << 27) << c.id;
}

TEST(Plan, ASlowMachineGetsASmallerBatchAndSmallerMatrices) {
  const auto cases = plan(machine(1, false, 16), Profile::quick);
  EXPECT_EQ(cases[0].id, "gemm/fp32/m512n512k512");
  const auto first_conv =
      std::find_if(cases.begin(), cases.end(), [](const Case& c) { return c.id.starts_with("conv"); });
  EXPECT_EQ(std::get<ConvParams>(first_conv->params).n, 1);
}

TEST(Plan, ArraysFitTheMemoryAndExceedTheCache) {
  const auto array_bytes = [](const Inventory& inventory) {
    return std::get<BandwidthParams>(plan(inventory, Profile::quick)[1].params).array_bytes;
  };
  EXPECT_EQ(array_bytes(machine(2, true, 16)), 128 << 20);
  EXPECT_EQ(array_bytes(machine(2, true, 1)), 64 << 20) << "a sixteenth of 1 GiB";
  Inventory big_cache = machine(2, true, 64);
  big_cache.cpu.l3_bytes = 256 << 20;
  EXPECT_EQ(array_bytes(big_cache), std::int64_t{1} << 30);
}

TEST(Plan, UnknownCachesAndMemoryStillGiveAPlan) {
  Inventory inventory = machine(2, true, 16);
  inventory.host.memory_bytes.reset();
  inventory.cpu.l1d_bytes = inventory.cpu.l2_bytes = inventory.cpu.l3_bytes = 0;
  const auto cases = plan(inventory, Profile::standard);
  EXPECT_EQ(position(cases, "bandwidth/triad/l1"), cases.size());
  EXPECT_LT(position(cases, "bandwidth/triad/dram"), cases.size());
}

TEST(Plan, NoDeviceNoCases) {
  Inventory inventory = machine(2, true, 16);
  inventory.devices.clear();
  EXPECT_TRUE(plan(inventory, Profile::full).empty());
}

}  // namespace
}  // namespace gpuassay
