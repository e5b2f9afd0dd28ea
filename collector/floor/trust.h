// How far can each figure of a run be trusted, and the run as a whole? Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/floor/proof.h"
#include "core/model.h"

namespace gpuassay {

/// The labels, least first.
enum class Trust {
  self_reported,   ///< the sender says so; the arithmetic from its samples was done again
  recomputed,      ///< exact products were shown to be right, at a speed below what would confirm the figure
  floor_verified,  ///< at least `floor_threshold` of the figure was shown to be done, by the collector's own clock
  /// The device's maker confirms which device it is, exact products were right, and its speed does not speak against
  /// the figure: where it is known what honest devices of its kind show, this one showed it.
  attested,
};
template <>
struct EnumNames<Trust> {
  static constexpr std::array<std::pair<Trust, std::string_view>, 4> values{{{Trust::self_reported, "self_reported"},
                                                                             {Trust::recomputed, "recomputed"},
                                                                             {Trust::floor_verified, "floor_verified"},
                                                                             {Trust::attested, "attested"}}};
};

/// One headline figure of a device.
struct FigureTrust {
  int device = 0;
  std::string figure;  ///< as in a DeviceSummary: "gemm_tflop_per_s.fp32.burst"
  double value = 0;
  Trust label = Trust::self_reported;
  std::optional<double> floor, ratio;  ///< shown of this dtype, TFLOP/s; and over `value`
  /// The work was right and so slow that no honest machine of its kind was ever seen like that: a clock that runs
  /// slowly, or figures of another device.
  bool is_suspect = false;
  bool is_speed_confirmed = false;  ///< `ratio` reaches the threshold; not of an attested device whose kind has none
};

/// The ratio of floor to figure from which a device's GEMM is floor_verified: known where a verified run has been
/// measured on hardware of its kind (docs/measured/verified_run.md). Empty elsewhere: the ratio is shown without a
/// label.
std::optional<double> floor_threshold(const Device& device);

/// Below this ratio a figure is suspect, where a threshold is known at all: honest runs show half as much again.
inline constexpr double kSuspectRatio = 0.5;

/// The device of this index, or null. `result` must outlive what is returned.
const Device* device_of(const Result& result, int index);

/// All headline figures of all devices.
std::vector<FigureTrust> trust_of_figures(const Result& result, const std::vector<FloorProof>& proofs);

/// Whether the proof's device showed the speed that confirms each of its figures in the proof's dtype.
bool is_speed_confirmed(const Result& result, const FloorProof& proof);

/// Of the run: what holds of each of its devices; of a device that of the fastest GEMM figures among the dtypes that
/// the score is made of. A run of a device that is attested and one that is not is floor_verified where both showed
/// their speed, else recomputed at best: a maker's word does not stand for a speed.
Trust trust_of_run(const Result& result, const std::vector<FloorProof>& proofs);

}  // namespace gpuassay
