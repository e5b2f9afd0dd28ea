#include "agent/backends/cudnn_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "core/error.h"

namespace gpuassay {
namespace {

/// More than any version has kinds of.
constexpr std::int64_t kMostNotes = 32;
constexpr std::int64_t kMostKnobs = 64;
/// `algorithm` in a result has at most 256 characters, of which other words need some.
constexpr std::size_t kMostNameCharacters = 200;

bool has_any(const std::vector<int>& notes, std::initializer_list<int> wanted) {
  return std::find_first_of(notes.begin(), notes.end(), wanted.begin(), wanted.end()) != notes.end();
}

/// "2=1,5=3"
std::string describe_knobs(const cudnn::BackendObject& config) {
  std::string text;
  for (const cudnn::BackendObject& knob :
       config.objects(cudnn::kConfigKnobChoices, cudnn::kKnobChoiceType, kMostKnobs)) {
    const std::vector<int> type = knob.enums(cudnn::kKnobType, cudnn::kKnobTypeElement, 1);
    if (type.empty()) continue;
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", type.front(), knob.int64(cudnn::kKnobValue));
  }
  return text;
}

}  // namespace

CudnnEngine describe_engine(const cudnn::BackendObject& config) {
  CudnnEngine described;
  const std::vector<cudnn::BackendObject> engines = config.objects(cudnn::kConfigEngine, cudnn::kEngineType, 1);
  if (engines.empty()) throw Error(ErrorCode::library_failed, "cuDNN gave an engine configuration without an engine");
  const cudnn::BackendObject& engine = engines.front();
  described.numerical_notes = engine.enums(cudnn::kEngineNumericalNotes, cudnn::kNumericalNoteElement, kMostNotes);
  described.behavior_notes = engine.enums(cudnn::kEngineBehaviorNotes, cudnn::kBehaviorNoteElement, kMostNotes);
  described.name = fmt::format("engine {}", engine.int64(cudnn::kEngineIndex));
  const std::string knobs = describe_knobs(config);
  if (!knobs.empty()) described.name += " knobs " + knobs;
  if (described.name.size() > kMostNameCharacters)
    described.name.replace(kMostNameCharacters, std::string::npos, "...");
  return described;
}

bool engine_is_suitable(DType dtype, const CudnnEngine& engine) {
  const auto behaves = [&](std::initializer_list<int> notes) { return has_any(engine.behavior_notes, notes); };
  const auto computes = [&](std::initializer_list<int> notes) { return has_any(engine.numerical_notes, notes); };
  if (behaves({cudnn::kNoteRuntimeCompilation, cudnn::kNoteFilterReorder, cudnn::kNoteBiasReorder})) return false;
  if (computes({cudnn::kNoteDownConvertInputs, cudnn::kNoteReducedPrecisionReduction})) return false;
  return dtype != DType::fp32 || !computes({cudnn::kNoteTensorCore});
}

int algorithm_as_exact(ConvDirection direction, const CudnnEngine& engine) {
  const bool forward = direction == ConvDirection::forward;
  if (has_any(engine.numerical_notes, {cudnn::kNoteWinograd, cudnn::kNoteWinogradTile4x4, cudnn::kNoteWinogradTile6x6,
                                       cudnn::kNoteWinogradTile13x13})) {
    return forward ? cudnn::kForwardWinogradNonfused : cudnn::kBackwardWinogradNonfused;
  }
  if (has_any(engine.numerical_notes, {cudnn::kNoteFft})) return forward ? cudnn::kForwardFft : cudnn::kBackwardFft;
  return forward ? cudnn::kForwardPrecomputedGemm : cudnn::kBackwardAlgo1;
}

}  // namespace gpuassay
