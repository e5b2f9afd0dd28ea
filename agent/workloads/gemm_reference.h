// What should a GEMM have computed? A float64 reference over row-major matrices: anything whose element at a flat
// position is m[position], a plain array or a GeneratedTensor.
#pragma once

#include <cstdint>
#include <span>

#include "agent/workloads/bfloat16.h"
#include "agent/workloads/output_check.h"
#include "core/model.h"

namespace gpuassay {

/// Flat positions of C compared always: the four corners of the first and the last product of the batch.
std::vector<std::int64_t> gemm_corner_positions(const GemmParams& params);

/// Element `position` of C: a is [batch, m, k], b is [batch, k, n], C is [batch, m, n].
template <class A, class B>
ReferenceValue gemm_reference_at(const GemmParams& g, const A& a, const B& b, std::int64_t position) {
  const std::int64_t column = position % g.n;
  const std::int64_t row = position / g.n;  // counted through the batch
  const std::int64_t batch = row / g.m;
  ReferenceValue value;
  for (std::int64_t i = 0; i < g.k; ++i) {
    value.add(exact_value(a[static_cast<std::size_t>(row * g.k + i)]),
              exact_value(b[static_cast<std::size_t>((batch * g.k + i) * g.n + column)]));
  }
  return value;
}

/// Compares c with the reference at the sampled positions.
template <class A, class B, class C>
Verification verify_gemm(const GemmParams& g, std::span<const A> a, std::span<const B> b, std::span<const C> c,
                         const OutputRule& rule) {
  OutputCheck check(rule);
  for (const std::int64_t position : sampled_positions(g.batch * g.m * g.n, gemm_corner_positions(g))) {
    check.compare(exact_value(c[static_cast<std::size_t>(position)]), gemm_reference_at(g, a, b, position));
  }
  return check.result();
}

}  // namespace gpuassay
