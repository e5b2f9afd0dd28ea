#include "core/operation_times.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/operations.h"
#include "core/stats.h"

namespace gpuassay {
namespace {

/// Two measured operations say nothing yet about how far an estimate may be off.
constexpr std::size_t kFewestForEstimate = 3;
constexpr double kLeastSpread = 0.05;

double times(std::int64_t a, std::int64_t b) { return static_cast<double>(a) * static_cast<double>(b); }

double ratio(double a, double b) { return std::max(a, b) / std::min(a, b); }
double ratio(std::int64_t a, std::int64_t b) { return ratio(static_cast<double>(a), static_cast<double>(b)); }

/// How many times larger or smaller, over all dimensions.
double unlikeness(const GemmParams& a, const GemmParams& b) {
  return ratio(a.m, b.m) * ratio(a.n, b.n) * ratio(a.k, b.k) * ratio(a.batch, b.batch);
}

/// Another direction or stride runs other code: as if it were that many times larger.
double unlikeness(const ConvParams& a, const ConvParams& b) {
  constexpr double kOtherDirection = 4, kOtherStride = 2;
  const auto places = [](const ConvParams& c) { return static_cast<double>(c.n) * times(c.p(), c.q()); };
  return ratio(places(a), places(b)) * ratio(a.c, b.c) * ratio(a.k, b.k) * ratio(times(a.r, a.s), times(b.r, b.s)) *
         (a.direction == b.direction ? 1 : kOtherDirection) * (a.stride == b.stride ? 1 : kOtherStride);
}

double unlikeness(const OperationParams& a, const OperationParams& b) {
  if (const auto* gemm = std::get_if<GemmParams>(&a)) return unlikeness(*gemm, std::get<GemmParams>(b));
  return unlikeness(std::get<ConvParams>(a), std::get<ConvParams>(b));
}

OperationTime time_of(const std::vector<double>& samples_ns) {
  return {median(samples_ns), quantile(samples_ns, 0.25), quantile(samples_ns, 0.75), true};
}

}  // namespace

double operand_bytes(const OperationParams& params) {
  if (const auto* g = std::get_if<GemmParams>(&params)) {
    const double elements = times(g->m, g->k) + times(g->k, g->n) + times(g->m, g->n);
    return static_cast<double>(g->batch) * elements * bytes_of_element(g->dtype);
  }
  if (const auto* c = std::get_if<ConvParams>(&params)) {
    const double images = static_cast<double>(c->n) * (static_cast<double>(c->c) * times(c->h, c->w) +
                                                       static_cast<double>(c->k) * times(c->p(), c->q()));
    return (images + times(c->k, c->c) * times(c->r, c->s)) * bytes_of_element(c->dtype);
  }
  return 0;
}

OperationTimes::OperationTimes(int device, const std::vector<Measurement>& measurements) {
  const std::string triad = case_id(BandwidthParams{BandwidthKernel::triad, MemoryLevel::dram, 0});
  for (const Measurement& each : measurements) {
    if (each.device != device || each.status != CaseStatus::ok || each.regime != Regime::burst ||
        each.samples_ns.empty())
      continue;
    add(each);
    if (each.id != triad) continue;
    OperationTime whole = time_of(each.samples_ns);
    const double bytes = byte_count(each.params);
    for (double* ns : {&whole.median_ns, &whole.low_ns, &whole.high_ns}) *ns /= bytes;
    triad_ns_per_byte_ = whole;
  }
  for (auto& [key, family] : families_) {
    for (Known& known : family.known)
      known.slowdown = known.time.median_ns / floor_ns(known.params, family.flops_per_ns);
    if (family.known.size() >= kFewestForEstimate) family.spread = spread_of(family);
  }
}

void OperationTimes::add(const Measurement& measurement) {
  const OperationTime time = time_of(measurement.samples_ns);
  by_id_[measurement.id] = time;
  const auto* gemm = std::get_if<GemmParams>(&measurement.params);
  const auto* conv = std::get_if<ConvParams>(&measurement.params);
  if (gemm == nullptr && conv == nullptr) return;
  Family& family = families_[{measurement.workload, gemm != nullptr ? gemm->dtype : conv->dtype}];
  family.known.push_back({measurement.params, time});
  family.flops_per_ns = std::max(family.flops_per_ns, flop_count(measurement.params) / time.median_ns);
}

double OperationTimes::floor_ns(const OperationParams& params, double flops_per_ns) const {
  const double compute_ns = flop_count(params) / flops_per_ns;
  return triad_ns_per_byte_ ? std::max(compute_ns, operand_bytes(params) * triad_ns_per_byte_->median_ns) : compute_ns;
}

std::optional<double> OperationTimes::slowdown_of(const OperationParams& params, const Family& family,
                                                  const Known* left_out) {
  double weights = 0;
  double sum = 0;
  for (const Known& known : family.known) {
    if (&known == left_out) continue;
    const double far = unlikeness(params, known.params);
    weights += 1 / (far * far);
    sum += known.slowdown / (far * far);
  }
  return weights > 0 ? std::optional(sum / weights) : std::nullopt;
}

double OperationTimes::spread_of(const Family& family) {
  std::vector<double> errors;
  errors.reserve(family.known.size());
  for (const Known& known : family.known)
    errors.push_back(std::abs(*slowdown_of(known.params, family, &known) / known.slowdown - 1));
  return std::max(median(std::move(errors)), kLeastSpread);
}

std::optional<OperationTime> OperationTimes::of(const OperationParams& params) const {
  const auto measured = by_id_.find(case_id(params));
  if (measured != by_id_.end()) return measured->second;
  const auto* gemm = std::get_if<GemmParams>(&params);
  const auto* conv = std::get_if<ConvParams>(&params);
  if (gemm == nullptr && conv == nullptr) return std::nullopt;
  const auto found = families_.find({workload_of(params), gemm != nullptr ? gemm->dtype : conv->dtype});
  if (found == families_.end() || found->second.known.size() < kFewestForEstimate) return std::nullopt;
  const Family& family = found->second;
  const double ns = floor_ns(params, family.flops_per_ns) * *slowdown_of(params, family, nullptr);
  return OperationTime{ns, ns / (1 + family.spread), ns * (1 + family.spread), false};
}

std::optional<double> OperationTimes::best_gemm_flops_per_ns(DType dtype) const {
  const auto found = families_.find({Workload::gemm, dtype});
  return found == families_.end() ? std::nullopt : std::optional(found->second.flops_per_ns);
}

std::optional<double> OperationTimes::latency_ns(LatencyKind kind) const {
  const auto found = by_id_.find(case_id(LatencyParams{kind}));
  return found == by_id_.end() ? std::nullopt : std::optional(found->second.median_ns);
}

}  // namespace gpuassay
