// What should a collective have put where? Every rank's input follows from its number, so any rank, on any machine,
// knows every output without being told.
#pragma once

#include <cstdint>

#include "agent/workloads/output_check.h"
#include "core/model.h"
#include "kernels/random_normal.h"

namespace gpuassay {

/// Elements one rank hands in and gets.
struct CollectiveSizes {
  std::int64_t send = 0, receive = 0;
};

/// Throws Error{unsupported} unless the message is whole elements, and the same number for every rank where it is
/// shared out, and the type is one that ranks add up (fp32, fp16, bf16).
CollectiveSizes collective_sizes(const CollectiveParams& params);

/// The format of `params.dtype`. Throws as above.
kernels::ElementFormat collective_format(const CollectiveParams& params);

/// The seed of all that `rank` hands in.
std::uint64_t collective_seed(std::int64_t rank);

/// Element `position` of what `rank` gets.
ReferenceValue collective_reference_at(const CollectiveParams& params, std::int64_t rank, std::int64_t position);

/// Gathered and exchanged elements are exact. A sum of n numbers x is right within n*u*sum|x|, u being the unit
/// roundoff of the type: n - 1 additions in any order, each rounded, of partial sums that never exceed sum|x|. One rank
/// left out costs |x| of about sum|x|/n, and is seen while n^2 < 1/u (bf16: 16 ranks; fp16: 45; fp32: 4096).
OutputRule collective_rule(const CollectiveParams& params);

}  // namespace gpuassay
