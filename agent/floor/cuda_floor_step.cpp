#include "agent/floor/cuda_floor_step.h"

#include "kernels/arguments.h"
#include "kernels/philox.h"

namespace gpuassay {
namespace {

std::size_t element_bytes(const CudaFloorFormat& format) {
  constexpr std::size_t kByteBits = 8;
  return kernels::bits_of(format.operand) / kByteBits;
}

std::size_t size_of(std::int64_t rows, std::int64_t columns, std::size_t bytes) {
  return static_cast<std::size_t>(rows * columns) * bytes;
}

std::size_t tree_nodes(const FloorShape& shape) { return static_cast<std::size_t>(2 * floor_tiles(shape) - 1); }

}  // namespace

CudaFloorStep::CudaFloorStep(CudaContext& context, const CudaSelection& selection, CudaFloorLibraries& libraries,
                             const FloorWork& work)
    : context_(context),
      work_(work),
      format_(cuda_floor_format(work.dtype)),
      operands_{context.allocate(size_of(work.shape.m, work.shape.k, element_bytes(format_))),
                context.allocate(size_of(work.shape.n, work.shape.k, element_bytes(format_))),
                context.allocate(size_of(work.shape.m, work.shape.n, sizeof(std::int32_t)))},
      tree_(context.allocate(tree_nodes(work.shape) * sizeof(Digest))) {
  // The trial of algorithms is to multiply numbers like those to come.
  fill_a({{1, 0}, {0, 0}});
  fill_b({{2, 0}, {0, 0}});
  product_ = make_cuda_floor_product(context, selection, libraries, work, operands_);
}

template <class Arguments>
void CudaFloorStep::launch(const char* name, std::int64_t blocks, const Arguments& arguments) {
  context_.launch_raw(context_.modules().function("floor", name), blocks, kernels::kBlockThreads, &arguments);
}

void CudaFloorStep::fill(const DeviceBuffer& operand, std::int64_t rows, const PhiloxStream& stream) {
  const kernels::FloorFillArguments arguments{operand.address(),
                                              static_cast<kernels::UInt64>(rows * work_.shape.k),
                                              {stream.key[0], stream.key[1]},
                                              {stream.high[0], stream.high[1]},
                                              static_cast<kernels::UInt32>(work_.shape.largest),
                                              static_cast<kernels::UInt32>(format_.operand)};
  constexpr std::int64_t kElementsOfBlock = std::int64_t{kernels::kPhiloxBlockBytes} * kernels::kBlockThreads;
  launch(kernels::kFloorFill, blocks_for(rows * work_.shape.k, kElementsOfBlock), arguments);
}

void CudaFloorStep::hash() {
  const std::int64_t tiles = floor_tiles(work_.shape);
  const kernels::FloorTilesArguments arguments{operands_.c.address(),
                                               tree_.address(),
                                               static_cast<kernels::UInt64>(work_.shape.m),
                                               static_cast<kernels::UInt64>(work_.shape.n),
                                               format_.is_integer ? 1U : 0U,
                                               0};
  launch(kernels::kFloorTiles, blocks_for(tiles, kernels::kBlockThreads), arguments);
  for (auto children = static_cast<kernels::UInt64>(tiles); children > 1;) {
    const kernels::UInt64 blocks = kernels::floor_node_blocks(children);
    launch(kernels::kFloorNodes, static_cast<std::int64_t>(blocks),
           kernels::FloorNodesArguments{tree_.address(), children});
    children = blocks;
  }
}

Digest CudaFloorStep::root() const {
  Digest root{};
  context_.read(tree_, std::as_writable_bytes(std::span(root)));
  return root;
}

std::vector<Digest> CudaFloorStep::tree() const {
  std::vector<Digest> nodes(tree_nodes(work_.shape));
  context_.read(tree_, std::as_writable_bytes(std::span(nodes)));
  return nodes;
}

}  // namespace gpuassay
