#include "collector/export/column.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/utf8.h"

namespace gpuassay {
namespace {

using nlohmann::json;

bool holds_text(const json& value) {
  if (value.is_string()) return true;
  if (!value.is_structured()) return false;
  return std::any_of(value.begin(), value.end(), holds_text);
}

json with_printable_text(const json& value) {
  if (value.is_string()) return printable_utf8(value.get_ref<const std::string&>());
  if (!value.is_structured()) return value;
  json copy = value;
  for (json& part : copy) part = with_printable_text(part);
  return copy;
}

}  // namespace

Steps steps_of(std::string_view pointer) {
  Steps steps;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);  // the slash
    const std::size_t end = pointer.find('/');
    steps.emplace_back(pointer.substr(0, end));
    pointer.remove_prefix(end == std::string_view::npos ? pointer.size() : end);
  }
  return steps;
}

const json* value_at(const json& document, const Steps& steps) {
  const json* value = &document;
  for (const std::string& step : steps) {
    const auto member = value->is_object() ? value->find(step) : value->end();
    if (member == value->end()) return nullptr;
    value = &*member;
  }
  return value;
}

void append_member(std::string& line, const std::string& name, const json& value) {
  if (value.is_null()) return;
  line += fmt::format("{}\"{}\":", line.back() == '{' ? "" : ",", name);
  line += holds_text(value) ? with_printable_text(value).dump() : value.dump();
}

std::string duckdb_columns(const std::vector<Column>& columns) {
  std::string text = "{";
  for (const Column& column : columns)
    text += fmt::format("{}\"{}\": {}", text.size() > 1 ? ", " : "", column.name, duckdb_text(column.type));
  return text + "}";
}

std::string duckdb_text(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace gpuassay
