#include "agent/backends/cuda_modules.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "agent/backends/cuda_images.h"
#include "core/error.h"

namespace gpuassay {

CudaModules::CudaModules(const cuda::Api& api, int compute_capability, int driver_version)
    : api_(api), compute_capability_(compute_capability), driver_version_(driver_version) {}

CudaModules::~CudaModules() {
  for (const auto& [name, module] : modules_) {
    if (module.handle != nullptr) (void)api_.cuModuleUnload(module.handle);
  }
}

CudaModules::Loaded CudaModules::load(const std::string& module) const {
  Loaded loaded;
  std::string refusals;
  for (const CudaImage* image : images_to_try(module, compute_capability_, driver_version_, embedded_images())) {
    const std::vector<std::byte> bytes = unpacked(*image);
    const int result = api_.cuModuleLoadData(&loaded.handle, bytes.data());
    if (result == cuda::kSuccess) {
      loaded.image = describe(*image);
      return loaded;
    }
    loaded.handle = nullptr;
    if (!is_image_refusal(result)) cuda::check(api_, result, "cuModuleLoadData");
    refusals += fmt::format("{}{} refused with {}", refusals.empty() ? "" : ", ", describe(*image), result);
  }
  loaded.problem = fmt::format(
      "no build of the kernels {} runs on compute capability {}.{} with this driver ({}); "
      "install a newer driver",
      module, compute_capability_ / 10, compute_capability_ % 10, refusals.empty() ? "none fits" : refusals);
  return loaded;
}

CudaModules::Loaded& CudaModules::loaded(const std::string& module) {
  const auto found = modules_.find(module);
  if (found != modules_.end()) return found->second;
  return modules_.emplace(module, load(module)).first->second;
}

cuda::Function CudaModules::function(const std::string& module, const std::string& name) {
  Loaded& of = loaded(module);
  if (of.handle == nullptr) throw Error(ErrorCode::unsupported, of.problem);
  const auto found = of.functions.find(name);
  if (found != of.functions.end()) return found->second;
  cuda::Function function = nullptr;
  cuda::check(api_, api_.cuModuleGetFunction(&function, of.handle, name.c_str()), "cuModuleGetFunction");
  of.functions.emplace(name, function);
  return function;
}

std::string CudaModules::chosen_image(const std::string& module) const {
  const auto found = modules_.find(module);
  return found == modules_.end() ? std::string() : found->second.image;
}

}  // namespace gpuassay
