// What should a STREAM kernel have written? Inputs and outputs as functions of the position, so that nothing has to
// be kept for comparison and every result is exact: one multiplication and one addition, rounded as IEEE says.
#pragma once

#include <cstdint>

#include "core/model.h"

namespace gpuassay {

/// BabelStream's scalar, plus a step that differs from one iteration to the next: the final array tells whether
/// the last iteration was done. Eight different ones.
double stream_scalar(std::uint64_t iteration);

/// The arrays of a kernel: which are read, which is written.
enum class StreamArray : std::uint64_t { a = 1, b = 2, c = 3 };

/// Input element: in [1, 2) with all 52 mantissa bits random; for read an integer below 2^16, so that sums are
/// exact in any order (2^37 elements would be needed to pass 2^53). Elements marked before a run have that run's
/// number as `epoch`, others 0.
double stream_input(BandwidthKernel kernel, StreamArray array, std::uint64_t position, std::uint64_t epoch);

/// What copy, mul, add or triad writes at `position` with `scalar`.
double stream_output(BandwidthKernel kernel, std::uint64_t position, std::uint64_t epoch, double scalar);

}  // namespace gpuassay
