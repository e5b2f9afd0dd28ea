// What do predictions of one device rest on: its own operations, or those of a twin? Pure.
#pragma once

#include <optional>
#include <vector>

#include "core/model.h"
#include "core/operation_times.h"
#include "core/predict.h"
#include "core/twin_times.h"

namespace gpuassay {

/// A device's own operations; those of the first GPU of its kind that ran them (core/twin_times.h) where it ran none;
/// nothing at all where it gave a wrong result.
class KnownTimes {
 public:
  KnownTimes(const Device& device, const std::vector<Device>& devices, const std::vector<Measurement>& measurements);
  KnownTimes(const KnownTimes&) = delete;  // the twin's times refer to those beside them
  KnownTimes& operator=(const KnownTimes&) = delete;
  ~KnownTimes() = default;

  [[nodiscard]] const DeviceTimes& times() const;
  /// By these times, of core_workloads().
  [[nodiscard]] const std::vector<WorkloadPrediction>& predictions() const { return predictions_; }

 private:
  OperationTimes own_;
  std::optional<OperationTimes> of_twin_;
  std::optional<TwinTimes> by_twin_;
  std::vector<WorkloadPrediction> predictions_;
};

}  // namespace gpuassay
