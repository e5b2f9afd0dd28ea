#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "collector/export/column.h"
#include "collector/export/data_dictionary.h"
#include "collector/export/run_stream.h"
#include "collector/export/run_tables.h"
#include "collector/export/surrogates.h"
#include "collector/published_result.h"
#include "core/result_json.h"
#include "core/utf8.h"
#include "tests/support/example_result.h"
#include "tests/support/memory_pool.h"

namespace gpuassay {
namespace {

using nlohmann::json;

TEST(PrintableUtf8, LosesWhatMovesTheCursorOrReordersText) {
  EXPECT_EQ(printable_utf8("Tesla V100-SXM2"), "Tesla V100-SXM2");
  EXPECT_EQ(printable_utf8("a\x1b[31mb\r\nc\td\x7f"), "a[31mbcd");
  EXPECT_EQ(printable_utf8(std::string_view("a\0b", 3)), "ab");
  EXPECT_EQ(printable_utf8("\xC2\x85\xE2\x80\xAE\xE2\x81\xA6\xEF\xBB\xBF\xE2\x80\xA8\xD8\x9Cx"), "x");
  EXPECT_EQ(printable_utf8("GPU\xC2\xB2 \xE5\xBC\xB5 \xF0\x9F\x96\xA5"), "GPU\xC2\xB2 \xE5\xBC\xB5 \xF0\x9F\x96\xA5");
  EXPECT_EQ(printable_utf8("a\xFF\xC3(b\xE2\x80"), "a(b");
}

TEST(Column, MembersAreJsonAndNullIsNothing) {
  std::string line = "{";
  append_member(line, "a", nullptr);
  append_member(line, "b", "say \"\x1b[1m\"");
  append_member(line, "c", json::array({json{{"d", "x\ny"}}, 1.5}));
  EXPECT_EQ(line, R"({"b":"say \"[1m\"","c":[{"d":"xy"},1.5])");
}

TEST(Column, PointersLeadToValuesOrNowhere) {
  const json document{{"a", {{"b", 1}}}, {"n", nullptr}};
  EXPECT_EQ(*value_at(document, steps_of("/a/b")), 1);
  EXPECT_EQ(value_at(document, steps_of("/a/c")), nullptr);
  EXPECT_EQ(value_at(document, steps_of("/n/b")), nullptr);
  EXPECT_EQ(duckdb_columns({{"a", "BIGINT", "", ""}, {"b", "VARCHAR[]", "", ""}}),
            R"({"a": 'BIGINT', "b": 'VARCHAR[]'})");
  EXPECT_EQ(duckdb_text("it's"), "'it''s'");
}

TEST(PublishedResult, HasNoIdentifierThatTheAgentMade) {
  const auto pool = test::memory_pool();
  const Surrogates names(*pool->take(ConnectionPool::Access::write));
  Result result = test::example_result();
  EXPECT_EQ(published_result(canonical_json(result), names), canonical_json(result)) << "nothing to hide";
  result.devices.push_back(result.devices.front());
  result.devices[0].uuid_hash = std::string(64, 'a');
  result.devices[1].uuid_hash = std::string(64, 'b');
  result.devices[1].name = R"("uuid_hash":"kept", \"uuid_hash\")";
  result.platform.instance_id_hash = R"(odd " \ one)";
  const std::string body = canonical_json(result);
  const json shown = json::parse(published_result(body, names));
  const std::string first = shown["devices"][0]["uuid_hash"], second = shown["devices"][1]["uuid_hash"];
  const std::string instance = shown["platform"]["instance_id_hash"];
  EXPECT_EQ((std::set<std::string>{first, second, instance, std::string(64, 'a'), std::string(64, 'b')}).size(), 5U);
  for (const std::string& name : {first, second, instance}) EXPECT_EQ(name.size(), 64U);
  json expected = json::parse(body);
  expected["devices"][0]["uuid_hash"] = first;
  expected["devices"][1]["uuid_hash"] = second;
  expected["platform"]["instance_id_hash"] = instance;
  EXPECT_EQ(published_result(body, names), expected.dump()) << "all other bytes are those of the upload";
  EXPECT_EQ(published_result(json::parse(body).dump(1), names), expected.dump(1)) << "taken in before that was refused";
  result.started_at = "2027-01-20T13:37:58.000Z";
  EXPECT_NE(json::parse(published_result(canonical_json(result), names))["devices"][0]["uuid_hash"], first)
      << "another month";
}

TEST(Surrogates, HoldForAMonthAndOneStore) {
  const auto pool = test::memory_pool();
  const auto other_pool = test::memory_pool();
  const auto database = pool->take(ConnectionPool::Access::write);
  const Surrogates names(*database);
  const Surrogates again(*database);
  const Surrogates others(*other_pool->take(ConnectionPool::Access::write));
  EXPECT_EQ(names.contributor("2026-11", "key"), again.contributor("2026-11", "key"));
  EXPECT_EQ(names.run("id"), again.run("id"));
  // All of these stand for different things, or for the same in another month or store.
  const std::set<std::string> distinct{
      names.contributor("2026-11", "key"), names.contributor("2026-12", "key"),  others.contributor("2026-11", "key"),
      names.contributor("2026-11", "yek"), names.host("2026-11", "key", ""),     names.gpu("2026-11", "key", ""),
      names.gpu("2026-11", "key", "gpu"),  names.gpu("2026-11", "other", "gpu"), names.run("key")};
  EXPECT_EQ(distinct.size(), 9U);
  for (const std::string& name : distinct) {
    EXPECT_EQ(name.size(), 32U);
    EXPECT_EQ(name.find_first_not_of("0123456789abcdef"), std::string::npos);
  }
}

TEST(Month, IsOfTheCalendarInUtc) {
  const Month december = month_at(1'798'761'599'999);  // 2026-12-31T23:59:59.999Z
  EXPECT_EQ(december.name, "2026-12");
  EXPECT_EQ(december.begin_ms, 1'796'083'200'000);
  EXPECT_EQ(december.end_ms, 1'798'761'600'000);
  EXPECT_EQ(month_at(december.end_ms).name, "2027-01");
  EXPECT_EQ(month_at(1'709'164'800'000).end_ms, 1'709'251'200'000);  // 29 February 2024
  EXPECT_EQ(day_of(1'709'164'800'000), "2024-02-29");
}

/// A field that is neither exported nor left out for a reason would be forgotten; one that is both would be a mistake.
TEST(DataDictionary, AccountsForEveryFieldOfTheSchema) {
  const auto is_below = [](const std::string& pointer, const std::string& above) {
    return pointer == above || pointer.rfind(above + "/", 0) == 0;
  };
  for (const std::string& field : schema_fields()) {
    int told = 0;
    for (const LeftOut& left_out : left_out_fields()) told += is_below(field, left_out.pointer) ? 1 : 0;
    EXPECT_LE(told, 1) << field;
    for (const Table* const table : exported_tables())
      for (const Column& column : table->columns)
        if (!column.pointer.empty() && told == 0 &&
            (is_below(field, column.pointer) || is_below(column.pointer, field)))
          told = 1;
    EXPECT_EQ(told, 1) << field << " is in no table, and nothing says why";
  }
}

TEST(DataDictionary, NamesOnlyFieldsThatExist) {
  const std::vector<std::string> fields = schema_fields();
  const auto exists = [&](const std::string& pointer) {
    return std::any_of(fields.begin(), fields.end(), [&](const std::string& field) {
      return field == pointer || field.rfind(pointer + "/", 0) == 0 || pointer.rfind(field + "/", 0) == 0;
    });
  };
  for (const LeftOut& field : left_out_fields()) EXPECT_TRUE(exists(field.pointer)) << field.pointer;
  for (const Table* const table : exported_tables()) {
    std::set<std::string> names;
    for (const Column& column : table->columns) {
      EXPECT_TRUE(column.pointer.empty() || exists(column.pointer)) << column.pointer;
      EXPECT_FALSE(meaning_of(column).empty()) << table->name << '.' << column.name;
      EXPECT_TRUE(names.insert(column.name).second) << column.name << " is there twice";
    }
  }
}

class WriteRunTest : public testing::Test {
 protected:
  /// The lines of each table.
  std::map<std::string, std::vector<json>> write(const Result& result, bool is_suppressed = false) {
    RunColumns stored;
    stored.run_id = result.run_id;
    stored.started_at_ms = 1'795'612'455'161;  // 2026-11-25T13:14:15.161Z
    stored.provider = "aws";
    stored.region = "eu-1";
    stored.gpu_count = 2;
    std::map<std::string, std::vector<json>> lines;
    const auto pool = test::memory_pool();
    const Surrogates names(*pool->take(ConnectionPool::Access::write));
    write_run({stored, "agent key", "2026-11", recomputed_document(result), is_suppressed}, names,
              [&](const Table& table, std::string_view line) { lines[table.name].push_back(json::parse(line)); });
    return lines;
  }
  Result result_ = test::example_result();
};

TEST_F(WriteRunTest, FiguresAreComputedFromTheSamples) {
  Measurement& lie = result_.measurements.front();
  const double honest = lie.metric.value().value;
  lie.metric->value *= 2;
  lie.median_ns = 1;
  const auto lines = write(result_);
  EXPECT_EQ(lines.at("runs").size(), 1U);
  EXPECT_EQ(lines.at("devices").size(), result_.devices.size());
  ASSERT_EQ(lines.at("measurements").size(), result_.measurements.size());
  const json& first = lines.at("measurements").front();
  EXPECT_DOUBLE_EQ(first.at("metric_value"), honest);
  EXPECT_GT(first.at("median_ns"), 1);
  EXPECT_EQ(first.at("samples_ns"), json(lie.samples_ns));
}

TEST_F(WriteRunTest, DaysAndNamesStandForInstantsAndIdentifiers) {
  result_.platform.instance_id_hash = "instance";
  result_.devices.front().uuid_hash = "uuid";
  const auto lines = write(result_);
  EXPECT_EQ(lines.at("runs").front().at("day"), "2026-11-25");
  EXPECT_EQ(lines.at("results").front().at("measured_at_ms"), 1'795'608'000'000);  // noon
  EXPECT_NE(lines.at("runs").front().at("host_key"), lines.at("runs").front().at("contributor_key"));
  EXPECT_EQ(lines.at("devices").front().at("gpu_key"), lines.at("measurements").front().at("gpu_key"));
  for (const auto& [table, rows] : lines)
    for (const json& row : rows)
      for (const char* const secret : {"agent key", "instance\"", "\"uuid\"", "13:14", result_.run_id.c_str()})
        EXPECT_EQ(row.dump().find(secret), std::string::npos) << table << ": " << secret;
}

TEST_F(WriteRunTest, SuppressedRunsKeepFiguresAndLoseWhatTellsMachinesApart) {
  result_.host.kernel = "kernel of its own";
  const auto lines = write(result_, true);
  const json& run = lines.at("runs").front();
  EXPECT_TRUE(run.at("is_suppressed").get<bool>());
  for (const char* const column : {"provider", "region", "cpu_model", "kernel", "os", "host_memory_bytes", "libraries"})
    EXPECT_FALSE(run.contains(column)) << column;
  EXPECT_FALSE(lines.at("results").front().contains("provider"));
  EXPECT_EQ(lines.at("measurements").size(), result_.measurements.size());
}

TEST_F(WriteRunTest, OnlyTheCodeOfAReasonIsTold) {
  result_.measurements.front().status = CaseStatus::skipped;
  result_.measurements.front().reason = "oom: no room at /home/alice";
  EXPECT_EQ(write(result_).at("measurements").front().at("reason_code"), "oom");
  result_.measurements.front().reason = "Alice's own words";
  EXPECT_FALSE(write(result_).at("measurements").front().contains("reason_code"));
}

}  // namespace
}  // namespace gpuassay
