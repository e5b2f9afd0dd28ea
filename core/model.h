// Every value type that passes between the stages and into the result document, on one page; what can be measured is in
// operation_params.h, what a machine consists of in machine.h.
// Field names are those of the result document (schemas/result.v1.json). An empty optional is written as
// null and must be explained by an entry of `unknown` (see Unknown). Types own their data and do no I/O.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/machine.h"
#include "core/operation_params.h"

namespace gpuassay {

// ---- plan -----------------------------------------------------------------------------------------------

enum class Workload { gemm, conv, bandwidth, compute, collective, latency, disk, network };
enum class Regime { burst, sustained };
enum class Profile { quick, standard, full };

/// How long one case is sampled; durations are of measured time, without warm-up and verification.
struct SamplingLimits {
  int min_samples = 5;
  int max_samples = 1000;
  std::int64_t min_time_ns = 0;
  std::int64_t max_time_ns = 0;
  int stored_samples = 64;  ///< kept in the document after thinning, at most kMaxStoredSamples
  bool operator==(const SamplingLimits&) const = default;
};

/// One planned measurement. `id` is the same for the same operation in every run; a plan has it once, and once more
/// as a `repeat`: the same operation later in the run, whose samples are pooled with the first ones.
struct Case {
  std::string id;
  std::optional<int> device = 0;  ///< empty: of the instance as a whole
  OperationParams params;
  Regime regime = Regime::burst;
  SamplingLimits limits;
  bool repeat = false;
  int group = 0;               ///< cases of one group (not 0) run at the same time, each on its device
  bool optional = false;       ///< a run without the time for it is complete all the same
  bool gpu_telemetry = false;  ///< long enough for NVML to say something, and worth the place in the document
};

// ---- measurement ----------------------------------------------------------------------------------------

enum class CaseStatus { ok, skipped, failed, wrong_result };
enum class StopReason { noise_reached, noise_stable, time_limit, sample_limit };

/// `name` is achieved_tflop_per_s (unit TFLOP/s, 1e12), achieved_gb_per_s, busbw_gb_per_s (unit GB/s, 1e9) or
/// latency_us (unit us).
struct Metric {
  std::string name;
  double value = 0;
  std::string unit;
};

/// Outcome of comparing sampled output positions with a float64 host reference.
/// `max_error` and `tolerance` are in the unit named by `error_kind`; passed means max_error <= tolerance.
struct Verification {
  std::string method;      ///< e.g. "fp64_reference"
  std::string error_kind;  ///< e.g. "relative_to_bound": |got - want| / sum|a*b| ; "absolute" for integers
  std::int64_t positions = 0;
  double max_error = 0;
  double tolerance = 0;
  bool passed = false;
  std::string wrong_part = {};  ///< "of rank 3": where it did not pass, for the reason; not part of the document
};

/// What NVML said while the case ran; a field is empty where NVML does not tell (old board, vGPU, no permission).
struct GpuTelemetry {
  std::optional<double> sm_clock_mhz;      ///< median of the readings under load
  std::optional<double> sm_clock_min_mhz;  ///< lowest reading under load
  std::optional<double> memory_clock_mhz;  ///< median
  std::optional<double> power_w;           ///< median
  std::optional<double> temperature_c;     ///< highest
  /// Seconds in which each clocks event reason (NVML's name in lower case, such as "sw_power_cap") was seen; empty map:
  /// none was.
  std::optional<std::map<std::string, double>> event_reasons_s;
  /// A thermal, power or hardware slowdown reason was among them; idle and application clocks are no throttling.
  std::optional<bool> throttled;
  /// Highest of the PCIe link: at rest it falls to generation 1. Left out of the document where unknown.
  std::optional<int> pcie_generation = {}, pcie_width = {};
  // Left out of the document where unknown, too.
  std::optional<double> energy_j = {};      ///< by the board's energy counter, while the case was sampled
  std::optional<double> mean_power_w = {};  ///< energy_j over its time; without a counter the mean of the readings
};

/// What disturbed the case, as far as it can be seen.
struct Telemetry {
  std::optional<double> steal_fraction;  ///< share of CPU time taken by the hypervisor meanwhile
  /// Cycles over nanoseconds, by stamps of the multiprocessors' own clocks before and after the sampling: needs
  /// nobody's permission. With it, how many multiprocessors stamped. Left out of the document where nothing was
  /// stamped.
  std::optional<double> sm_clock_stamped_mhz = {};
  std::optional<int> multiprocessors_stamped = {};
  std::optional<GpuTelemetry> gpu = {};  ///< left out of the document where nothing was sampled (CPU, short cases)
};

struct Measurement {
  std::string id;
  std::optional<int> device = 0;  ///< empty: of the instance as a whole
  Workload workload = Workload::gemm;
  OperationParams params;
  Regime regime = Regime::burst;
  CaseStatus status = CaseStatus::skipped;
  std::optional<std::string> reason;  ///< why status is not ok; "code: message"
  std::optional<std::string> algorithm;
  std::optional<Metric> metric;
  std::optional<double> fraction_of_peak;
  std::vector<double> samples_ns;  ///< nanoseconds per operation, at most 64
  std::optional<double> median_ns;
  std::optional<double> noise;  ///< median absolute relative deviation, a fraction
  /// 99th percentile of all samples before they were thinned, where each was one operation and there were enough.
  std::optional<double> p99_ns = {};
  std::optional<StopReason> stop_reason;
  std::optional<double> seconds_under_load;
  std::optional<bool> steady_reached;
  std::optional<Verification> verification;
  std::optional<Telemetry> telemetry;
};

// ---- result ---------------------------------------------------------------------------------------------

struct Reason {
  std::string code, message;
  std::optional<int> device;
};

struct RegimeValues {
  std::optional<double> burst, sustained;
};

enum class WorkloadClass { train, prefill, decode };

/// What all GPUs of an instance do of one workload together (core/instance_workloads.h).
struct InstanceWorkload {
  std::string name;
  WorkloadClass workload_class = WorkloadClass::train;
  std::string precision;
  std::optional<double> samples_per_s, low, high;
  std::optional<double> scaling_efficiency;  ///< samples_per_s over what each does alone, added up
  // Of training alone, and left out elsewhere and where there is no figure.
  std::optional<double> exposed_communication_share = {};  ///< of the step: waiting for gradients
  std::optional<int> slowest_device = {};                  ///< for which all others wait
  std::optional<std::string> reason = {};                  ///< why there is no figure; left out where there is one
};

/// Headline figures of one device or of the whole instance.
struct DeviceSummary {
  std::optional<int> device;                                ///< empty for the instance
  std::map<std::string, RegimeValues> gemm_tflop_per_s;     ///< by dtype: best large shape
  std::map<std::string, RegimeValues> conv_tflop_per_s;     ///< by dtype: all ResNet-50 layers, FLOPs over time
  std::map<std::string, RegimeValues> bandwidth_gb_per_s;   ///< by kernel (dram, pinned), cache level, "h2d_pageable"
  std::map<std::string, RegimeValues> compute_tflop_per_s;  ///< by dtype: arithmetic alone; left out when empty
  std::map<std::string, RegimeValues> latency_us;           ///< by kind, lower is better; left out when empty
  // Of the instance alone, and left out when empty: what feeds its devices.
  std::map<std::string, RegimeValues> host_gb_per_s;     ///< memory, disk_write, disk_read, disk_to_device, network
  std::map<std::string, RegimeValues> host_tflop_per_s;  ///< of all usable CPUs in fp32: fma (arithmetic alone), gemm
  std::map<std::string, RegimeValues> host_latency_us;   ///< connect: opening one connection to the named target
  // Of the instance alone; left out when empty.
  std::map<std::string, RegimeValues> collective_busbw_gb_per_s = {};  ///< by kind: the best size
  std::map<std::string, RegimeValues> collective_latency_us = {};      ///< "all_reduce_plain", "..._p99": of 16 KiB
  std::vector<InstanceWorkload> workloads = {};                        ///< with two devices or more
};

/// How one figure differs among the devices of the instance.
struct DeviceSpread {
  std::string figure;  ///< as in a DeviceSummary: "gemm_tflop_per_s.fp16.sustained"
  double min = 0, median = 0, max = 0;
  double spread = 0;       ///< (max - min) / median
  int slowest_device = 0;  ///< the first of those
};

struct Summary {
  DeviceSummary instance;
  std::vector<DeviceSummary> devices;
  std::vector<DeviceSpread> across_devices = {};  ///< left out with a single device
};

struct Verdict {
  std::string code;
  std::optional<int> device;
  std::string message, remedy;
};

struct WorkloadScore {
  std::string name;
  WorkloadClass workload_class = WorkloadClass::train;
  std::string precision;
  std::int64_t batch = 0;                          ///< samples per iteration of the operations measured
  std::optional<double> samples_per_s, low, high;  ///< from medians, upper and lower quartile times
  std::optional<double> vs_reference;              ///< samples_per_s over the A100-SXM4-80GB reference
  double covered_share = 0;                        ///< share of the workload's FLOPs that was measured ok
};

struct DeviceScore {
  int device = 0;
  std::optional<double> value;
};

struct ClassScores {
  std::optional<double> train, prefill, decode;
};

struct Score {
  std::string version = "2026.1";
  std::optional<double> value;  ///< whole instance, 6 significant digits
  ClassScores classes;
  std::vector<DeviceScore> per_device;
  std::optional<double> dlperf_2022_equivalent;
  Regime regime = Regime::burst;
  std::vector<WorkloadScore> workloads;
  std::optional<double> expected, fraction_of_expected;
};

struct Fit {
  std::string model, precision;
  std::int64_t context = 0;
  bool fits = false;
  std::optional<int> gpus_needed;
};

/// What a unit of work costs at the price of the run; money as a decimal string with six places.
struct UnitCost {
  std::string name, precision;
  std::string unit;  ///< "million tokens", "thousand images"
  std::string usd;
};

/// What a unit of work takes of the GPUs' power under sustained load, by the predicted throughput.
struct UnitEnergy {
  std::string name, precision;
  std::string unit;              ///< "tokens", "images"
  std::optional<double> joules;  ///< of one of them; empty where the power under load is unknown
};

/// The price a run was joined with; money as decimal strings with six places.
struct PriceMatch {
  std::string match_level = "none";
  std::optional<std::string> reason;
  std::optional<std::string> price_instance_hour_usd, price_gpu_hour_usd;
  // Of a price that was looked up and found; null otherwise.
  std::optional<std::string> price_id, price_provider, source_ref, amount, currency, unit, fx_rate, fx_date;
  std::optional<std::int64_t> candidates;
  std::optional<std::string> lowest_gpu_hour_usd, highest_gpu_hour_usd;
  std::optional<std::string> region_match, memory_check, variant_check;
  std::optional<bool> count_scaled, stale, pricing_model_assumed;
  std::optional<std::int64_t> age_days;
  std::optional<std::string> as_of_precision, tax, pricing_model, cost_basis, cost_hour_usd;
  bool has_all_fields = true;  ///< documents before 1.2 left the empty ones of these out
};

/// One process of a run on several, with its GPU and what that does alone.
struct NodeRank {
  int rank = 0;
  Device device;
  std::map<std::string, Metric> figures = {};  ///< by case id; left out when empty
};

/// One machine of such a run.
struct Node {
  Host host;
  std::vector<NodeRank> ranks;
};

/// What the run's time went into. The rest is around the cases: looking at the machine, starting processes, saving.
struct TimeUse {
  double measuring_s = 0;  ///< warming up, sampling and verifying of the cases; what ran at the same time counts once
  double preparing_s = 0;  ///< of cases: operands, and which algorithm is fastest
  double non_measuring_fraction = 0;  ///< of duration_s, in which nothing was measured: preparing counts as well
};

struct AgentInfo {
  std::string version, commit, profile, build;
};

enum class RunStatus { complete, partial, failed };
enum class Trigger { user, boot, health, scheduled };

struct Result {
  std::string schema_version = "1.4";
  std::string run_id;  ///< UUIDv7
  RunStatus status = RunStatus::failed;
  std::vector<Reason> reasons;
  bool simulated = false;
  std::string started_at, finished_at;  ///< RFC 3339, UTC, milliseconds
  double duration_s = 0;
  std::optional<TimeUse> time_use = {};  ///< left out where nobody knows: a run that was killed
  Trigger trigger = Trigger::user;
  std::optional<double> boot_to_start_s;
  std::optional<std::string> run_cost_usd;
  AgentInfo agent;
  Host host;
  Platform platform;
  std::vector<Device> devices;
  std::vector<DeviceLink> links = {};  ///< of every pair of GPUs; left out when empty
  std::vector<Node> nodes = {};  ///< of a run that a launcher started as several processes; else empty, and left out
  std::vector<Library> libraries;
  std::vector<Measurement> measurements;
  Summary summary;
  std::vector<Verdict> verdicts;
  Score score;
  std::vector<Fit> fits;
  std::vector<UnitCost> unit_costs;       ///< empty without a price
  std::vector<UnitEnergy> unit_energies;  ///< empty without a GPU
  PriceMatch price;
  std::optional<double> score_per_usd_hour;
  std::vector<Unknown> unknown;
};

}  // namespace gpuassay
