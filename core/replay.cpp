#include "core/replay.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "core/operation_times.h"
#include "core/operations.h"

namespace gpuassay {
namespace {

/// Collects operations in the order of their first use.
class Collection {
 public:
  void add(const OperationParams& params, double share) {
    const auto [place, is_new] = places_.try_emplace(case_id(params), operations_.size());
    if (is_new) operations_.push_back({params});
    operations_[place->second].share += share;
  }
  std::vector<ReplayOperation> take() { return std::move(operations_); }

 private:
  std::vector<ReplayOperation> operations_;
  std::map<std::string, std::size_t> places_;
};

double time_of(const OperationParams& params, double flops_per_byte) {
  return std::max(flop_count(params), flops_per_byte * operand_bytes(params));
}

}  // namespace

std::vector<ReplayOperation> replay_operations(const std::vector<TracedWorkload>& workloads,
                                               WorkloadPrecision precision, const ComputeTypes& types,
                                               double flops_per_byte) {
  Collection collection;
  for (const TracedWorkload& workload : workloads) {
    double whole = 0;
    std::vector<std::pair<OperationParams, double>> parts;
    for (const TracedOperation& operation : workload.operations) {
      const auto params = measurable_params(operation, type_of(operation.role, precision, types));
      if (!params) continue;
      parts.emplace_back(*params, static_cast<double>(operation.count) * time_of(*params, flops_per_byte));
      whole += parts.back().second;
    }
    for (const auto& [params, time] : parts) collection.add(params, time / whole);
  }
  std::vector<ReplayOperation> operations = collection.take();
  std::stable_sort(operations.begin(), operations.end(),
                   [](const ReplayOperation& a, const ReplayOperation& b) { return a.share > b.share; });
  return operations;
}

std::vector<ReplayOperation> most_telling(const std::vector<ReplayOperation>& operations, std::size_t count,
                                          std::size_t each) {
  std::vector<ReplayOperation> first;
  std::vector<ReplayOperation> others;
  std::map<std::pair<Workload, DType>, std::size_t> taken;
  for (const ReplayOperation& operation : operations) {
    const auto* const gemm = std::get_if<GemmParams>(&operation.params);
    const DType dtype = gemm != nullptr ? gemm->dtype : std::get<ConvParams>(operation.params).dtype;
    const bool needed = taken[{workload_of(operation.params), dtype}]++ < each;
    (needed ? first : others).push_back(operation);
  }
  for (const ReplayOperation& operation : others) {
    if (first.size() >= count) break;
    first.push_back(operation);
  }
  return first;
}

}  // namespace gpuassay
