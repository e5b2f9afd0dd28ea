// What does the machine do with a watt? One line of the report. Pure.
#pragma once

#include "agent/text_page.h"
#include "core/model.h"

namespace gpuassay {

/// "gemm fp16 0.957 TFLOP/s, triad 6.5 GB/s per watt (at 690 W under sustained load)": the headlines over the power of
/// their own cases, sustained where they were, and what the energies of the document stand on. Nothing where no power
/// is known.
void add_energy_line(TextPage& page, const Result& result);

/// "0.412 J each": what one sample of a predicted workload takes; empty where it is unknown.
std::string energy_words(const Result& result, const WorkloadScore& workload);

}  // namespace gpuassay
