#include "core/build_info.h"

#include <gtest/gtest.h>

#include <regex>
#include <string>

namespace gpuassay {
namespace {

TEST(BuildInfo, VersionHasThreeNumbers) {
  EXPECT_TRUE(std::regex_match(std::string(build_info().version), std::regex("[0-9]+\\.[0-9]+\\.[0-9]+")));
}

TEST(BuildInfo, CommitIsAFullHashOrUnknown) {
  const std::string commit(build_info().commit);
  EXPECT_TRUE(commit == "unknown" || std::regex_match(commit, std::regex("[0-9a-f]{40}"))) << commit;
}

TEST(BuildInfo, BuildNamesTypeAndCompiler) {
  EXPECT_TRUE(std::regex_match(std::string(build_info().build), std::regex("[A-Za-z]+ [A-Za-z]+ [0-9.]+")))
      << build_info().build;
}

}  // namespace
}  // namespace gpuassay
