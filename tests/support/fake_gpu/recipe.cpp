#include "tests/support/fake_gpu/recipe.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "kernels/random_normal.h"
#include "tests/support/fake_gpu/philox_integers.h"

namespace gpuassay::fake {

using kernels::ElementFormat;

View::View(std::vector<std::pair<std::uint64_t, Piece>> pieces, std::uint64_t size)
    : pieces_(std::move(pieces)), size_(size) {
  for (const auto& [offset, piece] : pieces_) depth_ = std::max(depth_, piece.recipe->depth());
}

const Piece* View::single() const {
  const bool whole = pieces_.size() == 1 && pieces_.front().first == 0 && pieces_.front().second.size == size_;
  return whole ? &pieces_.front().second : nullptr;
}

std::optional<Piece> View::part(std::uint64_t begin, std::uint64_t end) const {
  for (const auto& [offset, piece] : pieces_) {
    if (offset <= begin && end <= offset + piece.size)
      return Piece{end - begin, piece.recipe, piece.skip + (begin - offset)};
  }
  return std::nullopt;
}

void View::read(std::uint64_t offset, std::span<std::byte> out) const {
  constexpr std::byte kNeverWritten{0xcd};
  std::fill(out.begin(), out.end(), kNeverWritten);
  const std::uint64_t end = offset + out.size();
  auto at = std::upper_bound(pieces_.begin(), pieces_.end(), offset,
                             [](std::uint64_t wanted, const auto& entry) { return wanted < entry.first; });
  if (at != pieces_.begin()) --at;
  for (; at != pieces_.end() && at->first < end; ++at) {
    const auto& [begin, piece] = *at;
    const std::uint64_t from = std::max(begin, offset);
    const std::uint64_t to = std::min(begin + piece.size, end);
    if (from < to) piece.recipe->read(piece.skip + (from - begin), out.subspan(from - offset, to - from));
  }
}

void Contents::write(std::uint64_t offset, const Piece& piece) {
  if (piece.size == 0) return;
  const std::uint64_t end = offset + piece.size;
  auto at = pieces_.lower_bound(offset);
  if (at != pieces_.begin()) {
    Piece& before = std::prev(at)->second;
    const std::uint64_t begin = std::prev(at)->first;
    if (begin + before.size > offset) {
      const std::uint64_t old_end = begin + before.size;
      if (old_end > end) pieces_.emplace(end, Piece{old_end - end, before.recipe, before.skip + (end - begin)});
      before.size = offset - begin;
    }
  }
  while (at != pieces_.end() && at->first < end) {
    const std::uint64_t begin = at->first;
    const Piece old = at->second;
    at = pieces_.erase(at);
    if (begin + old.size > end) {
      pieces_.emplace(end, Piece{begin + old.size - end, old.recipe, old.skip + (end - begin)});
      break;
    }
  }
  pieces_[offset] = piece;
}

namespace {

/// What a view held, as a recipe.
class Snapshot final : public Recipe {
 public:
  explicit Snapshot(View view) : view_(std::move(view)) {}
  void read(std::uint64_t offset, std::span<std::byte> out) const override { view_.read(offset, out); }
  [[nodiscard]] int depth() const override { return view_.depth() + 1; }

 private:
  View view_;
};

}  // namespace

void Contents::write(std::uint64_t offset, const View& view) {
  if (const Piece* piece = view.single()) return write(offset, *piece);
  write(offset, view.size(), std::make_shared<Snapshot>(view));
}

View Contents::view(std::uint64_t offset, std::uint64_t size) const {
  std::vector<std::pair<std::uint64_t, Piece>> pieces;
  const std::uint64_t end = offset + size;
  auto at = pieces_.upper_bound(offset);
  if (at != pieces_.begin()) --at;
  for (; at != pieces_.end() && at->first < end; ++at) {
    const auto& [begin, piece] = *at;
    const std::uint64_t from = std::max(begin, offset);
    const std::uint64_t to = std::min(begin + piece.size, end);
    if (from < to) pieces.emplace_back(from - offset, Piece{to - from, piece.recipe, piece.skip + (from - begin)});
  }
  return {std::move(pieces), size};
}

void HostBytes::read(std::uint64_t offset, std::span<std::byte> out) const {
  std::memcpy(out.data(), bytes_.data() + offset, out.size());
}

void Constant::read(std::uint64_t offset, std::span<std::byte> out) const {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::byte>((word_ >> (8 * ((offset + i) % 4))) & 0xffU);
  }
}

