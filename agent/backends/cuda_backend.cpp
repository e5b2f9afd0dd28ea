#include "agent/backends/cuda_backend.h"

#include <fmt/format.h>

#include <cstdlib>
#include <initializer_list>
#include <map>
#include <string_view>
#include <utility>

#include "agent/backends/clock_stamps.h"
#include "agent/backends/cublas_session.h"
#include "agent/backends/cublaslt_session.h"
#include "agent/backends/cuda_operation.h"
#include "agent/backends/cudnn_session.h"
#include "agent/backends/gpu_monitor.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {
namespace {

void require_positive(std::initializer_list<std::int64_t> sizes) {
  for (const std::int64_t size : sizes) {
    if (size < 1 || size > INT32_MAX) {
      throw Error(ErrorCode::unsupported, fmt::format("a dimension of {} is not between 1 and 2^31 - 1", size));
    }
  }
}

/// A library that is broken fails its cases; one that is not there, or not for this GPU, leaves them out.
[[noreturn]] void throw_without(std::string_view library, const std::optional<std::string>& broken) {
  if (broken) throw Error(ErrorCode::library_failed, *broken);
  throw Error(ErrorCode::unsupported,
              fmt::format("there is no {} for this GPU; gpuassay doctor names the package", library));
}

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(const CudaSelection& selection)
      : selection_(selection), context_(std::make_shared<CudaContext>(selection.driver, selection.ordinal)) {}

  std::unique_ptr<Operation> prepare(const OperationParams& params) override {
    context_->make_current();  // another device's backend may have been used in between
    auto operation = std::visit([this](const auto& shape) { return this->prepare_shape(shape); }, params);
    context_->synchronize();  // what filling the operands did wrong is told here, not by the first sample
    return operation;
  }

  std::optional<Error> fatal_error() override { return context_->fatal_error(); }

  std::unique_ptr<LoadMonitor> watch() override {
    if (!selection_.nvml) return nullptr;
    try {
      if (!nvml_) nvml_ = std::make_unique<NvmlDevice>(*selection_.nvml, selection_.pci_bus_id);
    } catch (const Error&) {
      selection_.nvml.reset();  // it told its facts before; what it does not tell now stays unknown
      return nullptr;
    }
    return std::make_unique<GpuMonitor>(*nvml_);
  }

  std::unique_ptr<ClockWatch> stamp_clock() override {
    try {
      return watch_clock(context_);
    } catch (const Error&) {  // a driver that refuses the kernel, or no memory left: the figure stands without
      return nullptr;
    }
  }

 private:
  std::unique_ptr<Operation> prepare_shape(const GemmParams& g) {
    require_positive({g.m, g.n, g.k, g.batch});
    if (!selection_.cublaslt && !selection_.cublas) throw_without("cuBLAS", selection_.broken_cublas);
    if (!selection_.cublaslt) return prepare_with_cublas(g);
    try {
      return prepare_cublaslt_gemm(
          context_, session(cublaslt_, [&] { return std::make_shared<CublasLtSession>(*selection_.cublaslt); }), g);
    } catch (const Error& error) {
      // cuBLAS has products that cuBLASLt lacks; what it refuses too has cuBLASLt's reason.
      if (error.code() != ErrorCode::unsupported) throw;
      if (!selection_.cublas && selection_.broken_cublas) throw_without("cuBLAS", selection_.broken_cublas);
      if (!selection_.cublas) throw;
      if (auto operation = try_with_cublas(g)) return operation;
      throw;
    }
  }

  std::unique_ptr<Operation> prepare_with_cublas(const GemmParams& g) {
    return prepare_cublas_gemm(
        context_, session(cublas_, [&] { return std::make_shared<CublasSession>(*context_, *selection_.cublas); }), g);
  }

