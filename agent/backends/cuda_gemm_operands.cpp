#include "agent/backends/cuda_gemm_operands.h"

#include "agent/backends/operand_copies.h"
#include "agent/workloads/gemm_reference.h"

namespace gpuassay {

CudaGemmOperands::CudaGemmOperands(CudaContext& context, const GemmParams& params, const CudaGemmTypes& types)
    : context_(context), params_(params), types_(types) {
  const std::int64_t a_count = params.batch * params.m * params.k, b_count = params.batch * params.k * params.n;
  const std::int64_t c_bytes = params.batch * params.m * params.n * output_bytes(types.output);
  const auto set_bytes =
      static_cast<std::int64_t>(storage_bytes(types.input, a_count) + storage_bytes(types.input, b_count)) + c_bytes;
  const int copies = copies_beyond_cache(set_bytes, context.facts().l2_bytes, context.free_bytes());
  for (int i = 0; i < copies; ++i) {
    sets_.push_back({filled_tensor(context, types.input, a_count), filled_tensor(context, types.input, b_count),
                     context.allocate(static_cast<std::size_t>(c_bytes))});
  }
  poison();
}

CudaGemmOperands::Set& CudaGemmOperands::next() {
  last_ = next_;
  next_ = (next_ + 1) % sets_.size();
  return sets_[last_];
}

Verification CudaGemmOperands::verify(GemmLayout layout) {
  Set& set = sets_[last_];
  const std::vector<std::int64_t> positions =
      sampled_positions(params_.batch * params_.m * params_.n, gemm_corner_positions(params_));
  const std::vector<std::uint64_t> bits = context_.sample(set.c, output_bytes(types_.output), positions);
  const GeneratedTensor a = set.a.generated({});
  const GeneratedTensor b = set.b.generated({params_.k, params_.n, layout == GemmLayout::b_transposed});
  OutputCheck check(cuda_rule_for_terms(params_.dtype, params_.k));
  for (std::size_t i = 0; i < positions.size(); ++i) {
    check.compare(output_value(types_.output, bits[i]), gemm_reference_at(params_, a, b, positions[i]));
  }
  poison();
  return check.result();
}

void CudaGemmOperands::poison() {
  for (const Set& set : sets_) context_.fill_words(set.c, kPoison);
}

}  // namespace gpuassay
