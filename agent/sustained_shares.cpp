#include "agent/sustained_shares.h"

namespace gpuassay {

std::vector<SustainedShare> sustained_shares(const Result& result) {
  std::vector<SustainedShare> shares;
  for (const Measurement& sustained : result.measurements) {
    if (sustained.regime != Regime::sustained || sustained.status != CaseStatus::ok || !sustained.metric) continue;
    for (const Measurement& burst : result.measurements) {
      if (burst.regime != Regime::burst || burst.id != sustained.id || burst.device != sustained.device ||
          burst.status != CaseStatus::ok || !burst.metric || !(burst.metric->value > 0))
        continue;
      shares.push_back(
          {&sustained, sustained.metric->value / burst.metric->value, sustained.algorithm == burst.algorithm});
      break;
    }
  }
  return shares;
}

}  // namespace gpuassay
