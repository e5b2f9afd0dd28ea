// What is one column of an exported table, and how do values become lines that DuckDB reads?
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuassay {

/// The data dictionary, the types DuckDB is told and the values all follow from this.
struct Column {
  std::string name;
  std::string type;     ///< as DuckDB writes it: "BIGINT", "DOUBLE[]"
  std::string pointer;  ///< JSON pointer into the result document, '*' for every element; empty: made by the collector
  std::string meaning;  ///< one sentence; empty where the schema says it
};

/// A table that is streamed to DuckDB.
struct Table {
  std::string name;
  std::string meaning;
  std::vector<Column> columns;
};

/// Where a column's value is: `steps` from the object that stands for the row's part of the document.
using Steps = std::vector<std::string>;
/// "/metric/value" is {"metric", "value"}.
Steps steps_of(std::string_view pointer);
/// Null where a step leads nowhere.
const nlohmann::json* value_at(const nlohmann::json& document, const Steps& steps);

/// Appends `"name":value` to a line that ends with '{' or a member. Null adds nothing: DuckDB reads a missing member as
/// NULL. Texts lose what is not printable.
void append_member(std::string& line, const std::string& name, const nlohmann::json& value);

/// "{name:'TYPE', ...}": the columns as read_json() takes them.
std::string duckdb_columns(const std::vector<Column>& columns);
/// "'" doubled, in quotes.
std::string duckdb_text(std::string_view text);

}  // namespace gpuassay
