// Measures one NVIDIA GPU: GEMM through cuBLASLt or cuBLAS, convolution through cuDNN, everything else by our own
// kernels and the driver.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "agent/backends/backend.h"
#include "agent/dynlib/cudnn.h"
#include "agent/dynlib/library_candidates.h"

namespace gpuassay {

/// Which device, and which files to use for it; found out by looking, before the worker starts.
struct CudaSelection {
  int ordinal = 0;         ///< of the CUDA driver, under the CUDA_VISIBLE_DEVICES of this process
  std::string pci_bus_id;  ///< "0000:01:00.0"; how NVML knows the same device
  LibraryCandidate driver;
  std::optional<LibraryCandidate> nvml, cublas, cublaslt, cudnn, nccl;
  /// Why there is none of a library although a copy fits the device: that copy does not work.
  std::optional<std::string> broken_cublas, broken_cudnn;
  std::map<int, int> peers;            ///< ordinals of the other devices of the run, by index
  std::filesystem::path folder;        ///< where a file to be loaded is made; empty: nowhere
  cudnn::Companions cudnn_companions;  ///< what this cuDNN is to find already open
};

/// Takes out of this process's environment what would change what the libraries compute: a product in fp32 is to be
/// one. Before anything else in it uses CUDA.
void neutralize_cuda_environment();

/// Opens the driver and the device; libraries are opened at the first operation that needs them, so that a broken one
/// costs its own cases only. Call it in the worker process, before anything else in it uses CUDA.
/// Throws Error{library_missing}, Error{library_failed} or Error{nothing_measurable}.
///
/// Operations: GEMM and convolution in the dtypes the device and its libraries have, every bandwidth kernel at level
/// dram, `read` at level l2, transfers, compute, latency and loading from disk. Anything else is Error{unsupported}.
std::unique_ptr<Backend> make_cuda_backend(const CudaSelection& selection);

}  // namespace gpuassay
