// GEMM through oneDNN: dnnl_sgemm and matmul in several layouts, whichever is fastest for the shape.
#include <fmt/format.h>

#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "agent/backends/onednn_operation.h"
#include "agent/backends/operand_copies.h"
#include "agent/workloads/gemm_reference.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {
namespace {

using onednn::DataType;
using onednn::MemoryDesc;
using onednn::OwnedPrimitive;
using onednn::Session;
using onednn::Tensor;

struct GemmTypes {
  DataType a, b, c;
};

GemmTypes types_for(DType dtype) {
  if (dtype == DType::bf16) return {onednn::kBf16, onednn::kBf16, onednn::kF32};
  if (dtype == DType::int8) return {onednn::kU8, onednn::kS8, onednn::kS32};
  return {onednn::kF32, onednn::kF32, onednn::kF32};
}

struct GemmShapes {
  std::vector<std::int64_t> a, b, c;
};

GemmShapes shapes_for(const GemmParams& g) {
  if (g.batch == 1) return {{g.m, g.k}, {g.k, g.n}, {g.m, g.n}};
  return {{g.batch, g.m, g.k}, {g.batch, g.k, g.n}, {g.batch, g.m, g.n}};
}

/// One matmul primitive with operands in the layouts it wants. Null operands: the plain ones serve.
struct Matmul {
  OwnedPrimitive primitive;
  std::optional<Tensor> a, b, c;
  std::vector<onednn::ExecArg> arguments;
};

/// A network's layer finds its input where the one before left it, but its weights, which are B, in memory. Where they
/// are most of what a product reads, every run has others.
int copies_of_weights(const GemmParams& g, std::size_t b_bytes, std::int64_t cache_bytes) {
  if (g.batch > 1 || g.k * g.n < g.m * g.k + g.m * g.n) return 1;
  return copies_beyond_cache(static_cast<std::int64_t>(b_bytes), cache_bytes, std::numeric_limits<std::int64_t>::max());
}

class OneDnnGemm final : public Operation {
 public:
  OneDnnGemm(std::shared_ptr<CpuContext> context, const GemmParams& params)
      : context_(std::move(context)),
        params_(params),
        types_(types_for(params.dtype)),
        shapes_(shapes_for(params)),
        a_(session().tensor(session().plain(shapes_.a, types_.a))),
        b_(session().tensor(session().plain(shapes_.b, types_.b))),
        c_(session().tensor(session().plain(shapes_.c, types_.c))) {
    fill_operands();
    add_candidates();
    poison_output();
  }

  std::int64_t run_timed_ns(std::int64_t iterations) override {
    return time_executions_ns(chosen_, session(), iterations);
  }

  Verification verify() override {
    if (matmul_ && matmul_->c) session().reorder(*matmul_->c, c_);
    const Verification verification = compare();
    poison_output();
    return verification;
  }

  [[nodiscard]] std::string algorithm() const override { return chosen_.implementation; }

 private:
  [[nodiscard]] const Session& session() const { return context_->session(); }

  void fill_operands() {
    const RandomInputs& inputs = context_->inputs();
    const std::uint64_t a_stream = context_->next_stream(), b_stream = context_->next_stream();
    if (params_.dtype == DType::fp32) {
      inputs.fill_f32(a_.buffer.as<float>(), a_stream);
      inputs.fill_f32(b_.buffer.as<float>(), b_stream);
    } else if (params_.dtype == DType::bf16) {
      inputs.fill_bf16(a_.buffer.as<Bfloat16>(), a_stream);
      inputs.fill_bf16(b_.buffer.as<Bfloat16>(), b_stream);
    } else {
      inputs.fill_u8(a_.buffer.as<std::uint8_t>(), a_stream);
      inputs.fill_s8(b_.buffer.as<std::int8_t>(), b_stream);
    }
  }

  Verification compare() const {
    if (params_.dtype == DType::fp32) {
      return verify_gemm<float, float, float>(params_, a_.buffer.as<float>(), b_.buffer.as<float>(),
                                              c_.buffer.as<float>(), kFp32Output);
    }
    if (params_.dtype == DType::bf16) {
      return verify_gemm<Bfloat16, Bfloat16, float>(params_, a_.buffer.as<Bfloat16>(), b_.buffer.as<Bfloat16>(),
                                                    c_.buffer.as<float>(), kFp32Output);
    }
    return verify_gemm<std::uint8_t, std::int8_t, std::int32_t>(
        params_, a_.buffer.as<std::uint8_t>(), b_.buffer.as<std::int8_t>(), c_.buffer.as<std::int32_t>(), kInt32Output);
  }

