// What has changed over weeks and months?
#pragma once

#include <cstdint>
#include <vector>

#include "collector/pool/flag.h"
#include "core/database.h"

namespace gpuassay {

/// Flags of the newest runs:
/// - drift: of a GPU whose scores of the last 30 days are another than those of the two years before, by more than 10 %
/// in the
///   median and without an overlap of the middle halves; three runs on each side at least;
/// - shift: of a provider's GPU model, count and score version whose machines of the last 7 days are another than those
///   of the 83 days before, by the same rule; ten machines on each side at least.
std::vector<FoundFlag> flags_of_changes(Database& database, std::int64_t now_ms);

/// Whether these are another distribution by that rule. Pure.
bool has_shifted(std::vector<double> before, std::vector<double> now);

}  // namespace gpuassay
