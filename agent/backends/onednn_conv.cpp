// Convolution through oneDNN, forward and both gradients, in the layouts the library chooses.
#include <fmt/format.h>

#include <utility>

#include "agent/backends/onednn_operation.h"
#include "agent/workloads/conv_reference.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {
namespace {

using onednn::MemoryDesc;
using onednn::OwnedPrimitiveDesc;
using onednn::Session;
using onednn::Tensor;

/// The tensors' layouts in the order source, weights, destination.
struct ConvLayouts {
  MemoryDesc source, weights, destination;
};

struct ConvDims {
  std::vector<std::int64_t> source, weights, destination, strides, padding;
};

ConvDims dims_of(const ConvParams& v) {
  return {{v.n, v.c, v.h, v.w}, {v.k, v.c, v.r, v.s}, {v.n, v.k, v.p(), v.q()}, {v.stride, v.stride}, {v.pad, v.pad}};
}

/// The padding after the last element: what makes the output p by q when the stride leaves a rest.
std::vector<std::int64_t> padding_after(const ConvParams& v) {
  return {(v.p() - 1) * v.stride + v.r - v.h - v.pad, (v.q() - 1) * v.stride + v.s - v.w - v.pad};
}

onednn::ConvolutionDesc describe(const onednn::Api& api, const ConvParams& v, ConvDirection direction,
                                 const ConvLayouts& any) {
  const ConvDims dims = dims_of(v);
  const std::vector<std::int64_t> after = padding_after(v);
  onednn::ConvolutionDesc desc{};
  switch (direction) {
    case ConvDirection::forward:
      onednn::check(api.dnnl_convolution_forward_desc_init(&desc, onednn::kForwardTraining, onednn::kConvolutionDirect,
                                                           &any.source, &any.weights, nullptr, &any.destination,
                                                           dims.strides.data(), dims.padding.data(), after.data()),
                    "dnnl_convolution_forward_desc_init");
      break;
    case ConvDirection::backward_data:
      onednn::check(api.dnnl_convolution_backward_data_desc_init(&desc, onednn::kConvolutionDirect, &any.source,
                                                                 &any.weights, &any.destination, dims.strides.data(),
                                                                 dims.padding.data(), after.data()),
                    "dnnl_convolution_backward_data_desc_init");
      break;
    case ConvDirection::backward_weights:
      onednn::check(api.dnnl_convolution_backward_weights_desc_init(
                        &desc, onednn::kConvolutionDirect, &any.source, &any.weights, nullptr, &any.destination,
                        dims.strides.data(), dims.padding.data(), after.data()),
                    "dnnl_convolution_backward_weights_desc_init");
      break;
  }
  return desc;
}

/// Names of the three tensors in one direction: as queries and as execution arguments.
struct ConvRoles {
  onednn::Query source, weights, destination;
  onednn::Argument source_arg, weights_arg, destination_arg;
};

ConvRoles roles_of(ConvDirection direction) {
  switch (direction) {
    case ConvDirection::backward_data:
      return {onednn::kQueryDiffSource, onednn::kQueryWeights, onednn::kQueryDiffDestination,
              onednn::kArgDiffSource,   onednn::kArgWeights,   onednn::kArgDiffDestination};
    case ConvDirection::backward_weights:
      return {onednn::kQuerySource, onednn::kQueryDiffWeights, onednn::kQueryDiffDestination,
              onednn::kArgSource,   onednn::kArgDiffWeights,   onednn::kArgDiffDestination};
    case ConvDirection::forward: break;
  }
  return {onednn::kQuerySource, onednn::kQueryWeights, onednn::kQueryDestination,
          onednn::kArgSource,   onednn::kArgWeights,   onednn::kArgDestination};
}

/// T is float or Bfloat16.
template <class T>
class OneDnnConv final : public Operation {
 public:
  OneDnnConv(std::shared_ptr<CpuContext> context, const ConvParams& params, onednn::DataType type)
      : context_(std::move(context)), params_(params), type_(type) {
    const ConvDims dims = dims_of(params_);
    const ConvLayouts any{session().any(dims.source, type_), session().any(dims.weights, type_),
                          session().any(dims.destination, type_)};
    const OwnedPrimitiveDesc desc = implementation_for(any);
    const ConvRoles roles = roles_of(params_.direction);
    source_ = make_pair(dims.source, session().chosen_layout(*desc, roles.source), ConvDirection::backward_data);
    weights_ = make_pair(dims.weights, session().chosen_layout(*desc, roles.weights), ConvDirection::backward_weights);
    destination_ =
        make_pair(dims.destination, session().chosen_layout(*desc, roles.destination), ConvDirection::forward);
    primitive_ = session().primitive(*desc);
    const std::vector<onednn::ExecArg> arguments{{roles.source_arg, used(source_).memory.get()},
                                                 {roles.weights_arg, used(weights_).memory.get()},
                                                 {roles.destination_arg, used(destination_).memory.get()}};
    chosen_ = {[this, arguments] { session().execute(*primitive_, arguments); },
               "convolution:" + session().implementation(*desc)};
    poison(used(output()).buffer, context_->parallel_for());
  }