  void add_candidates() {
    std::vector<Matmul> matmuls;
    std::vector<Candidate> candidates;
    const auto add = [&](const MemoryDesc& a, const MemoryDesc& b, const MemoryDesc& c) {
      add_matmul(a, b, c, matmuls, candidates);
    };
    const MemoryDesc any_b = session().any(shapes_.b, types_.b);
    add(session().any(shapes_.a, types_.a), any_b, session().any(shapes_.c, types_.c));
    add(a_.desc, any_b, c_.desc);
    add(a_.desc, b_.desc, c_.desc);
    if (params_.dtype == DType::fp32 && params_.batch == 1) candidates.push_back({[this] { sgemm(b_); }, "sgemm"});
    if (candidates.empty()) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("oneDNN has no {} matrix product on this CPU; nothing to do", to_name(params_.dtype)));
    }
    const std::size_t fastest = fastest_candidate(candidates, session());
    chosen_ = std::move(candidates[fastest]);
    if (fastest < matmuls.size()) matmul_ = std::move(matmuls[fastest]);
    rotate_weights();
  }

  void rotate_weights() {
    const Tensor& first = matmul_ && matmul_->b ? *matmul_->b : b_;
    const int copies = copies_of_weights(params_, first.buffer.size_bytes(), context_->facts().l3_bytes);
    for (int i = 1; i < copies; ++i) {
      weights_.push_back(session().tensor(first.desc));
      session().reorder(first, weights_.back());
    }
    if (weights_.empty()) return;
    chosen_.execute = [this, first = chosen_.execute] {
      const std::size_t turn = turn_++ % (weights_.size() + 1);
      if (turn == weights_.size()) return first();
      if (!matmul_) return sgemm(weights_[turn]);
      std::vector<onednn::ExecArg> arguments = matmul_->arguments;
      for (onednn::ExecArg& argument : arguments) {
        if (argument.arg == onednn::kArgWeights) argument.memory = weights_[turn].memory.get();
      }
      session().execute(*matmul_->primitive, arguments);
    };
  }

  void add_matmul(const MemoryDesc& a, const MemoryDesc& b, const MemoryDesc& c, std::vector<Matmul>& matmuls,
                  std::vector<Candidate>& candidates) {
    onednn::MatmulDesc desc{};
    onednn::check(session().api().dnnl_matmul_desc_init(&desc, &a, &b, nullptr, &c), "dnnl_matmul_desc_init");
    const onednn::OwnedPrimitiveDesc chosen = session().primitive_desc(&desc);
    if (!chosen) return;
    Matmul matmul{session().primitive(*chosen), std::nullopt, std::nullopt, std::nullopt, {}};
    std::string layouts;
    const auto place = [&](onednn::Query query, const Tensor& plain, const char* name, std::optional<Tensor>& own) {
      const MemoryDesc layout = session().chosen_layout(*chosen, query);
      if (session().same_layout(layout, plain.desc)) return plain.memory.get();
      own = session().tensor(layout);
      if (query != onednn::kQueryDestination) session().reorder(plain, *own);
      layouts += layouts.empty() ? std::string("+packed_") + name : name;
      return own->memory.get();
    };
    const std::vector<onednn::ExecArg> arguments{
        {onednn::kArgSource, place(onednn::kQuerySource, a_, "a", matmul.a)},
        {onednn::kArgWeights, place(onednn::kQueryWeights, b_, "b", matmul.b)},
        {onednn::kArgDestination, place(onednn::kQueryDestination, c_, "c", matmul.c)}};
    const std::string name = "matmul:" + session().implementation(*chosen) + layouts;
    for (const Candidate& other : candidates) {
      if (other.implementation == name) return;  // the same implementation in the same layouts
    }
    candidates.push_back(
        {[this, primitive = matmul.primitive.get(), arguments] { session().execute(*primitive, arguments); }, name});
    matmul.arguments = arguments;
    matmuls.push_back(std::move(matmul));
  }

  void sgemm(const Tensor& b) const {
    const GemmParams& g = params_;
    const auto rows = a_.buffer.as<float>(), weights = b.buffer.as<float>(), out = c_.buffer.as<float>();
    onednn::check(session().api().dnnl_sgemm('N', 'N', g.m, g.n, g.k, 1.0F, rows.data(), g.k, weights.data(), g.n, 0.0F,
                                             out.data(), g.n),
                  "dnnl_sgemm");
  }

  void poison_output() {
    poison(c_.buffer, context_->parallel_for());
    if (matmul_ && matmul_->c) poison(matmul_->c->buffer, context_->parallel_for());
  }

  std::shared_ptr<CpuContext> context_;
  GemmParams params_;
  GemmTypes types_;
  GemmShapes shapes_;
  Tensor a_, b_, c_;
  std::optional<Matmul> matmul_;  ///< empty when sgemm was chosen
  Candidate chosen_;
  std::vector<Tensor> weights_;  ///< copies of the operand B in the layout that was chosen; empty where none is needed
  std::size_t turn_ = 0;
};

}  // namespace

std::unique_ptr<Operation> prepare_onednn_gemm(std::shared_ptr<CpuContext> context, const GemmParams& params) {
  return std::make_unique<OneDnnGemm>(std::move(context), params);
}

}  // namespace gpuassay
