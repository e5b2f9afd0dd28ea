// What is in device memory, when nobody can afford to compute it? Ranges with recipes; bytes are made when they are
// read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kernels/random_normal.h"

namespace gpuassay::fake {

/// The content of a range, immutable. Recipes hold the recipes of their operands: a later write to an operand's memory
/// does not change what was computed from it.
class Recipe {
 public:
  virtual ~Recipe() = default;
  /// The bytes from `offset` on.
  virtual void read(std::uint64_t offset, std::span<std::byte> out) const = 0;
  /// How many recipes lie below this one: bounds the recursion of reading.
  [[nodiscard]] virtual int depth() const { return 0; }
};
using RecipePointer = std::shared_ptr<const Recipe>;

/// Part of a recipe: `size` bytes from `skip` on.
struct Piece {
  std::uint64_t size = 0;
  RecipePointer recipe;
  std::uint64_t skip = 0;
};

/// What a range of memory held at one moment.
class View {
 public:
  View() = default;
  View(std::vector<std::pair<std::uint64_t, Piece>> pieces, std::uint64_t size);
  void read(std::uint64_t offset, std::span<std::byte> out) const;
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] int depth() const { return depth_; }
  /// The one piece that covers everything, null when there are several or gaps.
  [[nodiscard]] const Piece* single() const;
  /// The piece that covers the bytes from `begin` to `end`; empty when there is none.
  [[nodiscard]] std::optional<Piece> part(std::uint64_t begin, std::uint64_t end) const;
  /// A 4-byte value, or the like, at a byte offset.
  template <class Value>
  [[nodiscard]] Value value(std::uint64_t offset) const {
    Value result{};
    read(offset, std::as_writable_bytes(std::span(&result, 1)));
    return result;
  }

 private:
  std::vector<std::pair<std::uint64_t, Piece>> pieces_;  ///< by offset, apart
  std::uint64_t size_ = 0;
  int depth_ = 0;
};

/// The content of one allocation. What was never written reads as 0xCD.
class Contents {
 public:
  void write(std::uint64_t offset, const Piece& piece);
  void write(std::uint64_t offset, std::uint64_t size, RecipePointer recipe) {
    write(offset, {size, std::move(recipe)});
  }
  /// Puts a view, whole, at `offset`.
  void write(std::uint64_t offset, const View& view);
  [[nodiscard]] View view(std::uint64_t offset, std::uint64_t size) const;

 private:
  std::map<std::uint64_t, Piece> pieces_;
};

/// Bytes the host gave.
class HostBytes final : public Recipe {
 public:
  explicit HostBytes(std::span<const std::byte> bytes) : bytes_(bytes.begin(), bytes.end()) {}
  void read(std::uint64_t offset, std::span<std::byte> out) const override;

 private:
  std::vector<std::byte> bytes_;
};

/// The same 32-bit word over and over.
class Constant final : public Recipe {
 public:
  explicit Constant(std::uint32_t word) : word_(word) {}
  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  [[nodiscard]] std::uint32_t word() const { return word_; }

 private:
  std::uint32_t word_;
};

/// Content made of elements of 1, 2, 4 or 8 bytes that can be computed one by one.
class ElementRecipe : public Recipe {
 public:
  explicit ElementRecipe(unsigned element_bytes) : element_bytes_(element_bytes) {}
  void read(std::uint64_t offset, std::span<std::byte> out) const final;
  /// The bits of element `index`.
  [[nodiscard]] virtual std::uint64_t element(std::uint64_t index) const = 0;
  [[nodiscard]] unsigned element_bytes() const { return element_bytes_; }

 private:
  unsigned element_bytes_;
};

/// Elements of kernels/random_normal.h; of e2m1, two to a byte.
class Fill final : public ElementRecipe {
 public:
  Fill(kernels::ElementFormat format, std::uint64_t seed, std::uint64_t first_index);
  [[nodiscard]] std::uint64_t element(std::uint64_t index) const override;
  [[nodiscard]] kernels::ElementFormat format() const { return format_; }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] std::uint64_t first_index() const { return first_index_; }

 private:
  kernels::ElementFormat format_;
  std::uint64_t seed_, first_index_;
};

/// 64-bit words first, first + 1, ...
class CountingWords final : public ElementRecipe {
 public:
  explicit CountingWords(std::uint64_t first) : ElementRecipe(8), first_(first) {}
  [[nodiscard]] std::uint64_t element(std::uint64_t index) const override { return first_ + index; }

 private:
  std::uint64_t first_;
};

/// The value of every number a fill of any format but fp64 can write, by kernels::normal_integer +
/// kernels::kNormalIntegerLimit.
const std::vector<float>& fill_values(kernels::ElementFormat format);

class PhiloxIntegers;

/// Elements of one format out of a view, as numbers. Part of a fill of this very format takes a short way: a hash and a
/// look at a table, as a sum over thousands of terms reads as many elements. So do the integers of a verified run.
class Elements {
 public:
  Elements() = default;
  /// @param as_tf32 rounds each number to tf32, as tensor cores do with binary32 operands.
  Elements(View view, kernels::ElementFormat format, bool as_tf32 = false);
  [[nodiscard]] double at(std::uint64_t index) const {
    if (fill_values_ == nullptr) return read(index);
    return fill_values_[kernels::normal_integer(seed_, fill_first_ + index) + kernels::kNormalIntegerLimit];
  }
  /// Sum of count products: elements first, first + step, ... of each.
  struct Walk {
    std::uint64_t first = 0, step = 0;
  };
  static double dot(const Elements& a, Walk in_a, const Elements& b, Walk in_b, std::uint64_t count) {
    if (a.integers_ != nullptr && b.integers_ != nullptr) return dot_of_integers(a, in_a, b, in_b, count);
    return a.fill_values_ != nullptr && b.fill_values_ != nullptr ? dot_of_fills(a, in_a, b, in_b, count)
                                                                  : dot_of_any(a, in_a, b, in_b, count);
  }
  /// How many whole elements there are.
  [[nodiscard]] std::uint64_t count() const { return view_.size() * 8 / kernels::bits_of(format_); }
  [[nodiscard]] int depth() const { return view_.depth(); }

 private:
  View view_;
  kernels::ElementFormat format_ = kernels::ElementFormat::fp32;
  [[nodiscard]] double read(std::uint64_t index) const;
  static double dot_of_fills(const Elements& a, Walk in_a, const Elements& b, Walk in_b, std::uint64_t count);
  static double dot_of_integers(const Elements& a, Walk in_a, const Elements& b, Walk in_b, std::uint64_t count);
  static double dot_of_any(const Elements& a, Walk in_a, const Elements& b, Walk in_b, std::uint64_t count);

  bool as_tf32_ = false;
  const float* fill_values_ = nullptr;
  const PhiloxIntegers* integers_ = nullptr;  ///< of view_
  std::uint64_t seed_ = 0, fill_first_ = 0, integers_first_ = 0;
};

/// The bits of `value` in `format`, rounded once to nearest even; int8 saturates.
std::uint64_t bits_from_double(kernels::ElementFormat format, double value);

}  // namespace gpuassay::fake
