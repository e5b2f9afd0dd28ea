#include "agent/floor/cuda_floor_device.h"

#include <optional>
#include <utility>
#include <vector>

#include "agent/floor/cuda_floor_costs.h"
#include "agent/floor/cuda_floor_step.h"
#include "core/floor/operands.h"

namespace gpuassay {
namespace {

/// What is opened before the shape is known.
struct OpenedGpu {
  explicit OpenedGpu(const CudaSelection& opened) : selection(opened), context(opened.driver, opened.ordinal) {}
  CudaSelection selection;
  CudaContext context;
  CudaFloorLibraries libraries;
};

class CudaFloorDevice final : public FloorDevice {
 public:
  CudaFloorDevice(std::unique_ptr<OpenedGpu> gpu, const FloorWork& work)
      : gpu_(std::move(gpu)), device_(work.device), step_(gpu_->context, gpu_->selection, gpu_->libraries, work) {
    (void)compute(0, Digest{});
  }

  [[nodiscard]] FloorShape shape() const override { return step_.shape(); }

  void begin(const FloorSeed& seed) override {
    seed_ = seed;
    on_device_.reset();
    on_host_.reset();
    step_.fill_b(stream_of_b(seed, device_));
    gpu_->context.synchronize();
  }

  Digest run_step(std::uint32_t step, const Digest& before) override { return compute(step, before); }

  std::vector<Digest> tile_path(std::uint32_t step, const Digest& before, std::int64_t tile) override {
    load_tree(step, before);
    const auto tiles = static_cast<std::uint64_t>(floor_tiles(shape()));
    const MerkleNodes nodes = [this, tiles](const MerkleNode& wanted) {
      return tree_[(tiles >> wanted.level) - 1 + wanted.index];
    };
    return merkle_inclusion_path(nodes, static_cast<std::uint64_t>(tile), tiles);
  }

 private:
  Digest compute(std::uint32_t step, const Digest& before) {
    on_device_.reset();
    step_.fill_a(stream_of_a(seed_, device_, step, before));
    step_.multiply();
    step_.hash();
    const Digest root = step_.root();
    on_device_ = step;
    return root;
  }

  /// The tree of one step is kept: megabytes each, they would fill the host's memory within a run.
  void load_tree(std::uint32_t step, const Digest& before) {
    if (on_host_ == step) return;
    if (on_device_ != step) (void)compute(step, before);
    tree_ = step_.tree();
    on_host_ = step;
  }

  std::unique_ptr<OpenedGpu> gpu_;
  int device_;
  CudaFloorStep step_;
  FloorSeed seed_{};
  std::optional<std::uint32_t> on_device_, on_host_;  ///< whose tree is there
  std::vector<Digest> tree_;
};

std::unique_ptr<OpenedGpu> opened(const CudaSelection& selection) {
  neutralize_cuda_environment();
  return std::make_unique<OpenedGpu>(selection);
}

}  // namespace

std::unique_ptr<FloorDevice> make_cuda_floor_device(const CudaSelection& selection, const FloorWork& work) {
  return std::make_unique<CudaFloorDevice>(opened(selection), work);
}

std::unique_ptr<FloorDevice> make_measured_cuda_floor_device(const CudaSelection& selection, const FloorWork& work,
                                                             std::size_t devices) {
  std::unique_ptr<OpenedGpu> gpu = opened(selection);
  FloorWork sized = work;
  const FloorCosts costs = measure_cuda_floor_costs(gpu->context, selection, gpu->libraries, work);
  sized.shape = choose_floor_shape(costs, cuda_floor_bounds(gpu->context, work.dtype, devices));
  return std::make_unique<CudaFloorDevice>(std::move(gpu), sized);
}

}  // namespace gpuassay
