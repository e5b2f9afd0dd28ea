// What is left of each burst under load without a pause? Pure.
#pragma once

#include <vector>

#include "core/model.h"

namespace gpuassay {

struct SustainedShare {
  const Measurement* sustained = nullptr;  ///< into the result
  double share = 0;                        ///< of the figure of the same operation's burst on the same device
  bool same_algorithm = false;             ///< libraries choose anew each time: among near equals not always alike
};

/// In the order of the document; only operations that were right in both regimes.
std::vector<SustainedShare> sustained_shares(const Result& result);

}  // namespace gpuassay
