#include "core/replay.h"

#include <algorithm>
#include <map>
#include <string>

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

}  // namespace

std::vector<ReplayOperation> replay_operations(const std::vector<TracedWorkload>& workloads,
                                               WorkloadPrecision precision, const ComputeTypes& types) {
  Collection collection;
  for (const TracedWorkload& workload : workloads) {
    const double all_flops = totals_of(workload, precision).flops;
    for (const TracedOperation& operation : workload.operations) {
      const DType dtype = type_of(operation.role, precision, types);
      const double share = static_cast<double>(operation.count) * flop_count(operation) / all_flops;
      if (const auto params = measurable_params(operation, dtype)) collection.add(*params, share);
    }
  }
  std::vector<ReplayOperation> operations = collection.take();
  std::stable_sort(operations.begin(), operations.end(),
                   [](const ReplayOperation& a, const ReplayOperation& b) { return a.share > b.share; });
  return operations;
}

}  // namespace gpuassay
