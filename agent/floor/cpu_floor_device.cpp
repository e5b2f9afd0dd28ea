#include "agent/floor/cpu_floor_device.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "agent/backends/cpu_context.h"
#include "agent/floor/operand_fill.h"
#include "agent/floor/tile_hashing.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {
namespace {

using onednn::DataType;
using onednn::Tensor;

struct OperandTypes {
  DataType operand, result;
};

OperandTypes operand_types(DType dtype, const CpuFacts& facts) {
  if (dtype == DType::fp32) return {onednn::kF32, onednn::kF32};
  if (dtype == DType::bf16 && facts.has_bf16) return {onednn::kBf16, onednn::kF32};
  if (dtype == DType::int8) return {onednn::kS8, onednn::kS32};
  throw Error(ErrorCode::unsupported, fmt::format("a CPU does no verified run in {}", to_name(dtype)));
}

class CpuFloorDevice final : public FloorDevice {
 public:
  CpuFloorDevice(const CpuFacts& facts, const FloorWork& work)
      : context_(facts),
        work_(work),
        types_(operand_types(work.dtype, facts)),
        a_(plain(work.shape.m, work.shape.k, types_.operand)),
        b_(session().tensor(session().column_major(work.shape.k, work.shape.n, types_.operand))),
        c_(plain(work.shape.m, work.shape.n, types_.result)) {
    make_product();
    multiply();
    // On this thread, which may throw: the team's members must not.
    std::vector<Digest> digests(static_cast<std::size_t>(work.shape.n / kTileSide));
    hash_tiles(0, digests);
  }

  [[nodiscard]] FloorShape shape() const override { return work_.shape; }

  void begin(const FloorSeed& seed) override {
    seed_ = seed;
    tiles_.clear();
    fill(b_, stream_of_b(seed, work_.device), work_.shape.n);
    session().reorder(b_, *packed_b_);
  }

  Digest run_step(std::uint32_t step, const Digest& before) override {
    fill(a_, stream_of_a(seed_, work_.device, step, before), work_.shape.m);
    multiply();
    const std::int64_t tile_rows = work_.shape.m / kTileSide, across = work_.shape.n / kTileSide;
    std::vector<Digest> digests(static_cast<std::size_t>(floor_tiles(work_.shape)));
    // A row of tiles is a power of two of them, and so a whole part of the tree: its root can be made by itself.
    std::vector<Digest> row_roots(static_cast<std::size_t>(tile_rows));
    share(tile_rows, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const auto tiles =
            std::span(digests).subspan(static_cast<std::size_t>(row * across), static_cast<std::size_t>(across));
        hash_tiles(row, tiles);
        row_roots[static_cast<std::size_t>(row)] = merkle_root(tiles);
      }
    });
    tiles_.push_back(std::move(digests));
    return merkle_root(row_roots);
  }

  std::vector<Digest> tile_path(std::uint32_t step, const Digest& /*before*/, std::int64_t tile) override {
    return merkle_inclusion_path(tiles_.at(step), static_cast<std::uint64_t>(tile));
  }

 private:
  [[nodiscard]] const onednn::Session& session() const { return context_.session(); }
  [[nodiscard]] Tensor plain(std::int64_t rows, std::int64_t columns, DataType type) const {
    return session().tensor(session().plain({rows, columns}, type));
  }

  /// The weights in the layout that the library asks for, as they are the same in every step.
  void make_product() {
    onednn::MatmulDesc desc{};
    const onednn::MemoryDesc any_b = session().any({work_.shape.k, work_.shape.n}, types_.operand);
    onednn::check(session().api().dnnl_matmul_desc_init(&desc, &a_.desc, &any_b, nullptr, &c_.desc),
                  "dnnl_matmul_desc_init");
    const onednn::OwnedPrimitiveDesc chosen = session().primitive_desc(&desc);
    if (!chosen) throw Error(ErrorCode::unsupported, "oneDNN has no such product on this CPU");
    packed_b_ = session().tensor(session().chosen_layout(*chosen, onednn::kQueryWeights));
    session().reorder(b_, *packed_b_);
    product_.emplace(session().primitive(*chosen));
  }

  void multiply() const {
    session().execute(**product_, {{onednn::kArgSource, a_.memory.get()},
                                   {onednn::kArgWeights, packed_b_->memory.get()},
                                   {onednn::kArgDestination, c_.memory.get()}});
    session().wait();
  }

  /// Calls body(begin, end) with each thread's part of `count`.
  template <class Body>
  void share(std::int64_t count, const Body& body) {
    const std::int64_t members = context_.threads().size();
    context_.threads().run([&](int member) { body(count * member / members, count * (member + 1) / members); });
  }

  template <class Body>
  void with_operand_type(const Body& body) {
    if (types_.operand == onednn::kF32) return body(float{});
    if (types_.operand == onednn::kBf16) return body(Bfloat16{});
    return body(std::int8_t{});
  }

  void fill(const Tensor& operand, const PhiloxStream& stream, std::int64_t rows) {
    with_operand_type([&](auto type) { this->fill_rows<decltype(type)>(operand, stream, rows); });
  }

  template <class T>
  void fill_rows(const Tensor& operand, const PhiloxStream& stream, std::int64_t rows) {
    const FloorShape& shape = work_.shape;
    share(rows, [&](std::int64_t begin, std::int64_t end) {
      const auto part = operand.buffer.as<T>().subspan(static_cast<std::size_t>(begin * shape.k),
                                                       static_cast<std::size_t>((end - begin) * shape.k));
      fill_operands(stream, shape.largest, static_cast<std::uint64_t>(begin * shape.k), part);
    });
  }

  /// Rows of tiles from the `first` on.
  void hash_tiles(std::int64_t first, std::span<Digest> digests) const {
    const std::int64_t columns = work_.shape.n, begin = first * kTileSide * columns;
    if (types_.result == onednn::kS32) {
      hash_tile_rows(c_.buffer.as<std::int32_t>().data() + begin, columns, digests);
    } else {
      hash_tile_rows(c_.buffer.as<float>().data() + begin, columns, digests);
    }
  }

  CpuContext context_;
  FloorWork work_;
  OperandTypes types_;
  Tensor a_, b_, c_;
  std::optional<Tensor> packed_b_;
  std::optional<onednn::OwnedPrimitive> product_;
  FloorSeed seed_{};
  std::vector<std::vector<Digest>> tiles_;  ///< of each step: 128 KiB each
};

}  // namespace

FloorShape cpu_floor_shape(DType dtype, std::optional<std::int64_t> memory_bytes) {
  constexpr std::int64_t kRows = 1'024, kColumns = 4'096, kDepth = 32'768, kSmaller = 4,
                         kEnough = std::int64_t{8} << 30;
  constexpr int kLargest = 15;
  const std::int64_t columns = dtype == DType::fp32 ? kColumns / 2 : kColumns;  // the same bytes
  if (memory_bytes.value_or(0) >= kEnough) return {kRows, columns, kDepth, kLargest};
  return {kRows, columns / kSmaller, kDepth / kSmaller, kLargest};
}

std::unique_ptr<FloorDevice> make_cpu_floor_device(const CpuFacts& facts, const FloorWork& work) {
  return std::make_unique<CpuFloorDevice>(facts, work);
}

}  // namespace gpuassay
