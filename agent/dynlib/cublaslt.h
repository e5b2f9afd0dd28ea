// Which functions of cuBLASLt 11, 12 and 13 (libcublasLt.so.N) does gpuassay call to find and run matrix products?
// Our own declarations; tests/component/cublas_abi_test.cpp compares them with <cublasLt.h>.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <vector>

#include "agent/dynlib/cublas.h"
#include "agent/dynlib/function_table.h"
#include "agent/dynlib/library_candidates.h"
#include "agent/dynlib/library_version.h"
#include "agent/dynlib/shared_library.h"

namespace gpuassay::cublaslt {

/// Newest first.
inline constexpr std::array<const char*, 3> kSonames = {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11"};

// ---- the ABI of cuBLASLt; enums travel as int; status, data and compute types are those of cublas.h ----
struct HandleRecord;
struct MatmulDescRecord;
struct MatrixLayoutRecord;
struct PreferenceRecord;
using Handle = HandleRecord*;
using MatmulDesc = MatmulDescRecord*;
using MatrixLayout = MatrixLayoutRecord*;
using Preference = PreferenceRecord*;

/// Filled and read by the library alone.
struct Algo {
  std::uint64_t opaque[8];
};
static_assert(sizeof(Algo) == 64);
struct HeuristicResult {
  Algo algo;
  std::size_t workspace_bytes;
  int state;          ///< a cublas::Status; the rest is valid only when it is kSuccess
  float waves_count;  ///< 1.0 = all SMs busy once
  int reserved[4];
};
static_assert(sizeof(HeuristicResult) == 96 && offsetof(HeuristicResult, workspace_bytes) == 64 &&
              offsetof(HeuristicResult, state) == 72 && offsetof(HeuristicResult, waves_count) == 76);

/// cublasLtMatmulDescAttributes_t, with the type each takes.
enum MatmulDescAttribute : int {
  kDescPointerMode = 2,     ///< int32
  kDescTransA = 3,          ///< int32, cublas::Operation
  kDescTransB = 4,          ///< int32, cublas::Operation
  kDescAScalePointer = 17,  ///< device pointer
  kDescBScalePointer = 18,  ///< device pointer
  kDescDScalePointer = 20,  ///< device pointer
  kDescFastAccum = 25,      ///< int8; fp8 only
  kDescAScaleMode = 31,     ///< int32, ScaleMode; from 12.8
  kDescBScaleMode = 32,     ///< int32, ScaleMode; from 12.8
};
enum ScaleMode : int { kScaleScalar32F = 0, kScaleVec16UE4M3 = 1, kScaleVec32UE8M0 = 2 };
enum MatrixLayoutAttribute : int {
  kLayoutOrder = 1,               ///< int32, Order
  kLayoutBatchCount = 5,          ///< int32
  kLayoutStridedBatchOffset = 6,  ///< int64, elements
};
enum Order : int { kOrderColumn = 0, kOrderRow = 1 };
/// Only the workspace limit: other masks were removed over time.
enum PreferenceAttribute : int { kPreferenceMaxWorkspaceBytes = 1 };  ///< uint64
enum AlgoConfigAttribute : int {
  kAlgoId = 0,               ///< int32
  kAlgoTileId = 1,           ///< uint32
  kAlgoSplitK = 2,           ///< int32
  kAlgoReductionScheme = 3,  ///< uint32
  kAlgoSwizzling = 4,        ///< uint32
  kAlgoCustomOption = 5,     ///< uint32
  kAlgoStagesId = 6,         ///< uint32
  kAlgoInnerShapeId = 7,     ///< uint16; from 11.8
  kAlgoClusterShapeId = 8,   ///< uint16; from 11.8
};

/// cublasLtReductionScheme_t: in which type the parts of a product split along k are added.
enum ReductionScheme : unsigned {
  kReductionNone = 0,
  kReductionInPlace = 1,
  kReductionComputeType = 2,
  kReductionOutputType = 4,
};

/// The functions, under their exported names. Required ones are never null; optional ones may be.
struct Api {
  // required; those above the line work without a GPU
  std::size_t (*cublasLtGetVersion)() = nullptr;  ///< 10000 x major + 100 x minor + patch
  int (*cublasLtGetProperty)(int type, int* value) = nullptr;
  int (*cublasLtMatmulDescCreate)(MatmulDesc* desc, int compute_type, int scale_type) = nullptr;
  int (*cublasLtMatmulDescDestroy)(MatmulDesc) = nullptr;
  int (*cublasLtMatmulDescSetAttribute)(MatmulDesc, int attribute, const void* value, std::size_t bytes) = nullptr;
  int (*cublasLtMatrixLayoutCreate)(MatrixLayout* layout, int type, std::uint64_t rows, std::uint64_t columns,
                                    std::int64_t leading_dimension) = nullptr;
  int (*cublasLtMatrixLayoutDestroy)(MatrixLayout) = nullptr;
  int (*cublasLtMatrixLayoutSetAttribute)(MatrixLayout, int attribute, const void* value, std::size_t bytes) = nullptr;
  int (*cublasLtMatmulPreferenceCreate)(Preference* preference) = nullptr;
  int (*cublasLtMatmulPreferenceDestroy)(Preference) = nullptr;
  int (*cublasLtMatmulPreferenceSetAttribute)(Preference, int attribute, const void* value,
                                              std::size_t bytes) = nullptr;
  int (*cublasLtMatmulAlgoConfigGetAttribute)(const Algo*, int attribute, void* value, std::size_t bytes,
                                              std::size_t* written) = nullptr;
  // -----
  int (*cublasLtCreate)(Handle* handle) = nullptr;
  int (*cublasLtDestroy)(Handle) = nullptr;
  int (*cublasLtMatmulAlgoGetHeuristic)(Handle, MatmulDesc, MatrixLayout a, MatrixLayout b, MatrixLayout c,
                                        MatrixLayout d, Preference, int requested, HeuristicResult* results,
                                        int* returned) = nullptr;
  int (*cublasLtMatmul)(Handle, MatmulDesc, const void* alpha, const void* a, MatrixLayout a_layout, const void* b,
                        MatrixLayout b_layout, const void* beta, const void* c, MatrixLayout c_layout, void* d,
                        MatrixLayout d_layout, const Algo* algo, void* workspace, std::size_t workspace_bytes,
                        cuda::Stream) = nullptr;
  // optional
  int (*cublasLtMatmulAlgoCheck)(Handle, MatmulDesc, MatrixLayout a, MatrixLayout b, MatrixLayout c, MatrixLayout d,
                                 const Algo* algo, HeuristicResult* result) = nullptr;
  int (*cublasLtMatmulAlgoGetIds)(Handle, int compute_type, int scale_type, int a_type, int b_type, int c_type,
                                  int d_type, int requested, int* ids, int* returned) = nullptr;
  int (*cublasLtMatmulAlgoInit)(Handle, int compute_type, int scale_type, int a_type, int b_type, int c_type,
                                int d_type, int id, Algo* algo) = nullptr;
  const char* (*cublasLtGetStatusName)(int status) = nullptr;
};

/// Every exported name gpuassay asks for, in the order of Api.
std::vector<SymbolName> symbol_names();

struct LoadedLibrary {
  SharedLibrary library;
  Api api;
  LibraryVersion version;
};

/// As cublas::load.
LoadedLibrary load(const LibraryCandidate& candidate);

/// As cublas::check.
void check(const Api& api, int status, const char* symbol,
           std::source_location where = std::source_location::current());

}  // namespace gpuassay::cublaslt
