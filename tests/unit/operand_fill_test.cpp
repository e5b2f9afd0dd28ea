// A CPU's operands are the integers that the collector works out, in every format and by every instruction set.
#include "agent/floor/operand_fill.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/floor/operands.h"

namespace gpuassay {
namespace {

constexpr PhiloxStream kStream{{1, 0xfedcba98}, {0x89abcdef, 4}};
/// Bytes before the lower word of the block counter wraps.
constexpr std::uint64_t kWrap = std::uint64_t{16} << 32;

double value_of(std::int8_t value) { return value; }
double value_of(float value) { return static_cast<double>(value); }
double value_of(Bfloat16 value) { return static_cast<double>(float_from(value)); }

template <class T>
void expect_the_integers(int largest, std::uint64_t first) {
  std::vector<std::int8_t> integers(3 * kPhiloxBytes);
  fill_integers(kStream, largest, first, integers);
  std::vector<T> operands(integers.size());
  fill_operands(kStream, largest, first, std::span<T>(operands));
  for (std::size_t i = 0; i < integers.size(); ++i)
    ASSERT_EQ(value_of(operands[i]), integers[i]) << "element " << first + i << " of +-" << largest;
}

template <class T>
class OperandFill : public testing::Test {};
using Formats = testing::Types<std::int8_t, Bfloat16, float>;
TYPED_TEST_SUITE(OperandFill, Formats);

TYPED_TEST(OperandFill, IsWhatTheCollectorWorksOut) {
  for (const int largest : {1, 7, 15})
    for (const std::uint64_t first : {std::uint64_t{0}, 5 * std::uint64_t{kPhiloxBytes}, kWrap - kPhiloxBytes})
      expect_the_integers<TypeParam>(largest, first);
}

}  // namespace
}  // namespace gpuassay