void ElementRecipe::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const std::uint64_t within = offset % element_bytes_;
    const std::uint64_t bits = element(offset / element_bytes_) >> (8 * within);
    const std::size_t count = std::min<std::size_t>(element_bytes_ - within, out.size());
    std::memcpy(out.data(), &bits, count);  // little endian, as GPUs are
    offset += count;
    out = out.subspan(count);
  }
}

Fill::Fill(ElementFormat format, std::uint64_t seed, std::uint64_t first_index)
    : ElementRecipe(std::max(kernels::bits_of(format) / 8, 1U)),
      format_(format),
      seed_(seed),
      first_index_(first_index) {}

std::uint64_t Fill::element(std::uint64_t index) const {
  if (format_ != ElementFormat::e2m1) return kernels::element_bits(format_, seed_, first_index_ + index);
  const std::uint64_t low = first_index_ + 2 * index;
  return kernels::element_bits(format_, seed_, low) | (kernels::element_bits(format_, seed_, low + 1) << 4U);
}

namespace {

/// What element_bits makes of a hash whose normal_integer is `integer`, as a number.
double value_of_integer(ElementFormat format, int integer) {
  const float value = static_cast<float>(integer) * kernels::kNormalScaleFloat;
  switch (format) {
    case ElementFormat::int8: return kernels::value_of(format, kernels::int8_bits(value * kernels::kInt8Scale));
    case ElementFormat::e2m1: return kernels::value_of(format, kernels::e2m1_bits(value * kernels::kE2m1Scale));
    default: return kernels::value_of(format, bits_from_double(format, static_cast<double>(value)));
  }
}

constexpr std::size_t kFormats = 8;

std::array<std::vector<float>, kFormats> all_fill_values() {
  std::array<std::vector<float>, kFormats> all;
  for (std::size_t i = 0; i < kFormats; ++i) {
    for (int integer = -kernels::kNormalIntegerLimit; integer <= kernels::kNormalIntegerLimit; ++integer) {
      // Exact: no format but fp64 has more bits than binary32.
      all.at(i).push_back(static_cast<float>(value_of_integer(static_cast<ElementFormat>(i), integer)));
    }
  }
  return all;
}

}  // namespace

const std::vector<float>& fill_values(ElementFormat format) {
  static const std::array<std::vector<float>, kFormats> kAll = all_fill_values();
  return kAll.at(static_cast<std::size_t>(format));
}

Elements::Elements(View view, ElementFormat format, bool as_tf32)
    : view_(std::move(view)), format_(format), as_tf32_(as_tf32) {
  const Piece* piece = view_.single();
  if (piece == nullptr) return;
  const unsigned bits = kernels::bits_of(format);
  const auto* integers = dynamic_cast<const PhiloxIntegers*>(piece->recipe.get());
  if (integers != nullptr && integers->format() == format && (piece->skip * 8) % bits == 0) {
    integers_ = integers;
    integers_first_ = piece->skip * 8 / bits;
    return;
  }
  const auto* fill = dynamic_cast<const Fill*>(piece->recipe.get());
  if (fill == nullptr || (piece->skip * 8) % bits != 0) return;
  // Numbers of the tf32 kind are binary32 numbers.
  const bool same =
      fill->format() == format || (format == ElementFormat::fp32 && fill->format() == ElementFormat::tf32);
  if (!same) return;
  if (format == ElementFormat::fp64) return;  // more values than a table holds
  // A fill of tf32 wrote rounded numbers, whatever reads them.
  fill_values_ = fill_values(as_tf32 ? ElementFormat::tf32 : fill->format()).data();
  seed_ = fill->seed();
  fill_first_ = fill->first_index() + piece->skip * 8 / bits;
}

