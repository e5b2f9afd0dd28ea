#include "agent/dynlib/onednn.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace gpuassay {
namespace {

std::string load_error(const std::string& directory) {
  try {
    (void)onednn::load({{directory}});
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::library_missing);
    return error.what();
  }
  ADD_FAILURE() << "no Error was thrown";
  return {};
}

TEST(OneDnnLibrary, AnotherMajorVersionIsRefusedWithTheRemedy) {
  EXPECT_EQ(load_error(FAKE_DNNL_WRONG_VERSION_DIR),
            std::string("libdnnl.so.2 is oneDNN 3.1.4, gpuassay needs 2.x; ") + onednn::kRemedy);
}

TEST(OneDnnLibrary, AMissingSymbolIsNamed) {
  const std::string message = load_error(FAKE_DNNL_INCOMPLETE_DIR);
  EXPECT_NE(message.find("dnnl_engine_create"), std::string::npos) << message;
}

TEST(OneDnnLibrary, DescribeTellsWhyOneIsRejected) {
  const auto entries = onednn::describe({{FAKE_DNNL_WRONG_VERSION_DIR}});
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].name, "onednn");
  EXPECT_EQ(entries[0].path_kind, "absent");
  EXPECT_FALSE(entries[0].version.has_value());
  EXPECT_FALSE(entries[0].chosen_for.has_value());
  EXPECT_NE(entries[0].rejected_reason.value_or("").find("3.1.4"), std::string::npos);
}

TEST(OneDnnLibrary, DescribeFindsTheInstalledOneWithoutLoadingItHere) {
  if (!SharedLibrary::find({}, "libdnnl.so.2")) GTEST_SKIP() << "oneDNN 2 (libdnnl2) is not installed";
  const auto entries = onednn::describe({});
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].path_kind, "system");
  EXPECT_EQ(entries[0].chosen_for, "cpu");
  EXPECT_EQ(entries[0].version.value_or("").substr(0, 2), "2.");
  EXPECT_FALSE(entries[0].rejected_reason.has_value());
}

}  // namespace
}  // namespace gpuassay
