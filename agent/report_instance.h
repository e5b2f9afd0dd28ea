// What do all GPUs do together? A few lines of the report. Pure.
#pragma once

#include "agent/text_page.h"
#include "core/model.h"

namespace gpuassay {

/// "resnet50_train fp16: 5120 images/s (4400 to 5900) 91 % of each alone, 3 % waiting for gradients": training in mixed
/// precision, or why it is unknown. Nothing with one device.
void add_instance_lines(TextPage& page, const Result& result);

}  // namespace gpuassay
