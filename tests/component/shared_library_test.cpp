#include "agent/dynlib/shared_library.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"

namespace gpuassay {
namespace {

/// Runs `body`, which must throw Error{library_missing}, and returns its message.
template <class Body>
std::string message_of_missing(Body body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::library_missing);
    return error.what();
  }
  ADD_FAILURE() << "no Error was thrown";
  return {};
}

TEST(LibrarySearch, SplitsAtColonsAndDropsEmptyEntries) {
  EXPECT_EQ(LibrarySearch::from_list("/a::/b:").override_directories, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_TRUE(LibrarySearch::from_list("").override_directories.empty());
}

TEST(SharedLibrary, FindsASystemLibraryAndItsSymbols) {
  const auto library = SharedLibrary::find({}, "libm.so.6");
  ASSERT_TRUE(library.has_value());
  EXPECT_EQ(library->path_kind(), "system");
  const auto cosine = library->symbol<double (*)(double)>("cos");
  ASSERT_TRUE(cosine.has_value());
  EXPECT_EQ((*cosine)(0.0), 1.0);
  EXPECT_FALSE(library->symbol<void (*)()>("no_such_function_here").has_value());
}

TEST(SharedLibrary, AbsenceIsEmptyOrAnErrorWithTheRemedy) {
  EXPECT_FALSE(SharedLibrary::find({}, "libgpuassay_no_such.so.7").has_value());
  const std::string message =
      message_of_missing([] { (void)SharedLibrary::open({}, "libgpuassay_no_such.so.7", "install it"); });
  EXPECT_EQ(message, "libgpuassay_no_such.so.7 is not installed; install it");
}

TEST(SharedLibrary, MissingRequiredSymbolNamesLibraryAndSymbol) {
  const auto library = SharedLibrary::find({}, "libm.so.6");
  ASSERT_TRUE(library.has_value());
  const std::string message =
      message_of_missing([&] { (void)library->required_symbol<void (*)()>("no_such_function_here"); });
  EXPECT_NE(message.find("libm.so.6"), std::string::npos);
  EXPECT_NE(message.find("no_such_function_here"), std::string::npos);
}

TEST(SharedLibrary, OverrideDirectoryComesFirst) {
  const auto library = SharedLibrary::find({{"/no/such/directory", FAKE_DNNL_WRONG_VERSION_DIR}}, "libdnnl.so.2");
  ASSERT_TRUE(library.has_value());
  EXPECT_EQ(library->path_kind(), "override");
}

TEST(SharedLibrary, AFileThatIsNoLibraryIsAnErrorNotASilentFallback) {
  const std::filesystem::path directory = std::filesystem::path(::testing::TempDir()) / "gpuassay_no_library";
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "libm.so.6") << "this is not a shared object";
  const std::string message =
      message_of_missing([&] { (void)SharedLibrary::find({{directory.string()}}, "libm.so.6"); });
  std::filesystem::remove_all(directory);
  EXPECT_NE(message.find("GPUASSAY_LIBRARY_PATH"), std::string::npos);
}

TEST(SharedLibrary, MovedFromLibraryClosesNothing) {
  auto first = SharedLibrary::find({}, "libm.so.6");
  ASSERT_TRUE(first.has_value());
  SharedLibrary second = std::move(*first);
  first.reset();
  EXPECT_TRUE(second.symbol<double (*)(double)>("cos").has_value());
}

}  // namespace
}  // namespace gpuassay
