#include "collector/export_file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.h"
#include "tests/support/scratch_root.h"

namespace gpuassay {
namespace {

TEST(ExportFile, IsReadAsItWasWritten) {
  test::ScratchRoot folder;
  ExportSpace space(folder.path().string());
  ExportFile file(space);
  std::string written;
  for (int line = 0; line < 20'000; ++line) {
    const std::string text = "line " + std::to_string(line) + "\n";
    file.write(text);
    written += text;
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "nobody else can open it";
  file.rewind();
  std::string read;
  for (std::string piece = file.read(); !piece.empty(); piece = file.read()) read += piece;
  EXPECT_EQ(read, written);
}

TEST(ExportFile, AllOfThemHaveOneSpace) {
  constexpr std::uint64_t kTwoSteps = 16U << 20U;
  ExportSpace space({}, kTwoSteps);
  {
    ExportFile first(space), second(space), third(space);
    first.write("x");
    second.write("x");
    EXPECT_THROW(third.write("x"), Error);
    first.write("y");
  }
  EXPECT_EQ(space.held_bytes(), 0U);
  ExportFile later(space);
  EXPECT_NO_THROW(later.write("x"));
}

TEST(ExportFile, SaysWhereItCannotBeMade) {
  ExportSpace space("/nowhere");
  try {
    const ExportFile file(space);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::database);
    EXPECT_NE(std::string(error.what()).find("/nowhere"), std::string::npos);
  }
}

}  // namespace
}  // namespace gpuassay
