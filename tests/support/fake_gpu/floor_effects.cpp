#include "tests/support/fake_gpu/floor_effects.h"

#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "kernels/arguments.h"
#include "kernels/philox.h"
#include "kernels/sha256.h"
#include "tests/support/fake_gpu/philox_integers.h"

namespace gpuassay::fake {
namespace {

using kernels::ElementFormat;

constexpr std::uint64_t kDigestBytes = 32, kWordsPerDigest = 4;
constexpr std::uint64_t kVectorBytes = 16;  ///< the kernels read and write so much at a time
/// What hashing takes: as many integer instructions for each four bytes as the machine code has, and each as long as a
/// multiply-add, which counts as two operations.
constexpr double kInstructionsPerNumber = 95, kOperationsPerInstruction = 2, kReached = 0.8;

template <class Arguments>
Arguments floor_arguments(const Launch& launch) {
  Arguments arguments{};
  std::memcpy(&arguments, launch.arguments, sizeof(arguments));
  return arguments;
}

void require_vectors(std::uint64_t address) {
  if (address % kVectorBytes != 0) throw Failure{cuda::kMisalignedAddress};
}

Operation floor_work(double bytes, double hashed_numbers) {
  Operation operation;
  operation.kind = "floor";
  operation.duration_ns = [=](Device& device) {
    Work work;
    work.bytes = bytes;
    work.operations = hashed_numbers * kInstructionsPerNumber * kOperationsPerInstruction;
    work.efficiency = kReached;
    return device.duration_ns(work);
  };
  return operation;
}

/// Digests one after the other, each made when it is first looked at.
class Digests : public ElementRecipe {
 public:
  explicit Digests(std::uint64_t count) : ElementRecipe(kDigestBytes / kWordsPerDigest), made_(count) {}
  [[nodiscard]] std::uint64_t element(std::uint64_t index) const final {
    std::optional<kernels::Sha256State>& digest = made_.at(index / kWordsPerDigest);
    if (!digest) digest = make(index / kWordsPerDigest);
    const auto word = static_cast<std::uint32_t>(index % kWordsPerDigest * 2);
    return kernels::digest_word(*digest, word) | std::uint64_t{kernels::digest_word(*digest, word + 1)} << 32U;
  }

 private:
  [[nodiscard]] virtual kernels::Sha256State make(std::uint64_t number) const = 0;
  mutable std::vector<std::optional<kernels::Sha256State>> made_;  ///< under the machine's mutex
};

using PieceWords = kernels::UInt32[kernels::kSha256PieceWords];

class TileDigests final : public Digests {
 public:
  TileDigests(View matrix, const kernels::FloorTilesArguments& arguments, std::uint64_t tiles)
      : Digests(tiles), matrix_(std::move(matrix)), arguments_(arguments) {}
  [[nodiscard]] int depth() const override { return matrix_.depth() + 1; }

 private:
  [[nodiscard]] kernels::Sha256State make(std::uint64_t number) const override {
    constexpr std::uint64_t kSide = kernels::kFloorTileSide;
    const std::uint64_t across = arguments_.columns / kSide;
    return kernels::sha256_after(kernels::kSha256Constants, 0, kSide, [&](kernels::UInt32 row, PieceWords& w) {
      const std::uint64_t first = (number / across * kSide + row) * arguments_.columns + number % across * kSide;
      matrix_.read(first * sizeof(kernels::UInt32), std::as_writable_bytes(std::span(w)));
      if (arguments_.is_integer != 0) return;
      for (kernels::UInt32& word : w) word = integer_of(kernels::float_of(word));
    });
  }
  static kernels::UInt32 integer_of(float number) {
    constexpr float kBound = 0x1p30F;
    if (number > -kBound && number < kBound) return static_cast<kernels::UInt32>(static_cast<std::int32_t>(number));
    return 0x7fffffffU;
  }

