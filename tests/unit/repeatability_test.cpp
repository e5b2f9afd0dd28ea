#include "core/repeatability.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

using Numbers = std::vector<double>;

TEST(RankSum, IsTheExactTableOfMannAndWhitney) {
  // 2 / C(8, 4): all of one above all of the other, either way.
  EXPECT_DOUBLE_EQ(rank_sum_p({1, 2, 3, 4}, {5, 6, 7, 8}), 2.0 / 70);
  EXPECT_DOUBLE_EQ(rank_sum_p({5, 6, 7, 8}, {1, 2, 3, 4}), 2.0 / 70);
  EXPECT_DOUBLE_EQ(rank_sum_p({1, 2, 3}, {4, 5, 6}), 2.0 / 20);
  // U = 1 of 16: 2 * (1 + 1) / 70.
  EXPECT_DOUBLE_EQ(rank_sum_p({1, 2, 3, 5}, {4, 6, 7, 8}), 4.0 / 70);
  // U = 2 with n = m = 5: 2 * (1 + 1 + 2) / 252, as printed in tables of the test.
  EXPECT_DOUBLE_EQ(rank_sum_p({1, 2, 3, 4, 7}, {5, 6, 8, 9, 10}), 8.0 / 252);
  EXPECT_DOUBLE_EQ(rank_sum_p({1}, {2}), 1);
}

TEST(RankSum, EqualValuesShareTheirRanks) {
  EXPECT_DOUBLE_EQ(rank_sum_p({1, 1, 1, 1}, {1, 1, 1, 1}), 1);
  EXPECT_DOUBLE_EQ(rank_sum_p({1, 1, 1, 1}, {2, 2, 2, 2}), 2.0 / 70);
  EXPECT_GT(rank_sum_p({1, 2, 2, 3}, {2, 2, 3, 3}), 0.3);
}

TEST(RankSum, ManyRunsAreNoTrouble) {
  Numbers a;
  Numbers b;
  for (int i = 0; i < 50; ++i) {
    a.push_back(i);
    b.push_back(i + 0.5);
  }
  EXPECT_GT(rank_sum_p(a, b), 0.5);
  for (double& value : b) value += 30;
  EXPECT_LT(rank_sum_p(a, b), 1e-6);
}

Result run_with(double score, double gemm, const char* gpu = "hash-1") {
  Result run;
  Device device;
  device.name = "Tesla T4";
  device.uuid_hash = gpu;
  run.devices = {device};
  run.score.value = score;
  run.summary.instance.gemm_tflop_per_s["fp16"] = {gemm, std::nullopt};
  return run;
}

std::vector<const Result*> pointers(const std::vector<Result>& runs) {
  std::vector<const Result*> all;
  all.reserve(runs.size());
  for (const Result& run : runs) all.push_back(&run);
  return all;
}

TEST(Repeatability, SeriesAreOfTheFiguresThatEveryRunHas) {
  std::vector<Result> runs{run_with(20, 50), run_with(21, 51), run_with(20.5, 49)};
  runs[0].summary.instance.bandwidth_gb_per_s["triad"] = {280.0, std::nullopt};
  const auto series = headline_series(pointers(runs));
  ASSERT_EQ(series.size(), 2u);
  EXPECT_EQ(series[0].path, "score.value");
  EXPECT_EQ(series[0].values, (Numbers{20, 21, 20.5}));
  EXPECT_EQ(series[1].path, "summary.instance.gemm_tflop_per_s.fp16.burst");
  EXPECT_NEAR(relative_range(series[1].values), 2.0 / 50, 1e-6);
  EXPECT_EQ(relative_range({7}), 0);
  EXPECT_TRUE(headline_series({}).empty());
}

TEST(Repeatability, ADifferenceNeedsFourRunsOfEach) {
  const std::vector<Result> slow{run_with(20, 50), run_with(20.2, 50.4), run_with(20.1, 49.9), run_with(20.3, 50.1)};
  const std::vector<Result> fast{run_with(21, 50.2), run_with(21.2, 49.8), run_with(21.1, 50.3), run_with(21.4, 50)};
  const auto differences = headline_differences(pointers(slow), pointers(fast));
  ASSERT_EQ(differences.size(), 2u);
  EXPECT_NEAR(differences[0].ratio, 21.15 / 20.15, 1e-5);
  EXPECT_TRUE(differences[0].larger_than_noise);
  EXPECT_TRUE(differences[0].decidable);
  EXPECT_FALSE(differences[1].larger_than_noise);
  EXPECT_TRUE(differences[1].decidable);
  const auto three = headline_differences({&slow[0], &slow[1], &slow[2]}, {&fast[0], &fast[1], &fast[2]});
  EXPECT_FALSE(three[0].larger_than_noise);
  EXPECT_FALSE(three[0].decidable);
}

TEST(Repeatability, RunsBelongToTheMachineOfTheirDevices) {
  std::vector<Result> runs{run_with(1, 1, "a"), run_with(1, 1, "b"), run_with(2, 2, "a"), run_with(2, 2, "a"),
                           run_with(2, 2, "b")};
  const char* const ids[] = {"1", "2", "3", "3", "5"};
  for (std::size_t i = 0; i < runs.size(); ++i) runs[i].run_id = ids[i];
  runs[4].agent.profile = "quick";
  using Machines = std::vector<std::vector<std::size_t>>;
  EXPECT_EQ(runs_by_machine(pointers(runs)), (Machines{{0, 2}, {1}, {4}}))
      << "one is there twice, one is of another profile";
}

}  // namespace
}  // namespace gpuassay
