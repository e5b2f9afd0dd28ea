#include "tests/support/example_result.h"

#include <algorithm>
#include <numeric>

#include "core/normalize.h"
#include "core/operation_times.h"
#include "core/operations.h"
#include "core/replay.h"
#include "core/score.h"
#include "core/stats.h"
#include "core/workload_reader.h"

namespace gpuassay::test {

Measurement ok_measurement(const OperationParams& params, std::vector<double> samples_ns, int device) {
  Measurement m;
  m.id = case_id(params);
  m.device = device;
  m.workload = workload_of(params);
  m.params = params;
  m.status = CaseStatus::ok;
  m.algorithm = "jit:avx512";
  m.samples_ns = std::move(samples_ns);
  m.stop_reason = StopReason::noise_reached;
  const double samples_s = std::accumulate(m.samples_ns.begin(), m.samples_ns.end(), 0.0) / 1e9;
  m.seconds_under_load = std::max(0.125, round_significant(2 * samples_s, 4));
  m.verification = Verification{"fp64_reference", "relative_to_sum_abs", 64, 1e-7, 1e-5, true};
  m.telemetry = Telemetry{0.0};
  return m;
}

std::vector<Measurement> network_measurements(double flops_per_ns, double bytes_per_ns, int device, DType dtype) {
  constexpr std::size_t kOperations = 60, kOfEachKind = 4;
  const auto operations =
      replay_operations(core_workloads(), WorkloadPrecision::full, {dtype, dtype}, flops_per_ns / bytes_per_ns);
  std::vector<Measurement> measurements;
  for (const ReplayOperation& operation : most_telling(operations, kOperations, kOfEachKind)) {
    const double ns = round_significant(
        std::max(flop_count(operation.params) / flops_per_ns, operand_bytes(operation.params) / bytes_per_ns), 6);
    measurements.push_back(ok_measurement(operation.params, {ns, ns, ns}, device));
  }
  const BandwidthParams triad{BandwidthKernel::triad, MemoryLevel::dram, 1'000'000};
  const double triad_ns = round_significant(byte_count(triad) / bytes_per_ns, 6);
  measurements.push_back(ok_measurement(triad, {triad_ns, triad_ns, triad_ns}, device));
  return measurements;
}

Device cpu_device(int index) {
  Device device;
  device.index = index;
  device.name = "AMD EPYC 9654";
  device.memory_bytes = 25'000'000'000;
  return device;
}

Result example_result() {
  Result result;
  result.run_id = "0190b5a4-7c1d-7b3e-9f00-0123456789ab";
  result.status = RunStatus::complete;
  result.started_at = "2026-11-20T13:37:58.000Z";
  result.finished_at = "2026-11-20T13:38:58.500Z";
  result.duration_s = 60.5;
  result.agent = {"0.1.0", "0123456789ab", "standard", "clang-20 release"};
  result.host.cpu_model = "AMD EPYC 9654";
  result.host.logical_cpus = 2;
  result.host.effective_cpus = 1.5;
  result.devices = {cpu_device()};
  result.libraries = {{"onednn", "2.6.3", "system", "cpu", std::nullopt}};
  result.measurements = network_measurements(600, 30);
  result.measurements.push_back(ok_measurement(GemmParams{DType::fp32, 4096, 4096, 4096, 1}, {8e8, 8.8e8, 9.6e8}));
  Measurement skipped;
  skipped.params = GemmParams{DType::bf16, 2048, 2048, 2048, 1};
  skipped.id = case_id(skipped.params);
  skipped.reason = "unsupported: this CPU has no bf16 instructions";
  result.measurements.push_back(skipped);
  result.measurements = normalize_all(std::move(result.measurements), result.devices);
  result.summary = summarize(result.devices, result.measurements);
  result.score = score_run(result.devices, result.measurements);
  result.unknown = unknown_parts(result.score);
  result.verdicts = {{"contended", 0, "another tenant took CPU time", "run again on a quiet machine"}};
  return result;
}

}  // namespace gpuassay::test
