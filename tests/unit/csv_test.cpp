#include "core/csv.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace gpuassay {
namespace {

std::string csv_refusal(std::string_view text, const CsvLimits& limits = {}) {
  try {
    CsvTable::parse(text, limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unreadable_input);
    return error.what();
  }
  return "accepted";
}

TEST(Csv, ReadsCellsByColumnName) {
  const auto table = CsvTable::parse("a,b\n1,2\n3,\n");
  ASSERT_EQ(table.row_count(), 2U);
  EXPECT_EQ(table.cell(0, "b"), "2");
  EXPECT_EQ(table.cell(1, "a"), "3");
  EXPECT_EQ(table.optional_cell(1, "b"), std::nullopt);
  EXPECT_TRUE(table.has_column("a"));
  EXPECT_FALSE(table.has_column("c"));
  EXPECT_THROW((void)table.cell(0, "c"), Error);
}

TEST(Csv, QuotesHoldCommasQuotesAndLineBreaks) {
  const auto table = CsvTable::parse("a,b\n\"x, \"\"y\"\"\",\"two\nlines\"\r\n\"\",last");
  ASSERT_EQ(table.row_count(), 2U);
  EXPECT_EQ(table.cell(0, "a"), "x, \"y\"");
  EXPECT_EQ(table.cell(0, "b"), "two\nlines");
  EXPECT_EQ(table.cell(1, "a"), "");
  EXPECT_EQ(table.cell(1, "b"), "last");
  EXPECT_EQ(table.line_of(0), 2U);
  EXPECT_EQ(table.line_of(1), 4U);  // the line break inside the quotes counts
}

TEST(Csv, TakesByteOrderMarkAndKeepsLoneCarriageReturn) {
  const auto table = CsvTable::parse(
      "\xEF\xBB\xBF"
      "a\r\nx\ry\r\n");
  EXPECT_EQ(table.cell(0, "a"), "x\ry");
}

TEST(Csv, HeaderAloneIsAnEmptyTable) { EXPECT_EQ(CsvTable::parse("a,b\n").row_count(), 0U); }

TEST(Csv, RefusesDamagedFilesWithTheLine) {
  EXPECT_NE(csv_refusal("").find("empty"), std::string::npos);
  EXPECT_NE(csv_refusal("a,a\n").find("occurs twice"), std::string::npos);
  EXPECT_NE(csv_refusal("a,\n").find("no name"), std::string::npos);
  EXPECT_NE(csv_refusal("a,b\n1,2\n1\n").find("line 3, column 2: 1 cells where the header has 2"), std::string::npos);
  EXPECT_NE(csv_refusal("a\n\"x\n").find("never closed"), std::string::npos);
  EXPECT_NE(csv_refusal("a\n\"x\"y\n").find("after a closing quote"), std::string::npos);
  EXPECT_NE(csv_refusal("a\nx\"y\n").find("quote inside"), std::string::npos);
  EXPECT_NE(csv_refusal(std::string_view("a\nx\0y\n", 6)).find("zero byte"), std::string::npos);
}

TEST(Csv, KeepsItsLimits) {
  CsvLimits limits;
  limits.max_rows = 1;
  EXPECT_EQ(csv_refusal("a\n1\n", limits), "accepted");
  EXPECT_NE(csv_refusal("a\n1\n2\n", limits).find("too many rows"), std::string::npos);
  limits = {};
  limits.max_columns = 2;
  EXPECT_EQ(csv_refusal("a,b\n", limits), "accepted");
  EXPECT_NE(csv_refusal("a,b,c\n", limits).find("too many columns"), std::string::npos);
  limits = {};
  limits.max_cell_bytes = 2;
  EXPECT_NE(csv_refusal("abc\n", limits).find("longer than 2 bytes"), std::string::npos);
  limits = {};
  limits.max_bytes = 3;
  EXPECT_NE(csv_refusal("abcd", limits).find("more than 3 bytes"), std::string::npos);
}

}  // namespace
}  // namespace gpuassay
