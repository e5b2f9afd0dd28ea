// Which build of our kernels does this device take? Loads the embedded images in the order of cuda_images.h until the
// driver accepts one, and remembers which.
#pragma once

#include <map>
#include <string>

#include "agent/dynlib/cuda_driver.h"

namespace gpuassay {

/// The kernels of one device. Needs a current context; unloads in the destructor.
class CudaModules {
 public:
  /// `compute_capability` is 10 x major + minor, `driver_version` as cuDriverGetVersion tells it.
  CudaModules(const cuda::Api& api, int compute_capability, int driver_version);
  CudaModules(const CudaModules&) = delete;
  CudaModules& operator=(const CudaModules&) = delete;
  ~CudaModules();

  /// Kernel `name` of module `module`, which is loaded at the first call. Throws Error{unsupported} when no image of
  /// the module fits this device and driver, naming what was tried.
  cuda::Function function(const std::string& module, const std::string& name);

  /// The image in use: "sm_80 cubin (CUDA 11.8)" or "PTX 3.2 (sm_35)"; empty before the module's first use.
  [[nodiscard]] std::string chosen_image(const std::string& module) const;

 private:
  struct Loaded {
    cuda::Module handle = nullptr;
    std::string image;
    std::string problem;  ///< why there is none
    std::map<std::string, cuda::Function> functions;
  };
  Loaded& loaded(const std::string& module);
  Loaded load(const std::string& module) const;

  const cuda::Api& api_;
  int compute_capability_, driver_version_;
  std::map<std::string, Loaded> modules_;
};

}  // namespace gpuassay
