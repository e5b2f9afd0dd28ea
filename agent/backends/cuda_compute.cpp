// Arithmetic alone: our own multiply-add and tensor-core kernels, whose figures depend on no library.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agent/backends/cuda_operation.h"
#include "agent/workloads/compute_launch.h"
#include "agent/workloads/output_check.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {
namespace {

class Compute final : public CudaOperation {
 public:
  Compute(std::shared_ptr<CudaContext> shared, const ComputeKernel& kernel)
      : CudaOperation(std::move(shared)),
        kernel_(kernel),
        launch_(compute_launch(kernel, context().facts().sm_count)),
        function_(context().modules().function(std::string(kernel.module), std::string(kernel.name))),
        results_(context().allocate(static_cast<std::size_t>(count() * 8))),
        seed_(context().next_seed()) {
    context().fill_words(results_, kPoison);
  }

  Verification verify() override {
    OutputCheck check({0, 0, true});
    const std::vector<std::int64_t> sampled = sampled_positions(count(), {0, count() - 1});
    const std::vector<std::uint64_t> bits = context().sample(results_, 8, sampled);
    for (std::size_t i = 0; i < sampled.size(); ++i) {
      const std::uint64_t want = compute_expected(kernel_, seed_, launch_.iterations, sampled[i]);
      check.compare(bits[i] == want ? 0 : 1, ReferenceValue{});
    }
    context().fill_words(results_, kPoison);
    Verification verification = check.result();
    verification.method = "exact_recomputation";
    return verification;
  }

  [[nodiscard]] std::string implementation() const override {
    return fmt::format("{} {}", kernel_.name, context().modules().chosen_image(std::string(kernel_.module)));
  }

  [[nodiscard]] const ComputeLaunch& launch_shape() const { return launch_; }

 protected:
  void enqueue() override {
    kernels::ComputeArguments arguments{};
    arguments.results = results_.address();
    arguments.seed = seed_;
    arguments.iterations = launch_.iterations;
    context().launch_raw(function_, launch_.threads / kernels::kBlockThreads, kernels::kBlockThreads, &arguments);
  }

 private:
  [[nodiscard]] std::int64_t count() const { return compute_result_count(kernel_, launch_.threads); }

  const ComputeKernel& kernel_;
  ComputeLaunch launch_;
  cuda::Function function_;
  DeviceBuffer results_;
  std::uint64_t seed_;
};

}  // namespace

std::unique_ptr<Operation> prepare_cuda_compute(std::shared_ptr<CudaContext> context, const ComputeParams& params) {
  const int capability = context->facts().compute_capability;
  const ComputeKernel* kernel = find_compute_kernel(params.dtype, params.unit, capability);
  if (kernel == nullptr) {
    throw Error(ErrorCode::unsupported,
                fmt::format("there is no {} kernel for {} on compute capability {}.{}", to_name(params.unit),
                            to_name(params.dtype), capability / 10, capability % 10));
  }
  auto operation = std::make_unique<Compute>(std::move(context), *kernel);
  if (operation->launch_shape().flops != params.flops) {
    throw Error(ErrorCode::internal, fmt::format("the plan counts {} operations per launch, this device does {}",
                                                 params.flops, operation->launch_shape().flops));
  }
  return operation;
}

}  // namespace gpuassay
