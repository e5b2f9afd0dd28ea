// Where do inputs come from? They are made on the device, element by element, by the function the host knows as well.
#include "kernels/device.h"
#include "kernels/random_normal.h"

namespace gpuassay::kernels {
namespace {

/// Eight bytes of elements from `index` on; `elements` of them are wanted, the rest stays 0.
template <ElementFormat kFormat>
__attribute__((device)) UInt64 word_of_elements(UInt64 seed, UInt64 index, UInt32 elements) {
  UInt64 word = 0;
  // Filling is not timed: small code matters more, as every image carries it.
#pragma unroll 1
  for (UInt32 i = 0; i < elements; ++i) word |= element_bits(kFormat, seed, index + i) << (i * bits_of(kFormat));
  return word;
}

template <ElementFormat kFormat>
__attribute__((device)) void fill(const FillArguments& arguments) {
  constexpr UInt32 kPerWord = 64 / bits_of(kFormat);
  auto* const destination = global_pointer<UInt64>(arguments.destination);
#pragma unroll 1
  for (UInt64 i = thread_in_grid(); i * kPerWord < arguments.count; i += threads_in_grid()) {
    const UInt64 left = arguments.count - i * kPerWord;
    const UInt32 elements = left < kPerWord ? static_cast<UInt32>(left) : kPerWord;
    const UInt64 word = word_of_elements<kFormat>(arguments.seed, arguments.first_index + i * kPerWord, elements);
    if (elements == kPerWord) {
      destination[i] = word;
    } else {
      auto* const bytes = global_pointer<UInt8>(arguments.destination) + i * 8;
#pragma unroll 1
      for (UInt32 j = 0; j < elements * bits_of(kFormat) / 8; ++j) bytes[j] = static_cast<UInt8>(word >> (8 * j));
    }
  }
}

}  // namespace

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_fill(
    FillArguments arguments) {
  switch (static_cast<ElementFormat>(arguments.format)) {
    case ElementFormat::fp64: return fill<ElementFormat::fp64>(arguments);
    case ElementFormat::fp32: return fill<ElementFormat::fp32>(arguments);
    case ElementFormat::tf32: return fill<ElementFormat::tf32>(arguments);
    case ElementFormat::fp16: return fill<ElementFormat::fp16>(arguments);
    case ElementFormat::bf16: return fill<ElementFormat::bf16>(arguments);
    case ElementFormat::e4m3: return fill<ElementFormat::e4m3>(arguments);
    case ElementFormat::int8: return fill<ElementFormat::int8>(arguments);
    case ElementFormat::e2m1: return fill<ElementFormat::e2m1>(arguments);
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
