// compare_peers: oneDNN through its own C++ API, every layout left to the library. Threads: OMP_NUM_THREADS.
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <random>

#include "bench/protocol.h"

namespace gpuassay::bench {
namespace {

using dnnl::memory;
using Type = memory::data_type;

/// An execution with what it needs; arguments keep their memories alive.
struct Execution {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::primitive primitive;
  std::unordered_map<int, memory> arguments;
};

memory::desc any(const memory::dims& dims, Type type) { return {dims, type, memory::format_tag::any}; }

/// Normal numbers of the given type: made in fp32 plain layout, then reordered.
memory filled(Execution& execution, const memory::desc& layout) {
  memory target(layout, execution.engine);
  const memory::dims dims = layout.dims();
  memory::dims strides(dims.size(), 1);
  for (std::size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  memory plain({dims, Type::f32, strides}, execution.engine);
  auto* elements = static_cast<float*>(plain.get_data_handle());
  const std::size_t count = plain.get_desc().get_size() / sizeof(float);
  std::mt19937 generator(7);
  std::normal_distribution<float> normal;
  std::vector<float> some(65536);
  const bool bytes = layout.data_type() == Type::u8 || layout.data_type() == Type::s8;
  for (float& x : some)
    x = bytes ? normal(generator) * 24 + (layout.data_type() == Type::u8 ? 64 : 0) : normal(generator);
  for (std::size_t i = 0; i < count; ++i) elements[i] = some[(i * 40503) % some.size()];
  dnnl::reorder(plain, target).execute(execution.stream, plain, target);
  execution.stream.wait();
  return target;
}

Prepared finish(const std::shared_ptr<Execution>& execution, const char* implementation) {
  Prepared prepared;
  prepared.owner = execution;
  prepared.implementation = implementation;
  prepared.run_ns = [execution](std::int64_t iterations) -> std::int64_t {
    const auto begin = std::chrono::steady_clock::now();
    for (std::int64_t i = 0; i < iterations; ++i) {
      execution->primitive.execute(execution->stream, execution->arguments);
    }
    execution->stream.wait();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin).count();
  };
  return prepared;
}

Prepared prepare_gemm(const Request& request) {
  const auto& v = request.numbers;
  auto execution = std::make_shared<Execution>();
  const bool batched = v[3] > 1;
  const auto dims = [&](std::int64_t rows, std::int64_t columns) {
    return batched ? memory::dims{v[3], rows, columns} : memory::dims{rows, columns};
  };
  const bool bf16 = request.dtype == "bf16", int8 = request.dtype == "int8";
  const Type a = int8 ? Type::u8 : bf16 ? Type::bf16 : Type::f32, b = int8 ? Type::s8 : a;
  const dnnl::matmul::primitive_desc desc(dnnl::matmul::desc(any(dims(v[0], v[2]), a), any(dims(v[2], v[1]), b),
                                                             any(dims(v[0], v[1]), int8 ? Type::s32 : Type::f32)),
                                          execution->engine);
  execution->primitive = dnnl::matmul(desc);
  execution->arguments = {{DNNL_ARG_SRC, filled(*execution, desc.src_desc())},
                          {DNNL_ARG_WEIGHTS, filled(*execution, desc.weights_desc())},
                          {DNNL_ARG_DST, memory(desc.dst_desc(), execution->engine)}};
  return finish(execution, desc.impl_info_str());
}

Prepared prepare_conv(const Request& request) {
  const auto& v = request.numbers;  // n c h w k r s stride pad
  auto execution = std::make_shared<Execution>();
  const auto algorithm = dnnl::algorithm::convolution_direct;
  const auto out = [&](std::int64_t in, std::int64_t filter) { return (in + 2 * v[8] - filter) / v[7] + 1; };
  const Type type = request.dtype == "bf16" ? Type::bf16 : Type::f32;
  const auto source = any({v[0], v[1], v[2], v[3]}, type), weights = any({v[4], v[1], v[5], v[6]}, type);
  const auto destination = any({v[0], v[4], out(v[2], v[5]), out(v[3], v[6])}, type);
  const memory::dims strides{v[7], v[7]}, padding{v[8], v[8]};
  const dnnl::convolution_forward::primitive_desc forward(
      dnnl::convolution_forward::desc(dnnl::prop_kind::forward_training, algorithm, source, weights, destination,
                                      strides, padding, padding),
      execution->engine);
  if (request.direction == "forward") {
    execution->primitive = dnnl::convolution_forward(forward);
    execution->arguments = {{DNNL_ARG_SRC, filled(*execution, forward.src_desc())},
                            {DNNL_ARG_WEIGHTS, filled(*execution, forward.weights_desc())},
                            {DNNL_ARG_DST, memory(forward.dst_desc(), execution->engine)}};
    return finish(execution, forward.impl_info_str());
  }
  if (request.direction == "backward_data") {
    const dnnl::convolution_backward_data::primitive_desc desc(
        dnnl::convolution_backward_data::desc(algorithm, source, weights, destination, strides, padding, padding),
        execution->engine, forward);
    execution->primitive = dnnl::convolution_backward_data(desc);
    execution->arguments = {{DNNL_ARG_DIFF_SRC, memory(desc.diff_src_desc(), execution->engine)},
                            {DNNL_ARG_WEIGHTS, filled(*execution, desc.weights_desc())},
                            {DNNL_ARG_DIFF_DST, filled(*execution, desc.diff_dst_desc())}};
    return finish(execution, desc.impl_info_str());
  }
  const dnnl::convolution_backward_weights::primitive_desc desc(
      dnnl::convolution_backward_weights::desc(algorithm, source, weights, destination, strides, padding, padding),
      execution->engine, forward);
  execution->primitive = dnnl::convolution_backward_weights(desc);
  execution->arguments = {{DNNL_ARG_SRC, filled(*execution, desc.src_desc())},
                          {DNNL_ARG_DIFF_WEIGHTS, memory(desc.diff_weights_desc(), execution->engine)},
                          {DNNL_ARG_DIFF_DST, filled(*execution, desc.diff_dst_desc())}};
  return finish(execution, desc.impl_info_str());
}

}  // namespace
}  // namespace gpuassay::bench

int main() {
  using gpuassay::bench::Request;
  return gpuassay::bench::serve([](const Request& request) {
    return request.workload == "gemm" ? gpuassay::bench::prepare_gemm(request) : gpuassay::bench::prepare_conv(request);
  });
}
