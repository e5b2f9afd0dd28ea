#include "agent/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/operation_times.h"
#include "core/operations.h"
#include "core/replay.h"
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
    for (const Case& c : cases)
      EXPECT_TRUE(c.repeat || c.regime == Regime::sustained || ids.insert(c.id).second) << c.id;
  }
}

/// Positions of the cases that are operations of the networks.
std::vector<std::size_t> score_positions(const std::vector<Case>& cases, DType half = DType::fp32) {
  std::set<std::string> ids;
  for (const WorkloadPrecision precision : {WorkloadPrecision::full, WorkloadPrecision::mixed}) {
    for (const ReplayOperation& each : replay_operations(core_workloads(), precision, {half, DType::fp32}, 20))
      ids.insert(case_id(each.params));
  }
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (!cases[i].repeat && ids.contains(cases[i].id)) positions.push_back(i);
  }
  return positions;
}

TEST(Plan, HeadlinesComeFirstThenTheScoreThenTheRest) {
  const auto cases = plan(machine(2, true, 16), Profile::standard);
  EXPECT_TRUE(cases[0].id.starts_with("gemm/fp32/"));
  EXPECT_EQ(cases[1].id, "bandwidth/triad/dram");
  const auto positions = score_positions(cases);
  EXPECT_GT(positions.size(), 30U);
  const std::size_t first_of_the_rest = position(cases, "bandwidth/copy/dram");
  for (std::size_t place = 4; place < first_of_the_rest; ++place)
    EXPECT_TRUE(std::find(positions.begin(), positions.end(), place) != positions.end()) << cases[place].id;
  EXPECT_LT(position(cases, "gemm/fp32/m1n2048k2048"), cases.size());
}

TEST(Plan, EveryProfileHasFourOfEachKindAndType) {
  for (const bool has_bf16 : {false, true}) {
    for (const Profile profile : {Profile::quick, Profile::standard, Profile::full}) {
      Inventory inventory = machine(2, true, 16);
      inventory.cpu.has_bf16 = has_bf16;
      const auto cases = plan(inventory, profile);
      std::map<std::string, int> counts;
      for (const std::size_t place : score_positions(cases, has_bf16 ? DType::bf16 : DType::fp32)) {
        const std::string& id = cases[place].id;
        ++counts[id.substr(0, id.find('/', 5))];
      }
      EXPECT_GE(counts["conv/fp32"], 4);
      EXPECT_GE(counts["gemm/fp32"], 4);
      EXPECT_EQ(counts.contains("conv/bf16"), has_bf16);
      EXPECT_GE(counts["conv/bf16"], has_bf16 ? 4 : 0);
    }
  }
}

TEST(Plan, RepeatsComeLastAndCoverTheScore) {
  const auto cases = plan(machine(2, true, 16), Profile::standard);
  const auto first_repeat = std::find_if(cases.begin(), cases.end(), [](const Case& c) { return c.repeat; });
  ASSERT_NE(first_repeat, cases.end());
  std::set<std::string> repeated;
  for (auto c = first_repeat; c != cases.end() && c->regime == Regime::burst; ++c) {
    EXPECT_TRUE(c->repeat);
    EXPECT_TRUE(repeated.insert(c->id).second);
    EXPECT_LT(position(cases, c->id), static_cast<std::size_t>(first_repeat - cases.begin()));
  }
  EXPECT_TRUE(repeated.contains("bandwidth/triad/dram"));
  const std::size_t rest = position(cases, "bandwidth/copy/dram");
  for (std::size_t i = 0; i < rest; ++i) EXPECT_TRUE(repeated.contains(cases[i].id));
  for (const Case& c : plan(machine(2, true, 16), Profile::quick)) EXPECT_FALSE(c.repeat);
}

TEST(Plan, TheCpuIsKeptUnderLoadLast) {
  const auto cases = plan(machine(2, true, 16), Profile::standard);
  const Case& gemm = cases[cases.size() - 2];
  EXPECT_EQ(gemm.regime, Regime::sustained);
  EXPECT_EQ(gemm.id, cases[0].id);
  EXPECT_EQ(gemm.limits.max_time_ns, 5'000'000'000);
  EXPECT_FALSE(gemm.gpu_telemetry);
  EXPECT_EQ(cases.back().id, "bandwidth/triad/dram");
  EXPECT_EQ(cases.back().regime, Regime::sustained);
  EXPECT_EQ(plan(machine(2, true, 16), Profile::quick).back().regime, Regime::burst);
  EXPECT_EQ(plan(machine(2, true, 16), Profile::quick, 30).back().limits.max_time_ns, 30'000'000'000);
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
    for (const ReplayOperation& each : replay_operations(core_workloads(), precision, {half, DType::fp32}, 20))
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

TEST(Plan, ASlowMachineGetsFewerOperationsAndSmallerMatrices) {
  const auto cases = plan(machine(1, false, 16), Profile::quick);
  EXPECT_EQ(cases[0].id, "gemm/fp32/m512n512k512");
  EXPECT_LT(score_positions(cases).size(), score_positions(plan(machine(2, true, 16), Profile::quick)).size());
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
