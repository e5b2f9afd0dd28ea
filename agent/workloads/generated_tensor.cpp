#include "agent/workloads/generated_tensor.h"

#include <array>
#include <memory>
#include <mutex>

namespace gpuassay {
namespace {

constexpr std::size_t kFormats = 8;

std::vector<double> values_of(kernels::ElementFormat format) {
  std::vector<double> values;
  values.reserve(2 * kernels::kNormalIntegerLimit + 1);
  for (kernels::Int32 s = -kernels::kNormalIntegerLimit; s <= kernels::kNormalIntegerLimit; ++s) {
    values.push_back(kernels::value_of(format, kernels::bits_of_normal(format, s)));
  }
  return values;
}

}  // namespace

const std::vector<double>& element_values(kernels::ElementFormat format) {
  static std::mutex mutex;
  static std::array<std::vector<double>, kFormats> tables;
  const std::lock_guard lock(mutex);
  std::vector<double>& table = tables[static_cast<std::size_t>(format)];
  if (table.empty()) table = values_of(format);
  return table;
}

}  // namespace gpuassay
