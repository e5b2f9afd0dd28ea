#include "agent/workloads/collective_reference.h"

#include <fmt/format.h>

#include "core/enums.h"
#include "core/error.h"
#include "core/operations.h"

namespace gpuassay {
namespace {

using kernels::ElementFormat;

constexpr double kFp16UnitRoundoff = 0x1p-11;

bool adds_up(CollectiveKind kind) {
  return kind == CollectiveKind::all_reduce || kind == CollectiveKind::reduce_scatter;
}

double input_at(ElementFormat format, std::int64_t rank, std::int64_t index) {
  return kernels::element_value(format, collective_seed(rank), static_cast<std::uint64_t>(index));
}

}  // namespace

ElementFormat collective_format(const CollectiveParams& params) {
  switch (params.dtype) {
    case DType::fp32: return ElementFormat::fp32;
    case DType::fp16: return ElementFormat::fp16;
    case DType::bf16: return ElementFormat::bf16;
    default:
      throw Error(ErrorCode::unsupported, fmt::format("collectives are not measured in {}", to_name(params.dtype)));
  }
}

CollectiveSizes collective_sizes(const CollectiveParams& params) {
  const std::int64_t element_bytes = kernels::bits_of(collective_format(params)) / 8;
  const bool shared_out = params.kind != CollectiveKind::all_reduce;
  const std::int64_t granule = element_bytes * (shared_out ? params.ranks : 1);
  if (params.ranks < 2 || params.message_bytes < granule || params.message_bytes % granule != 0) {
    throw Error(ErrorCode::unsupported, fmt::format("{} bytes are not the same number of elements for each of {} ranks",
                                                    params.message_bytes, params.ranks));
  }
  const std::int64_t all = params.message_bytes / element_bytes;
  const std::int64_t share = all / params.ranks;
  switch (params.kind) {
    case CollectiveKind::all_gather: return {share, all};
    case CollectiveKind::reduce_scatter: return {all, share};
    case CollectiveKind::all_reduce:
    case CollectiveKind::all_to_all: break;
  }
  return {all, all};
}

std::uint64_t collective_seed(std::int64_t rank) {
  constexpr std::uint64_t kSeed = 0x636f6c6c65637469ULL;
  return kSeed + static_cast<std::uint64_t>(rank);
}

ReferenceValue collective_reference_at(const CollectiveParams& params, std::int64_t rank, std::int64_t position) {
  const ElementFormat format = collective_format(params);
  const CollectiveSizes sizes = collective_sizes(params);
  ReferenceValue value;
  if (adds_up(params.kind)) {
    const std::int64_t index = params.kind == CollectiveKind::all_reduce ? position : rank * sizes.receive + position;
    for (std::int64_t each = 0; each < params.ranks; ++each) value.add(input_at(format, each, index), 1);
    return value;
  }
  // The output is one share of every rank, in their order.
  const std::int64_t share = sizes.receive / params.ranks;
  const std::int64_t from = position / share;
  const std::int64_t first = params.kind == CollectiveKind::all_to_all ? rank * share : 0;
  value.add(input_at(format, from, first + position % share), 1);
  return value;
}

OutputRule collective_rule(const CollectiveParams& params) {
  if (!adds_up(params.kind)) return {0, 0, true};
  const ElementFormat format = collective_format(params);
  const double roundoff = format == ElementFormat::bf16   ? kBfloat16UnitRoundoff
                          : format == ElementFormat::fp16 ? kFp16UnitRoundoff
                                                          : kFp32UnitRoundoff;
  return {static_cast<double>(params.ranks) * roundoff, 0, false};
}

}  // namespace gpuassay