  std::unique_ptr<Operation> try_with_cublas(const GemmParams& g) {
    try {
      return prepare_with_cublas(g);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unsupported) throw;
      return nullptr;
    }
  }

  std::unique_ptr<Operation> prepare_shape(const ConvParams& v) {
    require_positive({v.n, v.c, v.h, v.w, v.k, v.r, v.s, v.stride});
    if (v.pad < 0 || v.pad >= v.r || v.pad >= v.s || v.h + 2 * v.pad < v.r || v.w + 2 * v.pad < v.s) {
      throw Error(ErrorCode::unsupported, fmt::format("a padding of {} does not go with this filter and input", v.pad));
    }
    if (!selection_.cudnn) throw_without("cuDNN", selection_.broken_cudnn);
    return prepare_cudnn_conv(
        context_,
        session(
            cudnn_,
            [&] { return std::make_shared<CudnnSession>(*context_, *selection_.cudnn, selection_.cudnn_companions); }),
        v);
  }

  std::unique_ptr<Operation> prepare_shape(const BandwidthParams& params) {
    if (is_transfer(params.kernel)) {
      if (params.level != MemoryLevel::pinned && params.level != MemoryLevel::pageable) {
        throw Error(ErrorCode::unsupported, fmt::format("{} is no kind of host memory", to_name(params.level)));
      }
      return prepare_cuda_transfer(context_, params);
    }
    if (is_peer_copy(params.kernel)) return prepare_cuda_peer(context_, peer_context(params), params);
    const bool l2_read = params.level == MemoryLevel::l2 && params.kernel == BandwidthKernel::read;
    if (params.level != MemoryLevel::dram && !l2_read) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("{} in {} is not measured on a GPU", to_name(params.kernel), to_name(params.level)));
    }
    return prepare_cuda_stream(context_, params);
  }

  std::unique_ptr<Operation> prepare_shape(const ComputeParams& params) {
    return prepare_cuda_compute(context_, params);
  }
  std::unique_ptr<Operation> prepare_shape(const LatencyParams& params) {
    return prepare_cuda_latency(context_, params);
  }
  static std::unique_ptr<Operation> prepare_shape(const CollectiveParams& /*params*/) {
    throw Error(ErrorCode::unsupported, "a collective takes more than one GPU");
  }
  std::unique_ptr<Operation> prepare_shape(const DiskParams& params) {
    return prepare_cuda_disk_load(context_, selection_.folder, params);
  }
  static std::unique_ptr<Operation> prepare_shape(const NetworkParams&) {
    throw Error(ErrorCode::unsupported, "a network is measured of the machine as a whole");
  }

  /// Of the other device, opened at the first copy to or from it.
  std::shared_ptr<CudaContext> peer_context(const BandwidthParams& params) {
    const auto peer = selection_.peers.find(params.peer.value_or(-1));
    if (peer == selection_.peers.end())
      throw Error(ErrorCode::unsupported, "the other device takes no part in this run");
    std::shared_ptr<CudaContext>& context = peer_contexts_[peer->first];
    if (!context) context = std::make_shared<CudaContext>(selection_.driver, peer->second);
    context_->make_current();
    return context;
  }

  /// Opened once. A library that does not open is tried again by the next case: each tells the reason.
  template <class Session, class Make>
  static std::shared_ptr<Session> session(std::shared_ptr<Session>& slot, const Make& make) {
    if (!slot) slot = make();
    return slot;
  }

  CudaSelection selection_;
  std::shared_ptr<CudaContext> context_;
  std::map<int, std::shared_ptr<CudaContext>> peer_contexts_;  ///< by device index
  std::shared_ptr<CublasLtSession> cublaslt_;
  std::shared_ptr<CublasSession> cublas_;
  std::shared_ptr<CudnnSession> cudnn_;
  std::unique_ptr<NvmlDevice> nvml_;
};

}  // namespace

// Variables of the user's shell that would change what is measured, not how.
void neutralize_cuda_environment() {
  for (const char* name : {"NVIDIA_TF32_OVERRIDE", "CUBLAS_EMULATE_SINGLE_PRECISION", "CUDA_LAUNCH_BLOCKING",
                           "CUBLAS_EMULATE_DOUBLE_PRECISION", "CUBLAS_EMULATION_STRATEGY", "CUDNN_CONV_WSCAP_DBG",
                           "CUDA_FORCE_PTX_JIT", "CUDNN_LOGLEVEL_DBG", "CUBLAS_WORKSPACE_CONFIG"}) {
    ::unsetenv(name);
  }
  // The default since CUDA 12.2; set so that older libraries do not load all their kernels first.
  ::setenv("CUDA_MODULE_LOADING", "LAZY", 0);
}

std::unique_ptr<Backend> make_cuda_backend(const CudaSelection& selection) {
  neutralize_cuda_environment();
  return std::make_unique<CudaBackend>(selection);
}

}  // namespace gpuassay
