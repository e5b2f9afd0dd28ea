// What does the report say of what lies between the GPUs? Pure.
#pragma once

#include "agent/text_page.h"
#include "core/model.h"

namespace gpuassay {

/// A line that names the paths between the GPUs and their NUMA nodes, and one for each kind of copy between them: the
/// slowest and the fastest pair, with the path of the slowest. None with a single GPU.
void add_peer_lines(TextPage& page, const Result& result);

}  // namespace gpuassay
