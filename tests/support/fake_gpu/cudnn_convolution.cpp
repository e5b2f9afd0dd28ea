// The fake libcudnn.so.N: handles, searches and convolutions.
#include <algorithm>
#include <cstring>

#include "tests/support/fake_gpu/cudnn_exports.h"
#include "tests/support/fake_gpu/cudnn_records.h"

namespace gpuassay::fake {

void check_problem(Machine& machine, const ConvolutionProblem& problem) {
  const Device& device = machine.current();
  const int capability = device.profile().capability();
  const Coverage coverage = cudnn_coverage(cudnn_version());
  if (capability < coverage.lowest || capability > coverage.highest) throw CudnnFailure{CudnnStatus::arch_mismatch};
  if (!shapes_agree(problem)) throw CudnnFailure{CudnnStatus::bad_param};
  if (!types_supported(problem, device.profile())) throw CudnnFailure{CudnnStatus::not_supported};
  // Layouts of one problem go together.
  const bool mixed =
      problem.x.channels_last != problem.y.channels_last || problem.x.channels_last != problem.w.channels_last;
  if (mixed) throw CudnnFailure{CudnnStatus::not_supported};
  if (refused_by_fault(machine, device, "conv", dtype_of(problem, device.profile()))) {
    throw CudnnFailure{CudnnStatus::not_supported};
  }
}

}  // namespace gpuassay::fake

