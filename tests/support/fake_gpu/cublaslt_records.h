// What is behind cuBLASLt's opaque handles, and what does an algorithm's 64 bytes hold?
#pragma once

#include <array>
#include <cstdint>

#include "tests/support/fake_gpu/matmul.h"

namespace gpuassay::cublaslt {

struct HandleRecord {
  int device = 0;
};

struct MatmulDescRecord {
  int compute_type = cublas::kCompute32F, scale_type = cublas::kR32F;
  bool transpose_a = false, transpose_b = false;
  gpuassay::fake::Scale scale_a, scale_b;
};

struct MatrixLayoutRecord {
  gpuassay::fake::Matrix matrix;
};

struct PreferenceRecord {
  std::uint64_t workspace_bytes = 0;
};

}  // namespace gpuassay::cublaslt

namespace gpuassay::fake {

/// The five algorithms there are. None is first because it is best.
struct AlgoKind {
  int id, tile, stages, split_k;
  double speed;
  std::uint64_t workspace_bytes;
};
inline constexpr std::array<AlgoKind, 5> kAlgos{{{6, 15, 8, 1, 0.94, 0},
                                                 {21, 20, 11, 1, 0.97, 0},
                                                 {24, 20, 15, 4, 0.71, std::uint64_t{16} << 20U},
                                                 {31, 24, 19, 1, 1.00, std::uint64_t{4} << 20U},
                                                 {35, 18, 6, 2, 0.88, std::uint64_t{64} << 20U}}};

/// First word of an algorithm of this library: others are refused.
inline constexpr std::uint64_t kAlgoMark = 0x6770756173736179;

inline cublaslt::Algo pack(std::size_t number) { return {{kAlgoMark, number, 0, 0, 0, 0, 0, 0}}; }
/// Null for what was not made by pack().
inline const AlgoKind* unpack(const cublaslt::Algo* algo) {
  const bool ours = algo != nullptr && algo->opaque[0] == kAlgoMark && algo->opaque[1] < kAlgos.size();
  return ours ? &kAlgos[algo->opaque[1]] : nullptr;
}

}  // namespace gpuassay::fake
