#include "agent/dynlib/driver_problem.h"

#include <gtest/gtest.h>

#include <set>

#include "agent/dynlib/find_driver.h"

namespace gpuassay {
namespace {

using Outcome = DriverSight::Outcome;

DriverSight answered(int init_result, int cuda_version = 12080, bool compat = false, int devices = 0) {
  return {Outcome::answered, "", cuda_version, init_result, devices, compat, false};
}

DriverSight unanswered(Outcome outcome, const char* detail) {
  DriverSight sight;
  sight.outcome = outcome;
  sight.detail = detail;
  return sight;
}

TEST(DriverProblem, AWorkingDriverHasNone) {
  EXPECT_FALSE(problem_of(answered(0, 11000, false, 1)).has_value());
  EXPECT_FALSE(problem_of(answered(0, 13000, true, 8)).has_value());
}

TEST(DriverProblem, EveryStateHasItsOwnCodeAndAOneLineRemedy) {
  const std::vector<std::pair<DriverSight, std::string>> states{
      {unanswered(Outcome::absent, ""), "driver_missing"},
      {unanswered(Outcome::does_not_load, "libcuda.so.1 (system) does not export cuInit"), "driver_not_loadable"},
      {unanswered(Outcome::crashed, "killed by signal 11"), "driver_crashed"},
      {unanswered(Outcome::hung, "did not end within 90 s"), "driver_hung"},
      {answered(34), "driver_stub"},
      {answered(100), "no_cuda_device"},
      {answered(802), "fabric_not_ready"},
      {answered(803), "driver_mismatch"},
      {answered(804), "compat_unsupported"},
      {answered(999), "driver_unknown_error"},
      {answered(0, 10020, false, 1), "driver_too_old"},
      {answered(3), "driver_failed"},
  };
  std::set<std::string> messages;
  for (const auto& [sight, code] : states) {
    const auto problem = problem_of(sight);
    ASSERT_TRUE(problem.has_value()) << code;
    EXPECT_EQ(problem->code, code);
    EXPECT_EQ(problem->message.find('\n'), std::string::npos);
    EXPECT_NE(problem->message.find("; "), std::string::npos) << "no remedy: " << problem->message;
    EXPECT_TRUE(messages.insert(problem->message).second) << problem->message;
  }
}

TEST(DriverProblem, NoDeviceAfterASuccessfulStartIsTheSame) {
  EXPECT_EQ(problem_of(answered(0, 12080, false, 0))->code, "no_cuda_device");
}

TEST(DriverProblem, TheCompatibilityPackageIsNamedWhenItIsTheCause) {
  for (const int result : {100, 803, 804}) {
    const auto problem = problem_of(answered(result, 12080, true));
    ASSERT_TRUE(problem.has_value());
    EXPECT_EQ(problem->code, "compat_unsupported");
    EXPECT_NE(problem->message.find("cuda-compat"), std::string::npos);
  }
  EXPECT_EQ(problem_of(answered(999, 12080, true))->code, "driver_unknown_error");
}

TEST(DriverProblem, AStubsVersionIsNotADriversVersion) { EXPECT_EQ(problem_of(answered(34, 0))->code, "driver_stub"); }

LibraryCandidate at(const char* path, bool compat = false) { return {"libcuda.so.1", path, "system", compat}; }

/// Looks at candidates by a list of what each shows; one that is not in it must not be looked at.
auto showing(std::vector<DriverSight> sights) {
  return [sights = std::move(sights), next = std::size_t{0}](const LibraryCandidate&) mutable {
    if (next >= sights.size()) {
      ADD_FAILURE() << "looked at one candidate too many";
      return DriverSight{};
    }
    return sights[next++];
  };
}

TEST(FindDriver, TheFirstThatWorksIsTaken) {
  const auto found = find_driver({at("/a"), at("/b")}, showing({answered(0, 12040, false, 2)}));
  ASSERT_TRUE(found.driver.has_value());
  EXPECT_EQ(found.driver->path, "/a");
  EXPECT_EQ(found.sight.device_count, 2);
  EXPECT_FALSE(found.problem.has_value());
}

TEST(FindDriver, TheHostsDriverFollowsACompatOneThatRefusesTheGpu) {
  for (const int result : {100, 803, 804}) {
    const auto found = find_driver({at("/usr/local/cuda/compat/libcuda.so.1", true), at("/usr/lib64/libcuda.so.1")},
                                   showing({answered(result, 12080, true), answered(0, 11040, false, 1)}));
    ASSERT_TRUE(found.driver.has_value());
    EXPECT_EQ(found.driver->path, "/usr/lib64/libcuda.so.1");
  }
}

TEST(FindDriver, TheProblemIsTheOneOfTheRealDriver) {
  auto found = find_driver({at("/a"), at("/b", true), at("/c")},
                           showing({answered(34), answered(804, 12080, true), answered(999)}));
  EXPECT_FALSE(found.driver.has_value());
  EXPECT_EQ(found.problem->code, "driver_unknown_error");
  EXPECT_EQ(found.sight.init_result, 999);
  found = find_driver({at("/b", true), at("/a")}, showing({answered(804, 12080, true), answered(34)}));
  EXPECT_EQ(found.problem->code, "compat_unsupported");
}

TEST(FindDriver, NothingFoundIsAMissingDriver) {
  const auto found = find_driver({}, showing({}));
  EXPECT_FALSE(found.driver.has_value());
  EXPECT_EQ(found.problem->code, "driver_missing");
}

TEST(FindDriver, AHangEndsTheSearch) {
  const auto found = find_driver({at("/a"), at("/b")}, showing({unanswered(Outcome::hung, "did not end within 1 s")}));
  EXPECT_EQ(found.problem->code, "driver_hung");
}

}  // namespace
}  // namespace gpuassay
