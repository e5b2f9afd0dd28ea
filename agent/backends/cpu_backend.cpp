#include "agent/backends/cpu_backend.h"

#include <fmt/format.h>

#include <initializer_list>
#include <utility>

#include "agent/backends/cpu_bandwidth.h"
#include "agent/backends/cpu_compute.h"
#include "agent/backends/cpu_context.h"
#include "agent/backends/onednn_operation.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {
namespace {

/// No tensor may have more elements: 8 TiB of fp32 is beyond any machine, and products stay far from overflow.
constexpr double kMaxElements = 0x1p41;

void require_tensor(std::initializer_list<std::int64_t> dims) {
  double elements = 1;
  for (const std::int64_t dim : dims) {
    if (dim < 1) throw Error(ErrorCode::unsupported, fmt::format("a dimension of {} is not positive", dim));
    elements *= static_cast<double>(dim);
  }
  if (elements > kMaxElements) {
    throw Error(ErrorCode::unsupported, fmt::format("an operand of {:.3g} elements fits no machine", elements));
  }
}

void require_dtype(DType dtype, const CpuFacts& facts, bool int8_possible) {
  if (dtype == DType::fp32 || (dtype == DType::int8 && int8_possible)) return;
  if (dtype == DType::bf16 && facts.has_bf16) return;
  throw Error(ErrorCode::unsupported, dtype == DType::bf16
                                          ? std::string("this CPU has no bf16 instructions")
                                          : fmt::format("{} is not measured on a CPU", to_name(dtype)));
}

[[noreturn]] void throw_not_of_cpu() {
  throw Error(ErrorCode::unsupported, "disks and networks are measured of the machine as a whole");
}

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(const CpuFacts& facts) : context_(std::make_shared<CpuContext>(facts)) {}

  std::unique_ptr<Operation> prepare(const OperationParams& params) override {
    return std::visit([this](const auto& shape) { return this->prepare_shape(shape); }, params);
  }

 private:
  std::unique_ptr<Operation> prepare_shape(const GemmParams& g) {
    require_dtype(g.dtype, context_->facts(), true);
    require_tensor({g.batch, g.m, g.k});
    require_tensor({g.batch, g.k, g.n});
    require_tensor({g.batch, g.m, g.n});
    return prepare_onednn_gemm(context_, g);
  }

  std::unique_ptr<Operation> prepare_shape(const ConvParams& v) {
    require_dtype(v.dtype, context_->facts(), false);
    require_tensor({v.n, v.c, v.h, v.w});
    require_tensor({v.k, v.c, v.r, v.s, v.stride});
    if (v.pad < 0 || v.pad >= v.r || v.pad >= v.s) {
      throw Error(ErrorCode::unsupported, fmt::format("padding of {} is not within the filter", v.pad));
    }
    if (v.h + 2 * v.pad < v.r || v.w + 2 * v.pad < v.s) {
      throw Error(ErrorCode::unsupported, "the filter is larger than the padded input");
    }
    require_tensor({v.n, v.k, v.p(), v.q()});
    return prepare_onednn_conv(context_, v);
  }

  std::unique_ptr<Operation> prepare_shape(const ComputeParams& params) {
    return prepare_cpu_compute(std::shared_ptr<PinnedThreads>(context_, &context_->threads()), params);
  }

  static std::unique_ptr<Operation> prepare_shape(const LatencyParams&) {
    throw Error(ErrorCode::unsupported, "a CPU launches no kernels");
  }

  static std::unique_ptr<Operation> prepare_shape(const DiskParams&) { throw_not_of_cpu(); }
  static std::unique_ptr<Operation> prepare_shape(const NetworkParams&) { throw_not_of_cpu(); }
  static std::unique_ptr<Operation> prepare_shape(const CollectiveParams&) { throw_not_of_cpu(); }

  std::unique_ptr<Operation> prepare_shape(const BandwidthParams& params) {
    return prepare_cpu_bandwidth(std::shared_ptr<PinnedThreads>(context_, &context_->threads()), params);
  }

  std::shared_ptr<CpuContext> context_;
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(const CpuFacts& facts) { return std::make_unique<CpuBackend>(facts); }

}  // namespace gpuassay
