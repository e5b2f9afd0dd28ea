// What has a watch seen? Takes probes, keeps the series of every figure, and says what is worth telling. No I/O.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/watch_rule.h"
#include "core/model.h"

namespace gpuassay {

/// One probe: its cases as they were measured, with figures.
struct ProbeRecord {
  std::size_t number = 0;  ///< from 1
  std::string at;          ///< RFC 3339, when it began
  double elapsed_s = 0;    ///< since the watch began
  double took_s = 0;
  std::vector<Measurement> measurements;
  std::vector<Reason> reasons;
};

/// What the machine said of itself during some probes; empty where it does not tell.
struct Conditions {
  std::optional<double> sm_clock_mhz;                  ///< median
  std::optional<double> steal_fraction;                ///< highest
  std::optional<std::set<std::string>> event_reasons;  ///< of the clocks, NVML's names; without those of a GPU at rest
};

Conditions conditions_of(const std::vector<const Measurement*>& measurements);

/// What became of a figure or a device, or of the watch itself.
struct WatchEvent {
  std::string kind;  ///< slower, as_fast_again, wrong_result, not_measured, measured_again, hardware_fault, ...
  std::string at;    ///< RFC 3339
  std::string message;
  std::optional<int> device = {};
  std::string figure = {};  ///< id of the case; empty where it is about none
  std::optional<SpeedChange> change = {};
  std::string since_at = {};  ///< of the first of the probes that tell the change
  std::optional<Conditions> during = {}, before = {};
};

/// One figure of one device.
struct FigureRecord {
  Case planned;
  WatchedFigure watched;
  std::optional<Conditions> at_baseline;  ///< of an earlier run
  std::vector<Measurement> values;        ///< the probes that count, as `watched` has them, without samples
  std::vector<std::string> times;         ///< when those were
  bool was_slower = false;
};

class WatchBook {
 public:
  /// `choice`: what probes may measure. `earlier`: the run with which they are compared, null without one.
  WatchBook(const std::vector<Case>& choice, const std::vector<Device>& devices, const Result* earlier);

  /// What the probe changes.
  std::vector<WatchEvent> take(ProbeRecord probe);

  [[nodiscard]] const std::vector<FigureRecord>& figures() const { return figures_; }
  [[nodiscard]] const std::vector<ProbeRecord>& probes() const { return probes_; }
  /// "GPU 1 gemm fp16": for people.
  [[nodiscard]] std::string name_of(const OperationParams& params, const std::optional<int>& device) const;

 private:
  void take_figure(const Measurement& measurement, const std::string& at, std::vector<WatchEvent>& events);
  void take_status(const ProbeRecord& probe, std::vector<WatchEvent>& events);
  [[nodiscard]] WatchEvent event_of(const FigureRecord& figure, const SpeedChange& change) const;

  std::map<int, DeviceKind> kinds_;
  std::string earlier_id_;
  std::vector<FigureRecord> figures_;
  std::vector<ProbeRecord> probes_;
  std::set<std::optional<int>> failing_;  ///< devices whose last probe measured nothing
};

}  // namespace gpuassay
