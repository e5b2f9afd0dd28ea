#include "core/specified_times.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/csv.h"
#include "core/error.h"
#include "core/gpu_peaks.h"
#include "core/operation_times.h"
#include "core/operations.h"
#include "embedded/EstimateEfficiencies.h"

namespace gpuassay {
namespace {

constexpr double kFlopsPerNsOfTflop = 1e3;

double efficiency_named(const std::map<std::string, std::string, std::less<>>& cells, std::string_view name) {
  const auto found = cells.find(name);
  if (found == cells.end())
    throw Error(ErrorCode::unreadable_input, fmt::format("the table of efficiencies has no {}", name));
  char* end = nullptr;
  const double value = std::strtod(found->second.c_str(), &end);
  if (found->second.empty() || *end != '\0' || !std::isfinite(value) || value <= 0)
    throw Error(ErrorCode::unreadable_input,
                fmt::format("the table of efficiencies: {} is not a positive number", name));
  return value;
}

/// Cards whose tensor cores have no published figure (A10G) are sold for less than the chip could do: at half of its
/// rate, which is what the chip's GeForce cards have.
std::optional<double> unpublished_tensor_tflop_per_s(const GpuSpec& spec) {
  const SmRates* const rates = sm_rates(spec.compute_capability);
  if (rates == nullptr || rates->fp16_tensor == 0 || !spec.boost_clock_mhz) return std::nullopt;
  return rates->fp16_tensor / 2.0 * spec.sm_count * *spec.boost_clock_mhz / 1e6;
}

/// The share of the lanes that a multiprocessor's four schedulers feed, a warp of 32 each: Kepler has 192 lanes, the
/// rest of which work for pairs of independent instructions alone (source: NVIDIA's white paper on GK110).
double issued_share(const SmRates* rates) {
  constexpr double kIssuedFlops = 2.0 * 4 * 32;
  return rates == nullptr ? 1 : std::min(1.0, kIssuedFlops / rates->fp32);
}

std::optional<double> peak_of(const TheoreticalPeak& peak, DType dtype) {
  const auto found = peak.tflop_per_s.find(dtype);
  return found == peak.tflop_per_s.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

EstimateEfficiencies parse_estimate_efficiencies(std::string_view csv) {
  const CsvTable table = CsvTable::parse(csv);
  std::map<std::string, std::string, std::less<>> cells;
  EstimateEfficiencies result;
  for (std::size_t row = 0; row < table.row_count(); ++row) {
    const std::string name(table.cell(row, "name"));
    std::string value(table.cell(row, "value"));
    if (name == "capability") {
      result.capabilities.insert(std::move(value));
    } else {
      cells[name] = std::move(value);
    }
  }
  const auto number = [&](std::string_view name) { return efficiency_named(cells, name); };
  result.fp16 = {number("conv_fp16"), number("gemm_fp16")};
  result.tf32 = {number("conv_tf32"), number("gemm_tf32")};
  result.fp32 = {number("conv_fp32"), number("gemm_fp32")};
  result.start_ns = number("start_ns");
  result.operands = number("operands");
  result.not_hidden = number("not_hidden");
  result.traffic = number("traffic");
  result.traffic_slowdown = number("traffic_slowdown");
  result.traffic_most = number("traffic_most");
  result.graph_launch_ns = number("graph_launch_ns");
  result.kernel_launch_ns = number("kernel_launch_ns");
  result.error = number("error");
  result.error_unseen = number("error_unseen");
  return result;
}

const EstimateEfficiencies& estimate_efficiencies() {
  static const EstimateEfficiencies kEfficiencies = parse_estimate_efficiencies(embedded::kEstimateEfficiencies);
  return kEfficiencies;
}

SpecifiedTimes::SpecifiedTimes(const GpuSpec& spec, const EstimateEfficiencies& efficiencies)
    : efficiencies_(efficiencies) {
  const TheoreticalPeak peak = theoretical_peak(spec);
  const SmRates* const rates = sm_rates(spec.compute_capability);
  std::optional<double> fp32 = peak_of(peak, DType::fp32);
  if (fp32) *fp32 *= issued_share(rates);
  add(DType::fp32, fp32, efficiencies.fp32);
  if (rates != nullptr && rates->fp16_tensor > 0) {
    constexpr int kTf32From = 80;
    std::optional<double> fp16 = peak_of(peak, DType::fp16);
    std::optional<double> tf32 = peak_of(peak, DType::tf32);
    if (!fp16) fp16 = unpublished_tensor_tflop_per_s(spec);
    if (!tf32 && fp16 && capability_number(spec.compute_capability) >= kTf32From) tf32 = *fp16 / 2;
    add(DType::fp16, fp16, efficiencies.fp16);
    add(DType::tf32, tf32, efficiencies.tf32);
    if (tf32) add(DType::bf16, fp16, efficiencies.fp16);  // both came with the same cards
  }
  bytes_per_ns_ = peak.bandwidth_gb_per_s;
  if (bytes_per_ns_ && fp32) {
    const double bytes_per_flop = *bytes_per_ns_ / (*fp32 * kFlopsPerNsOfTflop);
    traffic_share_ = std::min(efficiencies.traffic / (1 + efficiencies.traffic_slowdown * bytes_per_flop),
                              efficiencies.traffic_most);
  }
  error_ = efficiencies.capabilities.contains(spec.compute_capability) ? efficiencies.error : efficiencies.error_unseen;
}

void SpecifiedTimes::add(DType dtype, std::optional<double> tflop_per_s, const PeakShares& shares) {
  if (!tflop_per_s) return;
  const double flops_per_ns = *tflop_per_s * kFlopsPerNsOfTflop;
  rates_[dtype] = {flops_per_ns * shares.conv, flops_per_ns * shares.gemm};
}

std::optional<OperationTime> SpecifiedTimes::of(const OperationParams& params) const {
  const auto* const gemm = std::get_if<GemmParams>(&params);
  const auto* const conv = std::get_if<ConvParams>(&params);
  if ((gemm == nullptr && conv == nullptr) || !bytes_per_ns_) return std::nullopt;
  const auto rate = rates_.find(gemm != nullptr ? gemm->dtype : conv->dtype);
  if (rate == rates_.end()) return std::nullopt;
  const double flops_per_ns = gemm != nullptr ? rate->second.gemm_flops_per_ns : rate->second.conv_flops_per_ns;
  const double computing_ns = flop_count(params) / flops_per_ns;
  const double moving_ns = operand_bytes(params) / (*bytes_per_ns_ * efficiencies_.operands);
  return with_error(efficiencies_.start_ns + std::max(computing_ns, moving_ns) +
                    efficiencies_.not_hidden * std::min(computing_ns, moving_ns));
}

std::optional<double> SpecifiedTimes::best_gemm_flops_per_ns(DType dtype) const {
  const auto rate = rates_.find(dtype);
  return rate == rates_.end() ? std::nullopt : std::optional(rate->second.gemm_flops_per_ns);
}

std::optional<OperationTime> SpecifiedTimes::triad_ns_per_byte() const {
  if (!bytes_per_ns_) return std::nullopt;
  return with_error(1 / (*bytes_per_ns_ * traffic_share_));
}

std::optional<double> SpecifiedTimes::latency_ns(LatencyKind kind) const {
  return kind == LatencyKind::graph_launch ? efficiencies_.graph_launch_ns : efficiencies_.kernel_launch_ns;
}

}  // namespace gpuassay