  View matrix_;
  kernels::FloorTilesArguments arguments_;
};

/// One level of nodes.
class NodeDigests final : public Digests {
 public:
  NodeDigests(View children, std::uint64_t count) : Digests(count), children_(std::move(children)) {}
  [[nodiscard]] int depth() const override { return children_.depth() + 1; }

 private:
  [[nodiscard]] kernels::Sha256State make(std::uint64_t number) const override {
    return kernels::sha256_after(kernels::kSha256Constants, 1, 1, [&](kernels::UInt32, PieceWords& w) {
      children_.read(number * sizeof(w), std::as_writable_bytes(std::span(w)));
    });
  }

  View children_;
};

Operation floor_fill(Machine& machine, const Launch& launch) {
  const auto arguments = floor_arguments<kernels::FloorFillArguments>(launch);
  const auto format = static_cast<ElementFormat>(arguments.format);
  const std::uint64_t bytes = arguments.count * kernels::bits_of(format) / 8;
  Operation operation = floor_work(static_cast<double>(bytes), 0);
  operation.effect = [&machine, arguments, format, bytes] {
    require_vectors(arguments.destination);
    const kernels::PhiloxKey stream{{arguments.key[0], arguments.key[1]}, {arguments.high[0], arguments.high[1]}};
    machine.write(arguments.destination, bytes,
                  std::make_shared<PhiloxIntegers>(format, stream, arguments.largest, arguments.count));
  };
  return operation;
}

Operation floor_tiles(Machine& machine, const Launch& launch) {
  const auto arguments = floor_arguments<kernels::FloorTilesArguments>(launch);
  const std::uint64_t numbers = arguments.rows * arguments.columns;
  Operation operation =
      floor_work(static_cast<double>(numbers * sizeof(kernels::UInt32)), static_cast<double>(numbers));
  operation.effect = [&machine, arguments, numbers] {
    require_vectors(arguments.matrix);
    require_vectors(arguments.tree);
    const std::uint64_t tiles = numbers / kernels::kFloorTileSide / kernels::kFloorTileSide;
    const View matrix = machine.view(arguments.matrix, numbers * sizeof(kernels::UInt32));
    machine.write(arguments.tree + (tiles - 1) * kDigestBytes, tiles * kDigestBytes,
                  with_faults(machine, machine.current(), "floor",
                              std::make_shared<TileDigests>(matrix, arguments, tiles), ElementFormat::fp64));
  };
  return operation;
}

/// Level by level; how many follows from the blocks, as on a device.
Operation floor_nodes(Machine& machine, const Launch& launch) {
  const auto arguments = floor_arguments<kernels::FloorNodesArguments>(launch);
  if (launch.grid != kernels::floor_node_blocks(arguments.children)) throw Failure{cuda::kInvalidValue};
  constexpr double kNumbersPerNode = 32;  // two pieces of 16
  Operation operation = floor_work(static_cast<double>(arguments.children * kDigestBytes),
                                   static_cast<double>(arguments.children) * kNumbersPerNode);
  operation.effect = [&machine, arguments, last = std::uint64_t{launch.grid}] {
    require_vectors(arguments.tree);
    for (std::uint64_t level = arguments.children / 2; level >= last; level /= 2) {
      const View children = machine.view(arguments.tree + (2 * level - 1) * kDigestBytes, 2 * level * kDigestBytes);
      machine.write(arguments.tree + (level - 1) * kDigestBytes, level * kDigestBytes,
                    std::make_shared<NodeDigests>(children, level));
    }
  };
  return operation;
}

}  // namespace

bool is_floor_kernel(const std::string& name) {
  return name == kernels::kFloorFill || name == kernels::kFloorTiles || name == kernels::kFloorNodes;
}

Operation floor_operation(Machine& machine, const std::string& name, const Launch& launch) {
  if (name == kernels::kFloorFill) return floor_fill(machine, launch);
  return name == kernels::kFloorTiles ? floor_tiles(machine, launch) : floor_nodes(machine, launch);
}

}  // namespace gpuassay::fake
