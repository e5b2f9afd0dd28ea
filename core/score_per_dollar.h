// Which query shows score per dollar?
#pragma once

#include <string_view>

namespace gpuassay {

/// core/sql/score_per_dollar.sql, to run on a collector's database (tables run and price).
std::string_view score_per_dollar_sql();

}  // namespace gpuassay