namespace gpuassay::cudnn {

using fake::check_problem;
using fake::ConvolutionAlgo;
using fake::ConvolutionProblem;
using fake::cudnn_call;
using fake::CudnnFailure;
using fake::CudnnStatus;
using fake::Direction;
using fake::Machine;

namespace {

/// The descriptors and addresses of one call.
struct Call {
  Direction direction;
  Tensor x_desc;
  const void* x;
  Filter w_desc;
  const void* w;
  Tensor y_desc;
  const void* y;
  Convolution convolution;
};

/// alpha and beta are double for double data, else float.
double scalar_of(const void* pointer, int data_type) {
  if (pointer == nullptr) throw CudnnFailure{CudnnStatus::bad_param};
  if (data_type == kDouble) {
    double value = 0;
    std::memcpy(&value, pointer, sizeof(value));
    return value;
  }
  float value = 0;
  std::memcpy(&value, pointer, sizeof(value));
  return value;
}

ConvolutionProblem problem_of(const Machine& machine, const Call& call) {
  ConvolutionProblem problem;
  problem.direction = call.direction;
  problem.x = machine.checked(call.x_desc).tensor;
  problem.w = machine.checked(call.w_desc).tensor;
  problem.y = machine.checked(call.y_desc).tensor;
  problem.how = machine.checked(call.convolution).convolution;
  problem.x_address = reinterpret_cast<std::uint64_t>(call.x);
  problem.w_address = reinterpret_cast<std::uint64_t>(call.w);
  problem.y_address = reinterpret_cast<std::uint64_t>(call.y);
  return problem;
}

/// What a search answers about one algorithm; the time is the modelled one.
AlgoPerf perf_of(const ConvolutionProblem& problem, const ConvolutionAlgo& algo, fake::Device& device,
                 std::uint64_t workspace_limit) {
  AlgoPerf perf{};
  perf.algo = algo.algo;
  perf.workspace_bytes = algo.workspace_bytes;
  perf.determinism = algo.deterministic ? kDeterministic : kNonDeterministic;
  perf.math_type = problem.how.math_type;
  perf.milliseconds = -1;
  if (!algo.supported) {
    perf.status = fake::numbered(CudnnStatus::not_supported);
  } else if (algo.workspace_bytes > workspace_limit) {
    perf.status = fake::numbered(CudnnStatus::alloc_failed);
  } else {
    perf.milliseconds = static_cast<float>(fake::duration_ns(problem, algo, device) / 1e6);
  }
  return perf;
}

/// Fastest first, what failed last.
std::vector<AlgoPerf> searched(Machine& machine, const ConvolutionProblem& problem, std::uint64_t workspace_limit) {
  std::vector<AlgoPerf> all;
  for (const ConvolutionAlgo& algo : fake::algorithms(problem)) {
    all.push_back(perf_of(problem, algo, machine.current(), workspace_limit));
  }
  std::sort(all.begin(), all.end(), [](const AlgoPerf& left, const AlgoPerf& right) {
    if ((left.status == 0) != (right.status == 0)) return left.status == 0;
    return left.milliseconds != right.milliseconds ? left.milliseconds < right.milliseconds : left.algo < right.algo;
  });
  return all;
}

void give(const std::vector<AlgoPerf>& all, int requested, int* returned, AlgoPerf* results) {
  if (requested < 1 || returned == nullptr || results == nullptr) throw CudnnFailure{CudnnStatus::bad_param};
  *returned = std::min(requested, static_cast<int>(all.size()));
  std::copy_n(all.begin(), *returned, results);
}

int get_algorithms(Handle handle, const Call& call, int requested, int* returned, AlgoPerf* results) {
  return cudnn_call([&](Machine& machine) {
    machine.checked(handle);
    const ConvolutionProblem problem = problem_of(machine, call);
    check_problem(machine, problem);
    give(searched(machine, problem, UINT64_MAX), requested, returned, results);
  });
}

void check_workspace(Machine& machine, const void* workspace, std::size_t bytes) {
  if (bytes > 0) machine.range(reinterpret_cast<std::uint64_t>(workspace), bytes, cuda::kInvalidValue);
}

/// Runs every algorithm once, on the caller's data, as a real search does.
int find_algorithms(Handle handle, const Call& call, int requested, int* returned, AlgoPerf* results,
                    const void* workspace, std::size_t workspace_bytes) {
  return cudnn_call([&](Machine& machine) {
    cuda::StreamRecord& stream = machine.stream(machine.checked(handle).stream);
    const ConvolutionProblem problem = problem_of(machine, call);
    check_problem(machine, problem);
    check_workspace(machine, workspace, workspace_bytes);
    for (const ConvolutionAlgo& algo : fake::algorithms(problem)) {
      if (algo.supported && algo.workspace_bytes <= workspace_bytes) {
        fake::submit_convolution(machine, stream, problem, algo);
      }
    }
    give(searched(machine, problem, workspace_bytes), requested, returned, results);
  });
}

ConvolutionAlgo supported_algo(const ConvolutionProblem& problem, int number) {
  const std::vector<ConvolutionAlgo> all = fake::algorithms(problem);
  if (number < 0 || static_cast<std::size_t>(number) >= all.size()) throw CudnnFailure{CudnnStatus::bad_param};
  const ConvolutionAlgo algo = all.at(static_cast<std::size_t>(number));
  if (!algo.supported) throw CudnnFailure{CudnnStatus::not_supported};
  return algo;
}

int workspace_size(Handle handle, const Call& call, int algo, std::size_t* bytes) {
  return cudnn_call([&](Machine& machine) {
    machine.checked(handle);
    if (bytes == nullptr) throw CudnnFailure{CudnnStatus::bad_param};
    const ConvolutionProblem problem = problem_of(machine, call);
    check_problem(machine, problem);
    *bytes = supported_algo(problem, algo).workspace_bytes;
  });
}

int convolve(Handle handle, const Call& call, const void* alpha, const void* beta, int number, const void* workspace,
             std::size_t workspace_bytes) {
  return cudnn_call([&](Machine& machine) {
    cuda::StreamRecord& stream = machine.stream(machine.checked(handle).stream);
    ConvolutionProblem problem = problem_of(machine, call);
    problem.alpha = scalar_of(alpha, problem.x.data_type);
    problem.beta = scalar_of(beta, problem.x.data_type);
    check_problem(machine, problem);
    const ConvolutionAlgo algo = supported_algo(problem, number);
    if (algo.workspace_bytes > workspace_bytes) throw CudnnFailure{CudnnStatus::bad_param};
    check_workspace(machine, workspace, algo.workspace_bytes);
    fake::submit_convolution(machine, stream, problem, algo);
  });
}

}  // namespace

int cudnnCreate(Handle* handle) {
  return cudnn_call([&](Machine& machine) {
    if (handle == nullptr) throw CudnnFailure{CudnnStatus::bad_param};
    if (machine.setup.driver.branch < fake::cudnn_coverage(fake::cudnn_version()).driver_branch) {
      throw CudnnFailure{CudnnStatus::not_initialized};
    }
    fake::initialize_runtime(machine);
    *handle = machine.adopt(std::make_unique<HandleRecord>());
  });
}

int cudnnDestroy(Handle handle) {
  return cudnn_call([&](Machine& machine) { machine.release(handle); });
}

int cudnnSetStream(Handle handle, cuda::Stream stream) {
  return cudnn_call([&](Machine& machine) {
    machine.stream(stream);
    machine.checked(handle).stream = stream;
  });
}

int cudnnGetConvolutionForwardAlgorithm_v7(Handle handle, Tensor x, Filter w, Convolution convolution, Tensor y,
                                           int requested, int* returned, AlgoPerf* results) {
  return get_algorithms(handle, {Direction::forward, x, nullptr, w, nullptr, y, nullptr, convolution}, requested,
                        returned, results);
}

int cudnnFindConvolutionForwardAlgorithmEx(Handle handle, Tensor x_desc, const void* x, Filter w_desc, const void* w,
                                           Convolution convolution, Tensor y_desc, void* y, int requested,
                                           int* returned, AlgoPerf* results, void* workspace,
                                           std::size_t workspace_bytes) {
  return find_algorithms(handle, {Direction::forward, x_desc, x, w_desc, w, y_desc, y, convolution}, requested,
                         returned, results, workspace, workspace_bytes);
}

int cudnnGetConvolutionForwardWorkspaceSize(Handle handle, Tensor x, Filter w, Convolution convolution, Tensor y,
                                            int algo, std::size_t* bytes) {
  return workspace_size(handle, {Direction::forward, x, nullptr, w, nullptr, y, nullptr, convolution}, algo, bytes);
}

int cudnnConvolutionForward(Handle handle, const void* alpha, Tensor x_desc, const void* x, Filter w_desc,
                            const void* w, Convolution convolution, int algo, void* workspace,
                            std::size_t workspace_bytes, const void* beta, Tensor y_desc, void* y) {
  return convolve(handle, {Direction::forward, x_desc, x, w_desc, w, y_desc, y, convolution}, alpha, beta, algo,
                  workspace, workspace_bytes);
}

int cudnnGetConvolutionBackwardDataAlgorithm_v7(Handle handle, Filter w, Tensor dy, Convolution convolution, Tensor dx,
                                                int requested, int* returned, AlgoPerf* results) {
  return get_algorithms(handle, {Direction::backward_data, dx, nullptr, w, nullptr, dy, nullptr, convolution},
                        requested, returned, results);
}

int cudnnFindConvolutionBackwardDataAlgorithmEx(Handle handle, Filter w_desc, const void* w, Tensor dy_desc,
                                                const void* dy, Convolution convolution, Tensor dx_desc, void* dx,
                                                int requested, int* returned, AlgoPerf* results, void* workspace,
                                                std::size_t workspace_bytes) {
  return find_algorithms(handle, {Direction::backward_data, dx_desc, dx, w_desc, w, dy_desc, dy, convolution},
                         requested, returned, results, workspace, workspace_bytes);
}

int cudnnGetConvolutionBackwardDataWorkspaceSize(Handle handle, Filter w, Tensor dy, Convolution convolution, Tensor dx,
                                                 int algo, std::size_t* bytes) {
  return workspace_size(handle, {Direction::backward_data, dx, nullptr, w, nullptr, dy, nullptr, convolution}, algo,
                        bytes);
}

int cudnnConvolutionBackwardData(Handle handle, const void* alpha, Filter w_desc, const void* w, Tensor dy_desc,
                                 const void* dy, Convolution convolution, int algo, void* workspace,
                                 std::size_t workspace_bytes, const void* beta, Tensor dx_desc, void* dx) {
  return convolve(handle, {Direction::backward_data, dx_desc, dx, w_desc, w, dy_desc, dy, convolution}, alpha, beta,
                  algo, workspace, workspace_bytes);
}

int cudnnGetConvolutionBackwardFilterAlgorithm_v7(Handle handle, Tensor x, Tensor dy, Convolution convolution,
                                                  Filter dw, int requested, int* returned, AlgoPerf* results) {
  return get_algorithms(handle, {Direction::backward_filter, x, nullptr, dw, nullptr, dy, nullptr, convolution},
                        requested, returned, results);
}

int cudnnFindConvolutionBackwardFilterAlgorithmEx(Handle handle, Tensor x_desc, const void* x, Tensor dy_desc,
                                                  const void* dy, Convolution convolution, Filter dw_desc, void* dw,
                                                  int requested, int* returned, AlgoPerf* results, void* workspace,
                                                  std::size_t workspace_bytes) {
  return find_algorithms(handle, {Direction::backward_filter, x_desc, x, dw_desc, dw, dy_desc, dy, convolution},
                         requested, returned, results, workspace, workspace_bytes);
}

int cudnnGetConvolutionBackwardFilterWorkspaceSize(Handle handle, Tensor x, Tensor dy, Convolution convolution,
                                                   Filter dw, int algo, std::size_t* bytes) {
  return workspace_size(handle, {Direction::backward_filter, x, nullptr, dw, nullptr, dy, nullptr, convolution}, algo,
                        bytes);
}

int cudnnConvolutionBackwardFilter(Handle handle, const void* alpha, Tensor x_desc, const void* x, Tensor dy_desc,
                                   const void* dy, Convolution convolution, int algo, void* workspace,
                                   std::size_t workspace_bytes, const void* beta, Filter dw_desc, void* dw) {
  return convolve(handle, {Direction::backward_filter, x_desc, x, dw_desc, dw, dy_desc, dy, convolution}, alpha, beta,
                  algo, workspace, workspace_bytes);
}

}  // namespace gpuassay::cudnn