double Elements::read(std::uint64_t index) const {
  const unsigned bits = kernels::bits_of(format_);
  if (bits == 4) {
    const auto pair = view_.value<std::uint8_t>(index / 2);
    return kernels::value_of(format_, (pair >> (index % 2 == 0 ? 0U : 4U)) & 0xfU);
  }
  std::uint64_t word = 0;
  view_.read(index * bits / 8, std::as_writable_bytes(std::span(&word, 1)).first(bits / 8));
  const double value = kernels::value_of(format_, word);
  return as_tf32_ ? static_cast<double>(kernels::float_of(kernels::tf32_bits(static_cast<float>(value)))) : value;
}

double Elements::dot_of_fills(const Elements& a, Walk in_a, const Elements& b, Walk in_b, std::uint64_t count) {
  const float* const a_values = a.fill_values_ + kernels::kNormalIntegerLimit;
  const float* const b_values = b.fill_values_ + kernels::kNormalIntegerLimit;
  const std::uint64_t a_seed = a.seed_;
  const std::uint64_t b_seed = b.seed_;
  std::uint64_t a_index = a.fill_first_ + in_a.first;
  std::uint64_t b_index = b.fill_first_ + in_b.first;
  double sum = 0;
  for (std::uint64_t i = 0; i < count; ++i, a_index += in_a.step, b_index += in_b.step) {
    sum += static_cast<double>(a_values[kernels::normal_integer(a_seed, a_index)]) *
           static_cast<double>(b_values[kernels::normal_integer(b_seed, b_index)]);
  }
  return sum;
}

/// Exact in any order of adding.
double Elements::dot_of_integers(const Elements& a, Walk in_a, const Elements& b, Walk in_b, std::uint64_t count) {
  const std::int8_t* a_at = a.integers_->values().data() + a.integers_first_ + in_a.first;
  const std::int8_t* b_at = b.integers_->values().data() + b.integers_first_ + in_b.first;
  double total = 0;
  if (in_a.step != 1 || in_b.step != 1) {
    for (std::uint64_t i = 0; i < count; ++i) total += a_at[i * in_a.step] * b_at[i * in_b.step];
    return total;
  }
  constexpr std::uint64_t kPiece = 1024;  // whose sum int32 holds: a loop that compilers make vector instructions of
  for (std::uint64_t first = 0; first < count; first += kPiece) {
    std::int32_t sum = 0;
    for (std::uint64_t i = first; i < std::min(first + kPiece, count); ++i) sum += a_at[i] * b_at[i];
    total += sum;
  }
  return total;
}

double Elements::dot_of_any(const Elements& a, Walk in_a, const Elements& b, Walk in_b, std::uint64_t count) {
  double sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) sum += a.at(in_a.first + i * in_a.step) * b.at(in_b.first + i * in_b.step);
  return sum;
}

std::uint64_t bits_from_double(ElementFormat format, double value) {
  switch (format) {
    case ElementFormat::fp64: return std::bit_cast<std::uint64_t>(value);
    case ElementFormat::fp32: return std::bit_cast<std::uint32_t>(static_cast<float>(value));
    case ElementFormat::tf32: return kernels::tf32_bits(static_cast<float>(value));
    case ElementFormat::fp16: return kernels::narrow_from_double(kernels::kFp16, value);
    case ElementFormat::bf16: return kernels::narrow_from_double(kernels::kBf16, value);
    case ElementFormat::e4m3: return kernels::narrow_from_double(kernels::kE4m3, value);
    case ElementFormat::e2m1: return kernels::narrow_from_double(kernels::kE2m1, value);
    case ElementFormat::int8: return kernels::int8_bits(static_cast<float>(value));
  }
  return 0;
}

}  // namespace gpuassay::fake
