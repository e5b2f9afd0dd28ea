// Measures the CPU: GEMM and convolution through oneDNN, memory bandwidth by our own STREAM kernels.
#pragma once

#include <memory>

#include "agent/backends/backend.h"
#include "core/model.h"

namespace gpuassay {

/// A backend that uses `facts.threads` threads bound to the first that many of `facts.allowed_cpus`; the calling
/// thread becomes one of them. Opens oneDNN (GPUASSAY_LIBRARY_PATH first) and sets the OMP_* environment variables
/// of this process for it; call it in the worker process before anything else loads an OpenMP runtime.
/// Throws Error{library_missing} with the remedy when there is no usable oneDNN.
///
/// Operations: GEMM in fp32, bf16 (needs facts.has_bf16; fp32 output) and int8 (u8 0..127 times s8 -64..64, s32
/// output); convolution in fp32 and bf16 (bf16 output); every bandwidth kernel and level; arithmetic
/// alone in fp32. Anything else, or a shape that is not positive or overflows, is Error{unsupported}.
std::unique_ptr<Backend> make_cpu_backend(const CpuFacts& facts);

}  // namespace gpuassay
