// The operands of a verified run: integers of kernels/philox.h, all made when the first one is looked at, as a product
// looks at each of them hundreds of times.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/philox.h"
#include "tests/support/fake_gpu/recipe.h"

namespace gpuassay::fake {

class PhiloxIntegers final : public ElementRecipe {
 public:
  PhiloxIntegers(kernels::ElementFormat format, const kernels::PhiloxKey& stream, std::uint32_t largest,
                 std::uint64_t count)
      : ElementRecipe(kernels::bits_of(format) / 8),
        format_(format),
        stream_(stream),
        largest_(largest),
        count_(count) {}

  [[nodiscard]] std::uint64_t element(std::uint64_t index) const override {
    return kernels::bits_of_integer(format_, values()[index]);
  }
  [[nodiscard]] kernels::ElementFormat format() const { return format_; }
  [[nodiscard]] const std::vector<std::int8_t>& values() const {
    if (!values_.empty()) return values_;
    values_.reserve(count_);
    for (std::uint64_t block = 0; block * kernels::kPhiloxBlockBytes < count_; ++block) {
      const kernels::PhiloxBlock bytes = kernels::philox_block(stream_, block);
      for (std::uint32_t e = 0; e < kernels::kPhiloxBlockBytes; ++e)
        values_.push_back(static_cast<std::int8_t>(kernels::philox_integer(bytes, e, largest_)));
    }
    return values_;
  }

 private:
  kernels::ElementFormat format_;
  kernels::PhiloxKey stream_;
  std::uint32_t largest_;
  std::uint64_t count_;
  mutable std::vector<std::int8_t> values_;  ///< under the machine's mutex, as everything
};

}  // namespace gpuassay::fake
