#include "agent/floor/operand_fill.h"

#include <array>
#include <type_traits>

#include "agent/backends/instruction_set.h"
#include "agent/floor/operand_fill_avx2.h"
#include "core/floor/operands.h"

namespace gpuassay {
namespace {

/// The operand of each byte: looking it up is faster than converting it one by one.
template <class T>
class OperandTable {
 public:
  OperandTable() {
    for (int byte = 0; byte < kBytes; ++byte) {
      const auto integer = static_cast<std::int8_t>(byte);
      operands_[static_cast<std::uint8_t>(integer)] = operand_from(integer);
    }
  }
  T operator[](std::int8_t integer) const { return operands_[static_cast<std::uint8_t>(integer)]; }

 private:
  static T operand_from(std::int8_t integer) {
    if constexpr (std::is_same_v<T, Bfloat16>) {
      return bfloat16_from(integer);
    } else {
      return static_cast<T>(integer);
    }
  }

  static constexpr int kBytes = 256;
  std::array<T, kBytes> operands_{};
};

template <class T>
void fill_by_table(const PhiloxStream& stream, int largest, std::uint64_t first, std::span<T> out) {
  const OperandTable<T> operands;
  std::array<std::int8_t, kPhiloxBytes> integers{};
  for (std::size_t at = 0; at < out.size(); at += kPhiloxBytes) {
    fill_integers(stream, largest, first + at, integers);
    for (std::size_t i = 0; i < kPhiloxBytes; ++i) out[at + i] = operands[integers[i]];
  }
}

template <class T>
void fill(const PhiloxStream& stream, int largest, std::uint64_t first, std::span<T> out) {
  if (widest_instruction_set() == InstructionSet::sse2) return fill_by_table(stream, largest, first, out);
  avx2_fill_operands({{stream.key[0], stream.key[1]}, {stream.high[0], stream.high[1]}, largest, first, out.size()},
                     out.data());
}

}  // namespace

void fill_operands(const PhiloxStream& stream, int largest, std::uint64_t first, std::span<std::int8_t> out) {
  fill(stream, largest, first, out);
}
void fill_operands(const PhiloxStream& stream, int largest, std::uint64_t first, std::span<Bfloat16> out) {
  fill(stream, largest, first, out);
}
void fill_operands(const PhiloxStream& stream, int largest, std::uint64_t first, std::span<float> out) {
  fill(stream, largest, first, out);
}

}  // namespace gpuassay
