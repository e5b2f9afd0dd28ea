// Compile-only: our declarations of cuBLASLt's ABI are those of <cublasLt.h>. Built once per set of headers found.
#include <cublasLt.h>
#include <gtest/gtest.h>

#include <cstddef>

#include "agent/dynlib/cublaslt.h"
#include "tests/support/same_signature.h"

namespace gpuassay::cublaslt {
namespace {

template <auto kOurMember, class Theirs>
constexpr bool kSame = test::kSameSignature<Api, kOurMember, Theirs>;
using test::kSameLayout;

static_assert(kSame<&Api::cublasLtGetVersion, decltype(&::cublasLtGetVersion)>);
static_assert(kSame<&Api::cublasLtGetProperty, decltype(&::cublasLtGetProperty)>);
static_assert(kSame<&Api::cublasLtMatmulDescCreate, decltype(&::cublasLtMatmulDescCreate)>);
static_assert(kSame<&Api::cublasLtMatmulDescDestroy, decltype(&::cublasLtMatmulDescDestroy)>);
static_assert(kSame<&Api::cublasLtMatmulDescSetAttribute, decltype(&::cublasLtMatmulDescSetAttribute)>);
static_assert(kSame<&Api::cublasLtMatrixLayoutCreate, decltype(&::cublasLtMatrixLayoutCreate)>);
static_assert(kSame<&Api::cublasLtMatrixLayoutDestroy, decltype(&::cublasLtMatrixLayoutDestroy)>);
static_assert(kSame<&Api::cublasLtMatrixLayoutSetAttribute, decltype(&::cublasLtMatrixLayoutSetAttribute)>);
static_assert(kSame<&Api::cublasLtMatmulPreferenceCreate, decltype(&::cublasLtMatmulPreferenceCreate)>);
static_assert(kSame<&Api::cublasLtMatmulPreferenceDestroy, decltype(&::cublasLtMatmulPreferenceDestroy)>);
static_assert(kSame<&Api::cublasLtMatmulPreferenceSetAttribute, decltype(&::cublasLtMatmulPreferenceSetAttribute)>);
static_assert(kSame<&Api::cublasLtMatmulAlgoConfigGetAttribute, decltype(&::cublasLtMatmulAlgoConfigGetAttribute)>);
static_assert(kSame<&Api::cublasLtCreate, decltype(&::cublasLtCreate)>);
static_assert(kSame<&Api::cublasLtDestroy, decltype(&::cublasLtDestroy)>);
static_assert(kSame<&Api::cublasLtMatmulAlgoGetHeuristic, decltype(&::cublasLtMatmulAlgoGetHeuristic)>);
static_assert(kSame<&Api::cublasLtMatmul, decltype(&::cublasLtMatmul)>);
static_assert(kSame<&Api::cublasLtMatmulAlgoCheck, decltype(&::cublasLtMatmulAlgoCheck)>);
static_assert(kSame<&Api::cublasLtMatmulAlgoGetIds, decltype(&::cublasLtMatmulAlgoGetIds)>);
static_assert(kSame<&Api::cublasLtMatmulAlgoInit, decltype(&::cublasLtMatmulAlgoInit)>);
static_assert(kSame<&Api::cublasLtGetStatusName, decltype(&::cublasLtGetStatusName)>);
// The comparison itself can fail.
static_assert(!kSame<&Api::cublasLtCreate, decltype(&::cublasLtMatmul)>);

static_assert(kSameLayout<Algo, cublasLtMatmulAlgo_t> && kSameLayout<HeuristicResult, cublasLtMatmulHeuristicResult_t>);
static_assert(offsetof(HeuristicResult, workspace_bytes) == offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize) &&
              offsetof(HeuristicResult, state) == offsetof(cublasLtMatmulHeuristicResult_t, state) &&
              offsetof(HeuristicResult, waves_count) == offsetof(cublasLtMatmulHeuristicResult_t, wavesCount));
static_assert(int{kDescPointerMode} == CUBLASLT_MATMUL_DESC_POINTER_MODE);
static_assert(int{kDescTransA} == CUBLASLT_MATMUL_DESC_TRANSA);
static_assert(int{kDescTransB} == CUBLASLT_MATMUL_DESC_TRANSB);
static_assert(int{kDescAScalePointer} == CUBLASLT_MATMUL_DESC_A_SCALE_POINTER);
static_assert(int{kDescBScalePointer} == CUBLASLT_MATMUL_DESC_B_SCALE_POINTER);
static_assert(int{kDescDScalePointer} == CUBLASLT_MATMUL_DESC_D_SCALE_POINTER);
static_assert(int{kDescFastAccum} == CUBLASLT_MATMUL_DESC_FAST_ACCUM);
static_assert(int{kLayoutOrder} == CUBLASLT_MATRIX_LAYOUT_ORDER);
static_assert(int{kLayoutBatchCount} == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT);
static_assert(int{kLayoutStridedBatchOffset} == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET);
static_assert(int{kOrderColumn} == CUBLASLT_ORDER_COL);
static_assert(int{kOrderRow} == CUBLASLT_ORDER_ROW);
static_assert(int{kPreferenceMaxWorkspaceBytes} == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
static_assert(int{kAlgoId} == CUBLASLT_ALGO_CONFIG_ID);
static_assert(int{kAlgoTileId} == CUBLASLT_ALGO_CONFIG_TILE_ID);
static_assert(int{kAlgoSplitK} == CUBLASLT_ALGO_CONFIG_SPLITK_NUM);
static_assert(int{kAlgoReductionScheme} == CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME);
static_assert(int{kAlgoSwizzling} == CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING);
static_assert(int{kAlgoCustomOption} == CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION);
static_assert(int{kAlgoStagesId} == CUBLASLT_ALGO_CONFIG_STAGES_ID);
static_assert(int{kAlgoInnerShapeId} == CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID);
static_assert(int{kAlgoClusterShapeId} == CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID);
#if CUBLAS_VER_MAJOR >= 13  // newer than 11.8
static_assert(int{kDescAScaleMode} == CUBLASLT_MATMUL_DESC_A_SCALE_MODE);
static_assert(int{kDescBScaleMode} == CUBLASLT_MATMUL_DESC_B_SCALE_MODE);
static_assert(int{kScaleScalar32F} == CUBLASLT_MATMUL_MATRIX_SCALE_SCALAR_32F);
static_assert(int{kScaleVec16UE4M3} == CUBLASLT_MATMUL_MATRIX_SCALE_VEC16_UE4M3);
static_assert(int{kScaleVec32UE8M0} == CUBLASLT_MATMUL_MATRIX_SCALE_VEC32_UE8M0);
#endif

TEST(CublasLtAbi, DeclarationsWereComparedWhenThisFileWasCompiled) { EXPECT_GE(CUBLAS_VER_MAJOR, 11); }

}  // namespace
}  // namespace gpuassay::cublaslt
