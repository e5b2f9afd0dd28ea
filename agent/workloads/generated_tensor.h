// What does a device tensor contain that was filled by the rule of kernels/random_normal.h? Every element is known
// without reading it back, so a reference can be computed for operands of any size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "kernels/random_normal.h"

namespace gpuassay {

/// Where the elements of [outer][rows][columns] lie in memory: as written, or with the two inner dimensions swapped
/// (a transposed matrix; NHWC seen as [n][c][h*w]).
struct InnerLayout {
  std::int64_t rows = 1, columns = 1;
  bool swapped = false;

  /// Place in memory of the element at `position` of the logical order.
  [[nodiscard]] constexpr std::int64_t storage_index(std::int64_t position) const {
    if (!swapped) return position;
    const std::int64_t column = position % columns;
    const std::int64_t above = position / columns;
    return (above / rows * columns + column) * rows + above % rows;
  }
};

/// The value of an element for each of the 262,141 numbers normal_integer gives, the lowest first; made once per
/// format.
const std::vector<double>& element_values(kernels::ElementFormat format);

/// Filled with element_bits(format, seed, storage index).
class GeneratedTensor {
 public:
  GeneratedTensor(kernels::ElementFormat format, std::uint64_t seed, const InnerLayout& layout)
      : seed_(seed), layout_(layout), values_(element_values(format).data()) {}

  [[nodiscard]] const InnerLayout& layout() const { return layout_; }

  /// Exact value at a flat position of the logical order.
  double operator[](std::size_t position) const {
    const std::int64_t place = layout_.storage_index(static_cast<std::int64_t>(position));
    return values_[kernels::normal_integer(seed_, static_cast<std::uint64_t>(place)) + kernels::kNormalIntegerLimit];
  }

 private:
  std::uint64_t seed_;
  InnerLayout layout_;
  const double* values_;
};

/// A generated tensor that remembers the planes (runs of `plane` elements) it was asked for: sums that walk over the
/// same planes again and again make each element once. Not thread-safe.
class PlaneCache {
 public:
  /// Every element's value must be exact as a float: every format but fp64.
  PlaneCache(const GeneratedTensor& tensor, std::int64_t plane)
      : tensor_(tensor), plane_(static_cast<std::size_t>(plane)) {}

  double operator[](std::size_t position) const {
    if (position - begin_ >= plane_ || values_ == nullptr) load(position);
    return static_cast<double>(values_[position - begin_]);
  }

 private:
  void load(std::size_t position) const {
    const std::size_t number = position / plane_;
    begin_ = number * plane_;
    std::vector<float>& values = planes_[number];
    if (values.empty()) {
      values.resize(plane_);
      for (std::size_t i = 0; i < plane_; ++i) values[i] = static_cast<float>(tensor_[begin_ + i]);
    }
    values_ = values.data();
  }

  GeneratedTensor tensor_;
  std::size_t plane_;
  mutable std::unordered_map<std::size_t, std::vector<float>> planes_;
  mutable std::size_t begin_ = 0;
  mutable const float* values_ = nullptr;
};

}  // namespace gpuassay
