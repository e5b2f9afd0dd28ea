// What does a stored result score when it is recomputed from its raw samples, and is that what it says? Pure.
#pragma once

#include <vector>

#include "core/model.h"

namespace gpuassay {

struct Rescored {
  std::vector<Measurement> measurements;  ///< of the result, normalized again
  Score score;                            ///< of this version, whatever was stored
  /// The stored score has this version and differs: the file was changed after the run.
  bool contradicts_stored = false;
};

Rescored rescore(const Result& stored);

}  // namespace gpuassay
