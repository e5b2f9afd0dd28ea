#include "collector/export/run_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "core/enums.h"
#include "core/headlines.h"

namespace gpuassay {
namespace {

constexpr const char* kText = "VARCHAR";
constexpr const char* kReal = "DOUBLE";
constexpr const char* kWhole = "BIGINT";
constexpr const char* kFlag = "BOOLEAN";
constexpr const char* kTexts = "VARCHAR[]";

void add_figures(std::vector<Column>& columns, const std::string& pointer, const HeadlineKind& figure,
                 const std::string& meaning) {
  for (const std::string& kind : figure.keys) {
    for (const char* const regime : {"burst", "sustained"}) {
      columns.push_back({fmt::format("{}_{}_{}", figure.name, kind, regime), kReal,
                         fmt::format("{}/{}/{}/{}", pointer, figure.name, kind, regime),
                         fmt::format("{} {}, {}.", meaning, kind, regime)});
      if (figure.of_instance_only) break;  // nothing of it is kept under load
    }
  }
}

std::vector<std::string> dtype_names() {
  std::vector<std::string> names;
  names.reserve(EnumNames<DType>::values.size());
  for (const auto& [value, name] : EnumNames<DType>::values) names.emplace_back(name);
  return names;
}

void add_peaks(std::vector<Column>& columns, const std::string& peak, const std::string& meaning) {
  for (const std::string& dtype : dtype_names())
    columns.push_back({fmt::format("theoretical_{}_{}", peak, dtype), kReal,
                       fmt::format("/devices/*/theoretical/{}/{}", peak, dtype),
                       fmt::format("{} {}.", meaning, dtype)});
}

/// "params_m": what the operation was, where it has such a parameter.
void add_parameters(std::vector<Column>& columns) {
  struct Parameter {
    const char *name, *type, *meaning;
  };
  for (const Parameter& parameter : {
           Parameter{"dtype", kText, "Numeric format of the operands."},
           {"direction", kText, "conv: forward, backward_data or backward_weights."},
           {"kernel", kText, "bandwidth: copy, triad, read, h2d and so on."},
           {"level", kText, "bandwidth: where the data lies, or the kind of the host's memory."},
           {"unit", kText, "compute: fma (ordinary lanes) or mma (matrix units)."},
           {"kind", kText,
            "latency, disk, network, collective: what was done, such as kernel_launch, sequential_read, all_reduce."},
           {"m", kWhole, "gemm: C[m,n] = A[m,k] * B[k,n]."},
           {"n", kWhole, "gemm: columns of C; conv: images."},
           {"k", kWhole, "gemm: the inner size; conv: channels of the output."},
           {"batch", kWhole, "gemm: independent products."},
           {"c", kWhole, "conv: channels of the input."},
           {"h", kWhole, "conv: height of the input."},
           {"w", kWhole, "conv: width of the input."},
           {"r", kWhole, "conv: height of the filter."},
           {"s", kWhole, "conv: width of the filter."},
           {"p", kWhole, "conv: height of the output."},
           {"q", kWhole, "conv: width of the output."},
           {"stride", kWhole, "conv: step of the filter."},
           {"pad", kWhole, "conv: zeros at each edge."},
           {"array_bytes", kWhole, "bandwidth: size of one array, or what one operation moves."},
           {"peer", kWhole, "bandwidth: number of the other device of a copy between two."},
           {"message_bytes", kWhole, "collective: size of the message, as nccl-tests counts it."},
           {"ranks", kWhole, "collective: GPUs that take part."},
           {"mode", kText, "collective: bandwidth, or for the latency of one call plain or graph."},
           {"flops", kWhole, "compute: operations that one operation of the case does."},
           {"bytes", kWhole, "disk, network: what one operation writes, reads or receives."},
           {"block_bytes", kWhole, "disk: what is written or read at once."},
       }) {
    columns.push_back({fmt::format("params_{}", parameter.name), parameter.type,
                       fmt::format("/measurements/*/params/{}", parameter.name), parameter.meaning});
  }
}

}  // namespace

std::vector<Column> run_document_columns() {
  return {
      {"schema_version", kText, "/schema_version", "Version of the result document."},
      {"status", kText, "/status", "complete, partial or failed."},
      {"reason_codes", kTexts, "/reasons/*/code", "Why the run is not complete."},
      {"duration_s", kReal, "/duration_s", "How long the run took."},
      {"measuring_s", kReal, "/time_use/measuring_s", "Of that warming up, sampling and verifying."},
      {"preparing_s", kReal, "/time_use/preparing_s", "Of that preparing cases."},
      {"non_measuring_fraction", kReal, "/time_use/non_measuring_fraction",
       "Share of duration_s in which nothing was measured."},
      {"trigger", kText, "/trigger", "What started the run."},
      {"boot_to_start_s", kReal, "/boot_to_start_s", "Seconds from boot to the start of the run."},
      {"agent_version", kText, "/agent/version", "Version of gpuassay that measured."},
      {"agent_profile", kText, "/agent/profile", "quick, standard or full."},
      {"cpu_model", kText, "/host/cpu_model", "Processor of the machine."},
      {"logical_cpus", kWhole, "/host/logical_cpus", "Online CPUs of the machine."},
      {"effective_cpus", kReal, "/host/effective_cpus", "CPUs that quotas and affinity leave; may be a fraction."},
      {"host_memory_bytes", kWhole, "/host/memory_bytes",
       "Usable memory: the smaller of RAM and the control group's limit."},
      {"os", kText, "/host/os", "Name of the operating system."},
      {"kernel", kText, "/host/kernel", "Version of the kernel."},
      {"virtualization", kText, "/host/virtualization", "none, kvm, xen and so on."},
      {"container", kText, "/host/container", "none, docker, kubernetes and so on."},
      {"zone", kText, "/platform/zone", "Zone within the region."},
      {"underlying", kText, "/platform/underlying", "Provider below a marketplace."},
      {"host_layer", kTexts, "/platform/host_layer", "Layers between machine and user."},
      {"libraries", "STRUCT(name VARCHAR, version VARCHAR, path_kind VARCHAR, chosen_for VARCHAR)[]", "/libraries",
       "Libraries that were found, and what each was chosen for."},
      {"links", "STRUCT(device BIGINT, peer BIGINT, path VARCHAR, nvlinks BIGINT, pcie VARCHAR, peer_access VARCHAR)[]",
       "/links", "What lies between each two GPUs, as NVML tells."},
      {"verdict_codes", kTexts, "/verdicts/*/code", "What the agent found suspicious."},
      {"score_train", kReal, "/score/classes/train", "The class train of the score."},
      {"score_prefill", kReal, "/score/classes/prefill", "The class prefill of the score."},
      {"score_decode", kReal, "/score/classes/decode", "The class decode of the score."},
      {"dlperf_2022_equivalent", kReal, "/score/dlperf_2022_equivalent", "The score on the scale of DLPerf of 2022."},
      {"score_regime", kText, "/score/regime", "The regime of the figures in the score."},
      {"score_expected", kReal, "/score/expected", "The score that the datasheet lets expect."},
      {"fraction_of_expected", kReal, "/score/fraction_of_expected", "Score over the expected one."},
      {"workloads",
       "STRUCT(name VARCHAR, class VARCHAR, \"precision\" VARCHAR, batch BIGINT, samples_per_s DOUBLE, low DOUBLE, "
       "high DOUBLE, vs_reference DOUBLE, covered_share DOUBLE)[]",
       "/score/workloads", "Predicted throughput of each network."},
      {"instance_workloads",
       "STRUCT(name VARCHAR, class VARCHAR, \"precision\" VARCHAR, samples_per_s DOUBLE, low DOUBLE, high DOUBLE, "
       "scaling_efficiency DOUBLE, exposed_communication_share DOUBLE, slowest_device BIGINT, reason VARCHAR)[]",
       "/summary/instance/workloads",
       "Predicted throughput of all GPUs together: training data-parallel, with the "
       "exchange of gradients."},
  };
}

std::vector<Column> device_document_columns() {
  std::vector<Column> columns{
      {"device", kWhole, "/devices/*/index", "Number of the device in its run."},
      {"kind", kText, "/devices/*/kind", "cuda or cpu."},
      {"name", kText, "/devices/*/name", "What the driver calls it."},
      {"model", kText, "/devices/*/model", "The one name of this model in the dataset."},
      {"variant", kText, "/devices/*/variant", "SXM2, PCIe and so on."},
      {"memory_bytes", kWhole, "/devices/*/memory_bytes", "Memory of the device."},
      {"compute_capability", kText, "/devices/*/compute_capability", "As CUDA numbers it."},
      {"sm_count", kWhole, "/devices/*/sm_count", "Multiprocessors."},
      {"driver_version", kText, "/devices/*/driver_version", "Version of the driver."},
      {"vbios", kText, "/devices/*/vbios", "Version of the VBIOS."},
      {"ecc", kFlag, "/devices/*/ecc", "Whether error correction is on."},
      {"mig", kText, "/devices/*/mig", "The slice, where the GPU is divided."},
      {"vgpu", kText, "/devices/*/vgpu", "The kind of virtual GPU."},
      {"numa_node", kWhole, "/devices/*/numa_node", "Whose memory and processors are near."},
      {"pci_generation", kWhole, "/devices/*/pci/generation", "Of the PCIe link, the best that was seen."},
      {"pci_width", kWhole, "/devices/*/pci/width", "Lanes of the PCIe link, the most that were seen."},
      {"pci_max_generation", kWhole, "/devices/*/pci/max_generation", "What link and device can do."},
      {"pci_max_width", kWhole, "/devices/*/pci/max_width", "What link and device can do."},
      {"power_limit_w", kReal, "/devices/*/limits/power_limit_w", "Enforced limit of power."},
      {"default_power_limit_w", kReal, "/devices/*/limits/default_power_limit_w",
       "The limit that the board came with."},
      {"max_sm_clock_mhz", kReal, "/devices/*/limits/max_sm_clock_mhz", "Highest clock of the multiprocessors."},
      {"max_memory_clock_mhz", kReal, "/devices/*/limits/max_memory_clock_mhz", "Highest clock of the memory."},
      {"ecc_corrected_before", kWhole, "/devices/*/health/ecc_corrected_before",
       "Corrected memory errors since the driver was loaded, before the run."},
      {"ecc_corrected_after", kWhole, "/devices/*/health/ecc_corrected_after", "The same after the run."},
      {"ecc_uncorrected_before", kWhole, "/devices/*/health/ecc_uncorrected_before",
       "Uncorrectable memory errors since the driver was loaded, before the run."},
      {"ecc_uncorrected_after", kWhole, "/devices/*/health/ecc_uncorrected_after", "The same after the run."},
      {"xids", "BIGINT[]", "/devices/*/health/xids", "Xid errors that the driver logged during the run."},
      {"theoretical_bandwidth_gb_per_s", kReal, "/devices/*/theoretical/bandwidth_gb_per_s",
       "Bandwidth of the memory by the datasheet."},
  };
  add_peaks(columns, "tflop_per_s", "Dense peak of the fastest unit for");
  add_peaks(columns, "fma_tflop_per_s", "Peak of the multiply-add lanes alone for");
  return columns;
}

std::vector<Column> measurement_document_columns() {
  std::vector<Column> columns{
      {"device", kWhole, "/measurements/*/device",
       "Number of the device in its run; NULL where the machine as a whole was measured."},
      {"id", kText, "/measurements/*/id", "The operation; the same in every run."},
      {"workload", kText, "/measurements/*/workload",
       "gemm, conv, bandwidth, compute, latency, collective, disk or network."},
  };
  add_parameters(columns);
  const std::vector<Column> rest{
      {"regime", kText, "/measurements/*/regime", "burst or sustained."},
      {"status", kText, "/measurements/*/status", "ok, skipped, failed or wrong_result; only ok has a metric."},
      {"algorithm", kText, "/measurements/*/algorithm", "Which way the library computed it."},
      {"metric_name", kText, "/measurements/*/metric/name", "What `metric_value` is."},
      {"metric_value", kReal, "/measurements/*/metric/value", "The figure, from the median of the samples."},
      {"metric_unit", kText, "/measurements/*/metric/unit", "TFLOP/s (1e12), GB/s (1e9) or us."},
      {"fraction_of_peak", kReal, "/measurements/*/fraction_of_peak", "The figure over the device's theoretical peak."},
      {"samples_ns", "DOUBLE[]", "/measurements/*/samples_ns", "Nanoseconds per operation, at most 64 of them."},
      {"median_ns", kReal, "/measurements/*/median_ns", "Median of the samples."},
      {"noise", kReal, "/measurements/*/noise", "Median absolute relative deviation, a fraction."},
      {"p99_ns", kReal, "/measurements/*/p99_ns", "99th percentile of all samples, where each was one operation."},
      {"stop_reason", kText, "/measurements/*/stop_reason", "Why sampling ended."},
      {"seconds_under_load", kReal, "/measurements/*/seconds_under_load", "How long the device worked on it."},
      {"steady_reached", kFlag, "/measurements/*/steady_reached", "Whether it had settled."},
      {"verification_method", kText, "/measurements/*/verification/method", "How the output was checked."},
      {"verification_error_kind", kText, "/measurements/*/verification/error_kind", "What the errors are relative to."},
      {"verification_positions", kWhole, "/measurements/*/verification/positions", "Positions that were compared."},
      {"verification_max_error", kReal, "/measurements/*/verification/max_error", "Largest error."},
      {"verification_tolerance", kReal, "/measurements/*/verification/tolerance", "Largest error that passes."},
      {"verification_passed", kFlag, "/measurements/*/verification/passed", "Whether the output was right."},
      {"steal_fraction", kReal, "/measurements/*/telemetry/steal_fraction",
       "Share of CPU time that the hypervisor took meanwhile."},
      {"sm_clock_stamped_mhz", kReal, "/measurements/*/telemetry/sm_clock_stamped_mhz", ""},
      {"multiprocessors_stamped", kWhole, "/measurements/*/telemetry/multiprocessors_stamped",
       "How many multiprocessors stamped their clock."},
      {"sm_clock_mhz", kReal, "/measurements/*/telemetry/gpu/sm_clock_mhz", ""},
      {"sm_clock_min_mhz", kReal, "/measurements/*/telemetry/gpu/sm_clock_min_mhz", ""},
      {"memory_clock_mhz", kReal, "/measurements/*/telemetry/gpu/memory_clock_mhz", ""},
      {"power_w", kReal, "/measurements/*/telemetry/gpu/power_w", ""},
      {"temperature_c", kReal, "/measurements/*/telemetry/gpu/temperature_c", ""},
      {"event_reasons_s", "MAP(VARCHAR, DOUBLE)", "/measurements/*/telemetry/gpu/event_reasons_s", ""},
      {"throttled", kFlag, "/measurements/*/telemetry/gpu/throttled", "A slowdown by heat or power was seen."},
      {"pcie_generation", kWhole, "/measurements/*/telemetry/gpu/pcie_generation", ""},
      {"pcie_width", kWhole, "/measurements/*/telemetry/gpu/pcie_width", ""},
      {"energy_j", kReal, "/measurements/*/telemetry/gpu/energy_j", ""},
      {"mean_power_w", kReal, "/measurements/*/telemetry/gpu/mean_power_w", ""},
  };
  columns.insert(columns.end(), rest.begin(), rest.end());
  return columns;
}

std::vector<Column> figure_columns(const std::string& pointer) {
  std::vector<Column> columns;
  const std::map<std::string_view, std::string> meanings{
      {"gemm_tflop_per_s", "Matrix product, best square shape:"},
      {"conv_tflop_per_s", "All convolutions of ResNet-50, FLOPs over time:"},
      {"compute_tflop_per_s", "Arithmetic alone, from registers:"},
      {"bandwidth_gb_per_s", "Bandwidth,"},
      {"latency_us", "Microseconds of a"},
      {"host_gb_per_s", "Of the machine around the GPUs,"},
      {"host_tflop_per_s", "All usable CPUs in fp32,"},
      {"host_latency_us", "Microseconds to the named network target,"},
      {"collective_busbw_gb_per_s", "Bus bandwidth of the best size, all GPUs together:"},
      {"collective_latency_us", "Microseconds of a collective of 16 KiB, all GPUs together:"}};
  for (const HeadlineKind& kind : headline_kinds()) {
    if (!kind.of_instance_only || pointer == "/summary/instance")
      add_figures(columns, pointer, kind, meanings.at(kind.name));
  }
  return columns;
}

bool tells_machines_apart(std::string_view column) {
  constexpr std::array<std::string_view, 21> kColumns{
      "provider",       "instance_type",     "region",       "zone",
      "pricing_model",  "underlying",        "host_layer",   "cpu_model",
      "logical_cpus",   "effective_cpus",    "os",           "kernel",
      "virtualization", "container",         "libraries",    "driver_version",
      "vbios",          "host_memory_bytes", "instance_key", "vcpus_milli",
      "memory_mib"};
  return std::find(kColumns.begin(), kColumns.end(), column) != kColumns.end();
}

}  // namespace gpuassay
