// The operations of the CUDA backend: one file each, named after what they measure.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "agent/backends/backend.h"
#include "agent/backends/cuda_context.h"
#include "agent/backends/cuda_graph.h"
#include "agent/dynlib/cublas.h"
#include "agent/dynlib/cublaslt.h"
#include "agent/dynlib/cudnn.h"

namespace gpuassay {

/// An operation timed by CUDA events on the context's stream. One that is so short that the device would wait for the
/// host is recorded as a graph of many runs after a few plain ones, where driver and library allow it.
class CudaOperation : public Operation {
 public:
  explicit CudaOperation(std::shared_ptr<CudaContext> context) : context_(std::move(context)) {}

  std::int64_t run_timed_ns(std::int64_t iterations) override;

  /// What implementation() says; with "queued singly" where recording failed, so that the figure may be the host's.
  [[nodiscard]] std::string algorithm() const final;

  /// Events have steps of half a microsecond: a sample of a millisecond is exact to 0.05 %.
  [[nodiscard]] double min_sample_ns() const override { return 1'000'000; }

 protected:
  /// Library and name of the algorithm it chose (its version stands in `libraries[]`); empty for kernels of our own
  /// that have but one.
  [[nodiscard]] virtual std::string implementation() const { return {}; }
  /// Queues one operation.
  virtual void enqueue() = 0;
  /// After so many runs the operation uses the same operands again.
  [[nodiscard]] virtual std::int64_t turns() const { return 1; }
  /// False where the launches themselves are what is measured.
  [[nodiscard]] virtual bool recordable() const { return true; }
  [[nodiscard]] CudaContext& context() const { return *context_; }

 private:
  void record(double each_ns);
  void run_after_refusal();
  [[nodiscard]] std::int64_t run_graphs_ns(std::int64_t iterations) const;

  std::shared_ptr<CudaContext> context_;
  std::optional<CudaGraph> graph_;
  std::int64_t nodes_ = 0;  ///< operations in the graph
  bool record_tried_ = false;
};

/// Workspace given to the libraries: 32 MiB is what NVIDIA advises for Hopper, and fixed so that runs compare.
inline constexpr std::size_t kLibraryWorkspaceBytes = std::size_t{32} << 20;

/// Each takes its library with a handle that lives as long. They throw Error{unsupported, out_of_memory,
/// library_failed}.
struct CublasLtSession;
struct CublasSession;
struct CudnnSession;
std::unique_ptr<Operation> prepare_cublaslt_gemm(std::shared_ptr<CudaContext> context,
                                                 std::shared_ptr<CublasLtSession> library, const GemmParams& params);
std::unique_ptr<Operation> prepare_cublas_gemm(std::shared_ptr<CudaContext> context,
                                               std::shared_ptr<CublasSession> library, const GemmParams& params);
std::unique_ptr<Operation> prepare_cudnn_conv(std::shared_ptr<CudaContext> context,
                                              std::shared_ptr<CudnnSession> library, const ConvParams& params);
std::unique_ptr<Operation> prepare_cuda_stream(std::shared_ptr<CudaContext> context, const BandwidthParams& params);
std::unique_ptr<Operation> prepare_cuda_readback(std::shared_ptr<CudaContext> context, const BandwidthParams& params);
std::unique_ptr<Operation> prepare_cuda_transfer(std::shared_ptr<CudaContext> context, const BandwidthParams& params);
/// `peer` is the context of the other device.
std::unique_ptr<Operation> prepare_cuda_peer(std::shared_ptr<CudaContext> context, std::shared_ptr<CudaContext> peer,
                                             const BandwidthParams& params);
std::unique_ptr<Operation> prepare_cuda_latency(std::shared_ptr<CudaContext> context, const LatencyParams& params);
std::unique_ptr<Operation> prepare_cuda_compute(std::shared_ptr<CudaContext> context, const ComputeParams& params);
/// A file that it makes in `folder` is loaded; `params.bytes` is the most.
std::unique_ptr<Operation> prepare_cuda_disk_load(std::shared_ptr<CudaContext> context,
                                                  const std::filesystem::path& folder, const DiskParams& params);

}  // namespace gpuassay
