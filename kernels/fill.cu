// Where do inputs come from? They are made on the device, element by element, by the function the host knows as well.
#include "kernels/device.h"
#include "kernels/random_normal.h"

namespace gpuassay::kernels {
namespace {

/// Eight bytes of elements from `index` on; `elements` of them are wanted, the rest stays 0.
__attribute__((device)) UInt64 word_of_elements(ElementFormat format, UInt64 seed, UInt64 index, UInt32 elements) {
  UInt64 word = 0;
#pragma unroll 1
  for (UInt32 i = 0; i < elements; ++i) word |= element_bits(format, seed, index + i) << (i * bits_of(format));
  return word;
}

}  // namespace

// The format is looked at for every element: filling is not timed, and one copy of the loop keeps every image small.
extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_fill(
    FillArguments arguments) {
  const auto format = static_cast<ElementFormat>(arguments.format);
  const UInt32 bits = bits_of(format);
  if (bits == 0) return;
  const UInt32 per_word = 64 / bits;
  auto* const destination = global_pointer<UInt64>(arguments.destination);
#pragma unroll 1
  for (UInt64 i = thread_in_grid(); i * per_word < arguments.count; i += threads_in_grid()) {
    const UInt64 left = arguments.count - i * per_word;
    const UInt32 elements = left < per_word ? static_cast<UInt32>(left) : per_word;
    const UInt64 word = word_of_elements(format, arguments.seed, arguments.first_index + i * per_word, elements);
    if (elements == per_word) {
      destination[i] = word;
      continue;
    }
    auto* const bytes = global_pointer<UInt8>(arguments.destination) + i * 8;
#pragma unroll 1
    for (UInt32 j = 0; j < elements * bits / 8; ++j) bytes[j] = static_cast<UInt8>(word >> (8 * j));
  }
}

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_fill_constant(
    FillConstantArguments arguments) {
  const UInt64 twice = UInt64{arguments.pattern} << 32 | arguments.pattern;
  const UInt64 vectors = arguments.size_bytes / 16;
  for (UInt64 i = thread_in_grid(); i < vectors; i += threads_in_grid()) {
    global_pointer<Words>(arguments.destination)[i] = Words{twice, twice};
  }
  const UInt64 words = arguments.size_bytes / 4;
  const UInt64 tail = vectors * 4 + thread_in_grid();
  if (tail < words) global_pointer<UInt32>(arguments.destination)[tail] = arguments.pattern;
}

}  // namespace gpuassay::kernels
