#include "core/fits.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/gpu_peaks.h"
#include "core/predict.h"
#include "core/workload_reader.h"

namespace gpuassay {
namespace {

constexpr double kHalfBytes = 2, kFp8Bytes = 1;

std::optional<int> devices_for(double bytes, const Device& device) {
  const double usable = static_cast<double>(device.memory_bytes.value_or(0)) - kOutsideTensorsBytes;
  if (usable <= 0) return std::nullopt;
  return static_cast<int>(std::ceil(bytes / usable));
}

/// Of mixed precision, whose weights have two bytes, with a context `longer` times as long.
double bytes_of(const TracedWorkload& workload, double bytes_per_weight, double longer) {
  const TracedMemory& memory = workload.mixed.memory;
  return static_cast<double>(memory.weights_bytes) * bytes_per_weight / kHalfBytes +
         static_cast<double>(memory.inputs_bytes) * longer + static_cast<double>(memory.activations_bytes);
}

const Device* smallest(const std::vector<Device>& devices) {
  const Device* found = nullptr;
  for (const Device& device : devices) {
    if (device.memory_bytes && (found == nullptr || *device.memory_bytes < *found->memory_bytes)) found = &device;
  }
  return found;
}

}  // namespace

std::optional<int> devices_needed(const TracedWorkload& workload, double bytes_per_weight, const Device& device) {
  return devices_for(bytes_of(workload, bytes_per_weight, 1), device);
}

std::vector<Fit> fits_of(const std::vector<Device>& devices) {
  const Device* const device = smallest(devices);
  if (device == nullptr) return {};
  constexpr int kFirstWithFp8 = 89;
  const int capability = capability_number(device->compute_capability.value_or("")).value_or(0);
  std::vector<std::pair<DType, double>> precisions{{preferred_types(*device).half, kHalfBytes}};
  // A card whose 16 bits are slow holds them all the same.
  if (precisions.front().first == DType::fp32) precisions.front().first = DType::fp16;
  if (capability >= kFirstWithFp8) precisions.emplace_back(DType::fp8_e4m3, kFp8Bytes);
  std::vector<Fit> fits;
  for (const auto& [workload, model] : {std::pair{"llm_decode_b1", "llama-3.2-1b"},
                                        {"large_8b_decode_b1", "llama-3.1-8b"},
                                        {"large_70b_decode_b1", "llama-3.1-70b"}}) {
    const TracedWorkload& traced = *find_workload(workload);
    for (const auto& [dtype, bytes_per_weight] : precisions) {
      for (const std::int64_t context : {4096, 32768}) {
        const double longer = static_cast<double>(context) / static_cast<double>(traced.shape.at("context_length"));
        const auto needed = devices_for(bytes_of(traced, bytes_per_weight, longer), *device);
        if (needed) fits.push_back({model, std::string(to_name(dtype)), context, *needed == 1, needed});
      }
    }
  }
  return fits;
}

}  // namespace gpuassay
