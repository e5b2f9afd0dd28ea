#include "tests/support/fake_gpu/word_sums.h"

#include <algorithm>
#include <array>
#include <utility>

#include "kernels/arguments.h"
#include "kernels/read_reference.h"

namespace gpuassay::fake {

BlockSums::BlockSums(RangeSum sum, std::uint64_t size_bytes, unsigned grid, unsigned passes)
    : ElementRecipe(8), sum_(std::move(sum)), size_bytes_(size_bytes), grid_(grid), passes_(passes), known_(grid) {}

std::uint64_t BlockSums::sum_of_tiles(std::uint64_t first) const {
  std::optional<std::uint64_t>& known = known_.at(first);
  if (known) return *known;
  std::uint64_t sum = 0;
  const std::uint64_t step = std::uint64_t{grid_} * kernels::kTileBytes;
  for (std::uint64_t begin = first * kernels::kTileBytes; begin < size_bytes_; begin += step) {
    sum += sum_(begin, std::min<std::uint64_t>(begin + kernels::kTileBytes, size_bytes_));
  }
  known = sum;
  return sum;
}

std::uint64_t BlockSums::element(std::uint64_t block) const {
  // The tiles of a pass repeat with twice the grid.
  const std::uint64_t turn = std::uint64_t{2} * grid_;
  const auto sum_of_passes = [&](std::uint64_t count) {
    std::uint64_t sum = 0;
    for (std::uint64_t pass = 0; pass < count; ++pass)
      sum += sum_of_tiles(kernels::read_role(static_cast<std::uint32_t>(block), grid_, pass));
    return sum;
  };
  const std::uint64_t turns = passes_ / turn;
  return (turns > 0 ? turns * sum_of_passes(turn) : 0) + sum_of_passes(passes_ % turn);
}

std::uint64_t sum_of_words(const View& view, std::uint64_t begin, std::uint64_t end) {
  const std::optional<Piece> piece = view.part(begin, end);
  const auto* counting = piece ? dynamic_cast<const CountingWords*>(piece->recipe.get()) : nullptr;
  if (counting != nullptr && piece->skip % 8 == 0) {
    const std::uint64_t count = (end - begin) / 8;
    const std::uint64_t first = counting->element(piece->skip / 8);
    const std::uint64_t pairs = count % 2 == 0 ? count / 2 * (count - 1) : (count - 1) / 2 * count;
    return count * first + pairs;
  }
  std::uint64_t sum = 0;
  std::array<std::uint64_t, 2048> words{};
  for (std::uint64_t at = begin; at < end;) {
    const std::size_t count = std::min<std::size_t>(words.size(), (end - at) / 8);
    view.read(at, std::as_writable_bytes(std::span(words).first(count)));
    for (std::size_t i = 0; i < count; ++i) sum += words[i];
    at += count * 8;
  }
  return sum;
}

}  // namespace gpuassay::fake
