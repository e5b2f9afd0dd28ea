#include "core/score_per_dollar.h"

#include "embedded/ScorePerDollar.h"

namespace gpuassay {

std::string_view score_per_dollar_sql() { return embedded::kScorePerDollar; }

}  // namespace gpuassay