  std::int64_t run_timed_ns(std::int64_t iterations) override {
    return time_executions_ns(chosen_, session(), iterations);
  }

  Verification verify() override {
    TensorPair& out = output();
    if (out.blocked) session().reorder(*out.blocked, *out.plain);
    const ConvTensors<T> tensors{source_.plain->buffer.template as<T>(), weights_.plain->buffer.template as<T>(),
                                 destination_.plain->buffer.template as<T>()};
    const Verification verification =
        verify_conv(params_, tensors, type_ == onednn::kBf16 ? kBfloat16Output : kFp32Output);
    poison(used(out).buffer, context_->parallel_for());
    return verification;
  }

  [[nodiscard]] std::string algorithm() const override { return chosen_.implementation; }

 private:
  /// A tensor in plain layout, and in the library's where that differs.
  struct TensorPair {
    std::unique_ptr<Tensor> plain, blocked;
  };

  [[nodiscard]] const Session& session() const { return context_->session(); }
  static Tensor& used(TensorPair& pair) { return pair.blocked ? *pair.blocked : *pair.plain; }
  TensorPair& output() {
    return params_.direction == ConvDirection::forward         ? destination_
           : params_.direction == ConvDirection::backward_data ? source_
                                                               : weights_;
  }

  OwnedPrimitiveDesc implementation_for(const ConvLayouts& any) {
    const onednn::Api& api = session().api();
    const auto forward = describe(api, params_, ConvDirection::forward, any);
    OwnedPrimitiveDesc forward_desc = session().primitive_desc(&forward);
    if (forward_desc && params_.direction == ConvDirection::forward) return forward_desc;
    if (forward_desc) {
      const auto backward = describe(api, params_, params_.direction, any);
      OwnedPrimitiveDesc backward_desc = session().primitive_desc(&backward, forward_desc.get());
      if (backward_desc) return backward_desc;
    }
    throw Error(ErrorCode::unsupported, fmt::format("oneDNN has no {} {} convolution on this CPU; nothing to do",
                                                    to_name(params_.dtype), to_name(params_.direction)));
  }

  /// Fills and reorders it unless it is the output of `written_by`, this operation's direction.
  TensorPair make_pair(const std::vector<std::int64_t>& dims, const MemoryDesc& layout, ConvDirection written_by) {
    TensorPair pair;
    pair.plain = std::make_unique<Tensor>(session().tensor(session().plain(dims, type_)));
    if (!session().same_layout(layout, pair.plain->desc)) {
      pair.blocked = std::make_unique<Tensor>(session().tensor(layout));
    }
    if (params_.direction == written_by) return pair;
    fill(pair.plain->buffer.template as<T>());
    if (pair.blocked) session().reorder(*pair.plain, *pair.blocked);
    return pair;
  }

  void fill(std::span<T> elements) {
    const std::uint64_t stream = context_->next_stream();
    if constexpr (std::is_same_v<T, float>) {
      context_->inputs().fill_f32(elements, stream);
    } else {
      context_->inputs().fill_bf16(elements, stream);
    }
  }

  std::shared_ptr<CpuContext> context_;
  ConvParams params_;
  onednn::DataType type_;
  TensorPair source_, weights_, destination_;
  onednn::OwnedPrimitive primitive_{nullptr, nullptr};
  Candidate chosen_;
};

}  // namespace

std::unique_ptr<Operation> prepare_onednn_conv(std::shared_ptr<CpuContext> context, const ConvParams& params) {
  if (params.dtype == DType::bf16) {
    return std::make_unique<OneDnnConv<Bfloat16>>(std::move(context), params, onednn::kBf16);
  }
  return std::make_unique<OneDnnConv<float>>(std::move(context), params, onednn::kF32);
}

}  // namespace gpuassay
