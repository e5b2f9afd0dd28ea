// What does every column of the export mean, and which fields of the result document are in none, and why?
#pragma once

#include <string>
#include <vector>

#include "collector/export/column.h"

namespace gpuassay {

/// All tables of an export.
std::vector<const Table*> exported_tables();

/// A part of the result document that no table has.
struct LeftOut {
  std::string pointer;  ///< as Column::pointer; all below it is meant
  std::string reason;
};
const std::vector<LeftOut>& left_out_fields();

/// Every field of the published result schema that has no fields below it, as Column::pointer names them.
std::vector<std::string> schema_fields();

/// One page of Markdown, from the tables and the published schema.
std::string data_dictionary();

/// What a column means: its own words, else the schema's.
std::string meaning_of(const Column& column);

}  // namespace gpuassay
