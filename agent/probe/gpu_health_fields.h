// How does GpuHealth travel between processes?
#pragma once

#include "agent/probe/gpu_health.h"
#include "core/json_fields.h"

namespace gpuassay {

template <>
struct Fields<GpuHealth> {
  static void visit(auto& ar, auto& v) {
    ar("lost", v.lost), ar("volatile_errors", v.volatile_errors), ar("aggregate_errors", v.aggregate_errors);
    ar("corrected_errors", v.corrected_errors);
  }
};

}  // namespace gpuassay
