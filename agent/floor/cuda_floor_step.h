// One step of a verified run on a GPU, piece by piece: operands, product, hashes. What it needs on the device is
// allocated once.
#pragma once

#include <memory>
#include <vector>

#include "agent/floor/cuda_floor_product.h"
#include "core/floor/philox.h"
#include "core/merkle.h"

namespace gpuassay {

class CudaFloorStep {
 public:
  /// Allocates, fills A and B with some integers, and chooses the product's algorithm. The first three must outlive it.
  /// Throws Error, as the others do.
  CudaFloorStep(CudaContext& context, const CudaSelection& selection, CudaFloorLibraries& libraries,
                const FloorWork& work);

  [[nodiscard]] const FloorShape& shape() const { return work_.shape; }
  /// Each queues its part.
  void fill_a(const PhiloxStream& stream) { fill(operands_.a, work_.shape.m, stream); }
  void fill_b(const PhiloxStream& stream) { fill(operands_.b, work_.shape.n, stream); }
  void multiply() { product_->enqueue(); }
  void hash();

  /// Of the tree that was hashed last; each waits for it.
  [[nodiscard]] Digest root() const;
  /// All its digests in the order of a heap: kernels/arguments.h.
  [[nodiscard]] std::vector<Digest> tree() const;

 private:
  void fill(const DeviceBuffer& operand, std::int64_t rows, const PhiloxStream& stream);
  /// Queues a kernel of module "floor".
  template <class Arguments>
  void launch(const char* name, std::int64_t blocks, const Arguments& arguments);

  CudaContext& context_;
  FloorWork work_;
  CudaFloorFormat format_;
  CudaFloorOperands operands_;
  DeviceBuffer tree_;
  std::unique_ptr<CudaFloorProduct> product_;
};

}  // namespace gpuassay
