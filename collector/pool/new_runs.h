// What does a run that has just come say about those that are there?
#pragma once

#include <string_view>
#include <vector>

#include "collector/pool/flag.h"
#include "core/database.h"

namespace gpuassay {

/// Flags of this run and of those that it contradicts:
/// - two_rentals: a GPU that was measured at the same time in another run, or in another instance between two runs of
///   this one;
/// - copied_samples: a run whose samples are, up to a factor, those of another machine's earlier one.
std::vector<FoundFlag> flags_of_new_run(Database& database, std::string_view run_id);

}  // namespace gpuassay
