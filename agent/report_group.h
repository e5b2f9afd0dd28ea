// What does the report say of GPUs that work together? Pure.
#pragma once

#include "agent/text_page.h"
#include "core/model.h"

namespace gpuassay {

/// Of a run of several processes: how many there are, and how far their GPUs differ alone.
void add_rank_line(TextPage& page, const Result& result);

/// Collectives of all GPUs: the bus bandwidth of the best size with its algorithm bandwidth, and the latency of 16 KiB.
void add_collective_lines(TextPage& page, const Result& result);

}  // namespace gpuassay
