// The inner loops of the bandwidth measurement for one thread's slice, one version per instruction set.
// Definitions of the kernels: J. McCalpin, STREAM; the order and the scalar are those of BabelStream.
#pragma once

#include <cstddef>

#include "core/model.h"

namespace gpuassay {

/// One thread's part of the three arrays, aligned to 64 bytes; `count` is a multiple of kStreamLine elements.
struct StreamSlice {
  double* a;
  double* b;
  double* c;
  std::size_t count;
};

/// Elements of one cache line.
inline constexpr std::size_t kStreamLine = 8;

/// copy c=a, mul b=scalar*c, add c=a+b, triad a=b+scalar*c, all returning 0; read returns the sum of a.
using StreamKernel = double (*)(const StreamSlice& slice, double scalar);

/// `streaming` stores bypass the caches, so that no line is read before it is overwritten.
enum class Stores { normal, streaming };

/// The kernels of one instruction set, streaming ones complete (fenced) on return; null for what only a GPU does.
StreamKernel avx512_stream_kernel(BandwidthKernel kernel, Stores stores);
StreamKernel avx2_stream_kernel(BandwidthKernel kernel, Stores stores);
StreamKernel sse2_stream_kernel(BandwidthKernel kernel, Stores stores);

/// A kernel with the name of its instruction set and stores, e.g. "avx512 streaming stores".
struct NamedStreamKernel {
  StreamKernel run;
  const char* name;
};

/// The widest version this CPU and operating system support.
NamedStreamKernel select_stream_kernel(BandwidthKernel kernel, Stores stores);

}  // namespace gpuassay
