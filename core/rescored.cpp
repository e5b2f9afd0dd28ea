#include "core/rescored.h"

#include <nlohmann/json.hpp>

#include "core/normalize.h"
#include "core/result_json.h"
#include "core/score.h"

namespace gpuassay {
namespace {

/// The score as it stands in a document, without the rest of it.
nlohmann::json written(const Score& score) {
  Result alone;
  alone.score = score;
  return to_json(alone).at("score");
}

}  // namespace

Rescored rescore(const Result& stored) {
  Rescored again;
  again.measurements = normalize_all(stored.measurements, stored.devices);
  again.score = score_run(stored.devices, again.measurements);
  again.contradicts_stored =
      stored.score.version == again.score.version && written(stored.score) != written(again.score);
  return again;
}

}  // namespace gpuassay
