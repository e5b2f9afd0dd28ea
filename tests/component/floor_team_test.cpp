// The processes of a verified run: what they are told, and what becomes of those that fail, hang or crash. The CPU's
// product in every dtype that it has.
#include "agent/floor/floor_team.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "agent/floor/cpu_floor_device.h"
#include "agent/floor/floor_chain.h"
#include "agent/probe.h"
#include "core/enums.h"
#include "core/error.h"
#include "core/floor/check.h"
#include "tests/support/reference_floor_device.h"

namespace gpuassay {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kLong{60'000};

FloorWork work_of(int device, FloorShape shape = test::kSmallShape, DType dtype = DType::fp32) {
  return {device, dtype, shape};
}

FloorMember member(int device) {
  return {work_of(device), [device] { return std::make_unique<test::ReferenceFloorDevice>(work_of(device)); }};
}

FloorChallenge challenge() {
  FloorChallenge asked;
  asked.id = std::string(32, 'a');
  asked.seed[3] = 17;
  asked.seconds = 0.05;
  return asked;
}

TEST(FloorTeam, AllWorkAndOpenWhatIsDrawn) {
  FloorTeam team({member(0), member(3)});
  team.get_ready(kLong);
  const FloorCommitment commitment = team.work(challenge());
  ASSERT_EQ(commitment.devices.size(), 2U);
  EXPECT_EQ(commitment.devices[1].device, 3);
  EXPECT_NE(commitment.devices[0].root, commitment.devices[1].root);
  const std::vector<FloorDraw> draws{{3, 0, 5}, {0, 0, 6}, {3, 0, 7}};
  const FloorOpenings openings = team.open(draws, kLong);
  ASSERT_EQ(openings.size(), 3U);
  for (std::size_t i = 0; i < draws.size(); ++i) {
    const FloorCommitment::OfDevice& own = commitment.devices[draws[i].device == 0 ? 0 : 1];
    EXPECT_EQ(opening_problem(challenge().seed, test::kSmallShape, own, draws[i], openings[i]), std::nullopt) << i;
  }
}

/// What the team says when one of its members is like that.
std::string problem_with(const FloorMember& broken, milliseconds limit = kLong) {
  try {
    FloorTeam team({member(0), broken});
    team.get_ready(limit);
    (void)team.work(challenge());
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

TEST(FloorTeam, SaysWhichDeviceFailedAndHow) {
  EXPECT_EQ(problem_with(
                {work_of(1),
                 []() -> std::unique_ptr<FloorDevice> { throw Error(ErrorCode::library_missing, "no such library"); }}),
            "device 1: no such library");
  EXPECT_NE(problem_with({work_of(1), []() -> std::unique_ptr<FloorDevice> { std::_Exit(7); }})
                .find("device 1: its process was exited with status 7"),
            std::string::npos);
  EXPECT_NE(problem_with({work_of(1),
                          []() -> std::unique_ptr<FloorDevice> {
                            for (;;) ::pause();
                          }},
                         milliseconds(200))
                .find("device 1: no answer within 0.2 s"),
            std::string::npos);
}

TEST(FloorTeam, AWrongProductIsNotShownToTheCollector) {
  const FloorMember wrong{work_of(1), [] {
                            return std::make_unique<test::ReferenceFloorDevice>(
                                work_of(1), [](std::uint32_t, std::int64_t) { return true; });
                          }};
  EXPECT_NE(problem_with(wrong).find("its own check of the work failed"), std::string::npos);
}

TEST(FloorTeam, DrawsOfOtherDevicesAreRefused) {
  FloorTeam team({member(0)});
  team.get_ready(kLong);
  (void)team.work(challenge());
  EXPECT_THROW((void)team.open({{1, 0, 0}}, kLong), Error);
}

class CpuFloorDeviceTest : public testing::TestWithParam<DType> {};

TEST_P(CpuFloorDeviceTest, GivesTheVeryIntegers) {
  const CpuFacts facts = probe(probe_inputs()).cpu;
  if (GetParam() == DType::bf16 && !facts.has_bf16) GTEST_SKIP() << "this CPU has no bf16 instructions";
  const FloorWork work = work_of(0, {256, 512, 2048, 15}, GetParam());
  const FloorMember cpu{work, [facts, work] { return make_cpu_floor_device(facts, work); }};
  // In a process of its own, as oneDNN's threads are not to stay here.
  FloorTeam team({cpu});
  team.get_ready(kLong);
  const FloorCommitment commitment = team.work(challenge());
  const std::vector<FloorDraw> draws{{0, 0, 0}, {0, 0, 511}, {0, commitment.devices[0].steps - 1, 77}};
  const FloorOpenings openings = team.open(draws, kLong);
  for (std::size_t i = 0; i < draws.size(); ++i)
    EXPECT_EQ(opening_problem(challenge().seed, work.shape, commitment.devices[0], draws[i], openings[i]), std::nullopt)
        << i;
}

TEST(CpuFloorShape, CanBeChallengedAndFitsTheMachine) {
  for (const DType dtype : {DType::fp32, DType::bf16, DType::int8}) {
    for (const std::optional<std::int64_t> memory :
         {std::optional<std::int64_t>(), std::optional(std::int64_t{2} << 30), std::optional(std::int64_t{64} << 30)}) {
      const FloorShape shape = cpu_floor_shape(dtype, memory);
      EXPECT_EQ(shape_problem(shape), std::nullopt);
      const std::int64_t operand_bytes = dtype == DType::fp32 ? 4 : dtype == DType::bf16 ? 2 : 1;
      const std::int64_t bytes = (2 * shape.n * shape.k + shape.m * shape.k) * operand_bytes + 4 * shape.m * shape.n;
      EXPECT_LT(bytes, memory.value_or(0) > (std::int64_t{8} << 30) ? 1'300'000'000 : 150'000'000);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryDtype, CpuFloorDeviceTest, testing::Values(DType::fp32, DType::bf16, DType::int8),
                         [](const auto& test) { return std::string(to_name(test.param)); });

}  // namespace
}  // namespace gpuassay
