// What does the report say of what feeds the devices? Pure.
#pragma once

#include "agent/text_page.h"
#include "core/model.h"

namespace gpuassay {

/// A line each for the CPUs and their memory (where they are no device), the disk with how long a model of 16 GB takes,
/// and the network; none for what was not measured.
void add_host_lines(TextPage& page, const Result& result);

}  // namespace gpuassay
