#include "kernels/number_formats.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace gpuassay::kernels {
namespace {

/// A format by its definition, written apart from the code under test: sign, exponent field, fraction.
struct Definition {
  const char* name;
  const NarrowFormat& format;
  int exponent_bits, fraction_bits, bias;
  bool infinite_overflow;
  unsigned largest;
};

const Definition kDefinitions[] = {
    {"fp16", kFp16, 5, 10, 15, true, 0x7bff},
    {"bf16", kBf16, 8, 7, 127, true, 0x7f7f},
    {"e4m3", kE4m3, 4, 3, 7, false, 0x7e},
    {"e2m1", kE2m1, 2, 1, 1, false, 0x7},
};

double defined_value(const Definition& d, unsigned magnitude) {
  const unsigned field = magnitude >> d.fraction_bits;
  const double fraction = std::ldexp(magnitude & ((1U << d.fraction_bits) - 1), -d.fraction_bits);
  if (field == 0) return std::ldexp(fraction, 1 - d.bias);
  return std::ldexp(1 + fraction, static_cast<int>(field) - d.bias);
}

class NarrowFormats : public testing::TestWithParam<Definition> {
 protected:
  unsigned sign() const { return 1U << (GetParam().exponent_bits + GetParam().fraction_bits); }
  void expect_code(double value, unsigned code) const {
    const auto& format = GetParam().format;
    const auto narrowed = static_cast<float>(value);
    if (static_cast<double>(narrowed) == value) {
      EXPECT_EQ(narrow_from_float(format, narrowed), code) << value;
      EXPECT_EQ(narrow_from_float(format, -narrowed), code | sign()) << -value;
    }
    EXPECT_EQ(narrow_from_double(format, value), code) << value;
    EXPECT_EQ(narrow_from_double(format, -value), code | sign()) << -value;
  }
};

TEST_P(NarrowFormats, EveryCodeHasItsDefinedValueAndComesBack) {
  for (unsigned code = 0; code <= GetParam().largest; ++code) {
    const double value = defined_value(GetParam(), code);
    EXPECT_EQ(narrow_value(GetParam().format, code), value);
    EXPECT_EQ(narrow_value(GetParam().format, code | sign()), -value);
    expect_code(value, code);
  }
}

TEST_P(NarrowFormats, BetweenTwoCodesTheNearerOneAndTiesGoToEven) {
  for (unsigned code = 0; code < GetParam().largest; ++code) {
    const double below = defined_value(GetParam(), code), above = defined_value(GetParam(), code + 1);
    const double middle = (below + above) / 2;  // exact
    expect_code(middle, code % 2 == 0 ? code : code + 1);
    expect_code(std::nextafter(middle, 0.0), code);
    expect_code(std::nextafter(middle, 1e300), code + 1);
    const auto near = static_cast<float>(middle);
    expect_code(std::nextafterf(near, 0.0F), code);
    expect_code(std::nextafterf(near, std::numeric_limits<float>::max()), code + 1);
  }
}

TEST_P(NarrowFormats, BeyondTheLargestNumber) {
  const auto& d = GetParam();
  const double largest = defined_value(d, d.largest);
  const double step = largest - defined_value(d, d.largest - 1);
  const unsigned overflow = d.infinite_overflow ? d.largest + 1 : d.largest;
  expect_code(std::nextafter(largest + step / 2, 0.0), d.largest);
  expect_code(largest + step / 2, overflow);
  expect_code(largest * 2, overflow);
  expect_code(std::numeric_limits<double>::max(), overflow);
  expect_code(std::numeric_limits<double>::infinity(), overflow);
  if (d.infinite_overflow) {
    EXPECT_TRUE(std::isinf(narrow_value(d.format, overflow)));
    EXPECT_LT(narrow_value(d.format, overflow | sign()), 0);
  }
}

TEST_P(NarrowFormats, TinyNumbersBecomeZeroAndKeepTheirSign) {
  expect_code(0.0, 0);
  expect_code(std::numeric_limits<double>::denorm_min(), 0);
  expect_code(std::numeric_limits<double>::min(), 0);
  expect_code(defined_value(GetParam(), 1) / 2, 0);
  expect_code(static_cast<double>(std::numeric_limits<float>::denorm_min()), 0);
}

TEST_P(NarrowFormats, NotANumber) {
  const unsigned from_float = narrow_from_float(GetParam().format, std::numeric_limits<float>::quiet_NaN());
  const unsigned from_double = narrow_from_double(GetParam().format, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(from_float, from_double);
  EXPECT_EQ(std::isnan(narrow_value(GetParam().format, from_float)), GetParam().exponent_bits != 2);
}

INSTANTIATE_TEST_SUITE_P(All, NarrowFormats, testing::ValuesIn(kDefinitions),
                         [](const auto& each) { return each.param.name; });

TEST(Tf32, RoundsToTenFractionBitsTiesToEven) {
  for (unsigned i = 0; i < 400000; ++i) {
    const float value = float_of(i * 10733U);  // strides over exponents and fractions, finite or not
    if (!std::isfinite(value) || (bits_of_float(value) & 0x7f800000U) == 0) continue;
    int exponent = 0;
    const double fraction = std::frexp(static_cast<double>(value), &exponent);
    const double rounded = std::ldexp(std::nearbyint(std::ldexp(fraction, 11)), exponent - 11);
    const float back = float_of(tf32_bits(value));
    if (std::fabs(rounded) > static_cast<double>(std::numeric_limits<float>::max())) {
      EXPECT_TRUE(std::isinf(back));
    } else {
      EXPECT_EQ(static_cast<double>(back), rounded) << value;
    }
    EXPECT_EQ(tf32_bits(value) & 0x1fffU, 0U);
  }
  EXPECT_EQ(float_of(tf32_bits(1.0F + 0x1p-11F)), 1.0F);
  EXPECT_EQ(float_of(tf32_bits(1.0F + 3 * 0x1p-11F)), 1.0F + 0x1p-9F);
  EXPECT_TRUE(std::isnan(float_of(tf32_bits(std::numeric_limits<float>::quiet_NaN()))));
}

TEST(Int8, RoundsTiesToEvenAndClips) {
  for (int i = -300 * 64; i <= 300 * 64; ++i) {
    const float value = static_cast<float>(i) / 64;
    const double expected = std::fmin(std::fmax(std::nearbyint(static_cast<double>(value)), -127), 127);
    EXPECT_EQ(value_of(ElementFormat::int8, int8_bits(value)), expected) << value;
  }
  EXPECT_EQ(int8_bits(std::nextafterf(0.5F, 0.0F)), 0U);
  EXPECT_EQ(int8_bits(std::nextafterf(0.5F, 1.0F)), 1U);
  EXPECT_EQ(int8_bits(-1e30F), 0x81U);
  EXPECT_EQ(int8_bits(std::numeric_limits<float>::infinity()), 127U);
  EXPECT_EQ(int8_bits(std::numeric_limits<float>::quiet_NaN()), 0U);
}

TEST(ElementFormats, SizesAndDispatch) {
  EXPECT_EQ(bits_of(ElementFormat::fp64), 64U);
  EXPECT_EQ(bits_of(ElementFormat::tf32), 32U);
  EXPECT_EQ(bits_of(ElementFormat::bf16), 16U);
  EXPECT_EQ(bits_of(ElementFormat::e4m3), 8U);
  EXPECT_EQ(bits_of(ElementFormat::e2m1), 4U);
  EXPECT_EQ(value_of(ElementFormat::fp64, bits_of_double(-2.5)), -2.5);
  EXPECT_EQ(value_of(ElementFormat::fp32, bits_of_float(0.1F)), static_cast<double>(0.1F));
  EXPECT_EQ(value_of(ElementFormat::fp16, 0xc000), -2.0);
  EXPECT_EQ(value_of(ElementFormat::bf16, 0x3f80), 1.0);
  EXPECT_EQ(value_of(ElementFormat::e4m3, 0x7e), 448.0);
  EXPECT_EQ(value_of(ElementFormat::e2m1, 0xf), -6.0);
  EXPECT_EQ(value_of(ElementFormat::e2m1, 0x1), 0.5);
}

}  // namespace
}  // namespace gpuassay::kernels
