#include "agent/floor/cuda_floor_costs.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "agent/floor/cuda_floor_step.h"

namespace gpuassay {
namespace {

/// A step that an imitated device computes on this CPU when its digest is asked for takes some ten milliseconds; what
/// its modelled clock says has nothing to do with that.
constexpr double kSimulatedFlop = 0x1p28;
constexpr FloorShape kSmallest{256, 256, 1'024, 15};

/// Large enough for every GPU to reach its speed, unless there is no memory for it.
FloorShape measured_shape(const CudaContext& context, std::int64_t operand_bytes) {
  if (context.simulated()) return kSmallest;
  FloorShape shape{4'096, 4'096, 8'192, 15};
  constexpr std::int64_t kShareOfMemory = 2;
  while (shape.m > kSmallest.m && (shape.m + shape.n) * shape.k * operand_bytes + 4 * shape.m * shape.n >
                                      context.free_bytes() / kShareOfMemory) {
    shape.m /= 2;
    shape.n /= 2;
  }
  return shape;
}

std::int64_t bytes_of_operand(DType dtype) {
  constexpr std::int64_t kByteBits = 8;
  return kernels::bits_of(cuda_floor_format(dtype).operand) / kByteBits;
}

/// Nanoseconds of one, of several back to back; the first runs load kernels and raise clocks.
template <class Enqueue>
double each_ns(const CudaContext& context, const Enqueue& enqueue) {
  constexpr double kTargetNs = 30e6;
  constexpr int kMostRuns = 50, kTurns = 3;
  (void)context.time_ns(enqueue);
  const auto once_ns = static_cast<double>(context.time_ns(enqueue));
  const int runs = std::clamp(static_cast<int>(kTargetNs / once_ns), 1, kMostRuns);
  double shortest = std::numeric_limits<double>::infinity();
  for (int turn = 0; turn < kTurns; ++turn) {
    const std::int64_t all_ns = context.time_ns([&] {
      for (int i = 0; i < runs; ++i) enqueue();
    });
    shortest = std::min(shortest, static_cast<double>(all_ns) / runs);
  }
  return shortest;
}

/// By the host's clock, as the host is a part of it: the launches of a step without its work, and the waiting.
double empty_step_ns(CudaContext& context) {
  constexpr int kLaunches = 5, kRuns = 20;
  const DeviceBuffer digest = context.allocate(sizeof(Digest));
  context.fill_words(digest, 0);
  Digest read{};
  double shortest = std::numeric_limits<double>::infinity();
  for (int run = 0; run < kRuns; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kLaunches; ++i)
      context.launch_raw(context.modules().function("base", kernels::kEmpty), 1, 1, nullptr);
    context.read(digest, std::as_writable_bytes(std::span(read)));
    shortest =
        std::min(shortest, std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count());
  }
  return shortest;
}

}  // namespace

FloorCosts measure_cuda_floor_costs(CudaContext& context, const CudaSelection& selection, CudaFloorLibraries& libraries,
                                    const FloorWork& work) {
  FloorWork measured = work;
  measured.shape = measured_shape(context, bytes_of_operand(work.dtype));
  const FloorShape& shape = measured.shape;
  CudaFloorStep step(context, selection, libraries, measured);
  FloorCosts costs;
  costs.generate_ns = each_ns(context, [&] { step.fill_a({{1, 0}, {0, 0}}); }) / static_cast<double>(shape.m * shape.k);
  constexpr double kTflopPerSOfFlopPerNs = 1e-3;
  costs.gemm_tflop_per_s = floor_flop(shape) / each_ns(context, [&] { step.multiply(); }) * kTflopPerSOfFlopPerNs;
  costs.hash_ns = each_ns(context, [&] { step.hash(); }) / static_cast<double>(shape.m * shape.n);
  costs.step_ns = empty_step_ns(context);
  return costs;
}

FloorBounds cuda_floor_bounds(const CudaContext& context, DType dtype, std::size_t devices) {
  FloorBounds bounds{context.free_bytes(), bytes_of_operand(dtype), context.facts().sm_count, devices};
  if (context.simulated()) bounds.most_flop = kSimulatedFlop;
  return bounds;
}

}  // namespace gpuassay
