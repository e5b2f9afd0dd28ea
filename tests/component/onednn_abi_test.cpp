// Compile-only: our declarations of the oneDNN 2.x ABI are those of <oneapi/dnnl/dnnl.h>. Built where that header is.
#include <gtest/gtest.h>
#include <oneapi/dnnl/dnnl.h>

#include <type_traits>

#include "agent/dynlib/onednn.h"
#include "tests/support/same_signature.h"

namespace gpuassay::onednn {
namespace {

template <auto kOurMember, class Theirs>
constexpr bool kSame = test::kSameSignature<Api, kOurMember, Theirs>;

static_assert(kSame<&Api::dnnl_version, decltype(&::dnnl_version)>);
static_assert(kSame<&Api::dnnl_engine_create, decltype(&::dnnl_engine_create)>);
static_assert(kSame<&Api::dnnl_engine_destroy, decltype(&::dnnl_engine_destroy)>);
static_assert(kSame<&Api::dnnl_stream_create, decltype(&::dnnl_stream_create)>);
static_assert(kSame<&Api::dnnl_stream_wait, decltype(&::dnnl_stream_wait)>);
static_assert(kSame<&Api::dnnl_stream_destroy, decltype(&::dnnl_stream_destroy)>);
static_assert(kSame<&Api::dnnl_memory_desc_init_by_strides, decltype(&::dnnl_memory_desc_init_by_strides)>);
static_assert(kSame<&Api::dnnl_memory_desc_init_by_tag, decltype(&::dnnl_memory_desc_init_by_tag)>);
static_assert(kSame<&Api::dnnl_memory_desc_equal, decltype(&::dnnl_memory_desc_equal)>);
static_assert(kSame<&Api::dnnl_memory_desc_get_size, decltype(&::dnnl_memory_desc_get_size)>);
static_assert(kSame<&Api::dnnl_memory_create, decltype(&::dnnl_memory_create)>);
static_assert(kSame<&Api::dnnl_memory_destroy, decltype(&::dnnl_memory_destroy)>);
static_assert(kSame<&Api::dnnl_matmul_desc_init, decltype(&::dnnl_matmul_desc_init)>);
static_assert(kSame<&Api::dnnl_convolution_forward_desc_init, decltype(&::dnnl_convolution_forward_desc_init)>);
static_assert(
    kSame<&Api::dnnl_convolution_backward_data_desc_init, decltype(&::dnnl_convolution_backward_data_desc_init)>);
static_assert(
    kSame<&Api::dnnl_convolution_backward_weights_desc_init, decltype(&::dnnl_convolution_backward_weights_desc_init)>);
static_assert(kSame<&Api::dnnl_primitive_desc_create, decltype(&::dnnl_primitive_desc_create)>);
static_assert(kSame<&Api::dnnl_primitive_desc_destroy, decltype(&::dnnl_primitive_desc_destroy)>);
static_assert(kSame<&Api::dnnl_primitive_desc_query, decltype(&::dnnl_primitive_desc_query)>);
static_assert(kSame<&Api::dnnl_primitive_desc_query_md, decltype(&::dnnl_primitive_desc_query_md)>);
static_assert(kSame<&Api::dnnl_primitive_create, decltype(&::dnnl_primitive_create)>);
static_assert(kSame<&Api::dnnl_primitive_execute, decltype(&::dnnl_primitive_execute)>);
static_assert(kSame<&Api::dnnl_primitive_destroy, decltype(&::dnnl_primitive_destroy)>);
static_assert(kSame<&Api::dnnl_reorder_primitive_desc_create, decltype(&::dnnl_reorder_primitive_desc_create)>);
static_assert(kSame<&Api::dnnl_primitive_attr_create, decltype(&::dnnl_primitive_attr_create)>);
static_assert(kSame<&Api::dnnl_primitive_attr_destroy, decltype(&::dnnl_primitive_attr_destroy)>);
static_assert(kSame<&Api::dnnl_primitive_attr_set_fpmath_mode, decltype(&::dnnl_primitive_attr_set_fpmath_mode)>);
static_assert(kSame<&Api::dnnl_set_verbose, decltype(&::dnnl_set_verbose)>);
static_assert(kSame<&Api::dnnl_sgemm, decltype(&::dnnl_sgemm)>);
// The comparison itself can fail.
static_assert(!kSame<&Api::dnnl_sgemm, decltype(&::dnnl_set_verbose)>);
static_assert(!kSame<&Api::dnnl_engine_destroy, decltype(&::dnnl_set_verbose)>);

using test::kSameLayout;
static_assert(kSameLayout<MemoryDesc, dnnl_memory_desc_t>);
static_assert(kSameLayout<MatmulDesc, dnnl_matmul_desc_t>);
static_assert(kSameLayout<ConvolutionDesc, dnnl_convolution_desc_t>);
static_assert(kSameLayout<ExecArg, dnnl_exec_arg_t> && offsetof(ExecArg, memory) == offsetof(dnnl_exec_arg_t, memory));
static_assert(kSameLayout<Version, dnnl_version_t> && offsetof(Version, hash) == offsetof(dnnl_version_t, hash));
static_assert(offsetof(Version, cpu_runtime) == offsetof(dnnl_version_t, cpu_runtime));

static_assert(kMaxDimensions == DNNL_MAX_NDIMS && std::is_same_v<dnnl_dim_t, std::int64_t>);
static_assert(int{kSuccess} == dnnl_success && int{kOutOfMemory} == dnnl_out_of_memory &&
              int{kInvalidArguments} == dnnl_invalid_arguments && int{kUnimplemented} == dnnl_unimplemented);
static_assert(int{kBf16} == dnnl_bf16 && int{kF32} == dnnl_f32 && int{kS32} == dnnl_s32 && int{kS8} == dnnl_s8 &&
              int{kU8} == dnnl_u8);
static_assert(int{kAnyFormat} == dnnl_format_tag_any && int{kCpuEngine} == dnnl_cpu &&
              unsigned{kInOrderStream} == dnnl_stream_in_order);
static_assert(int{kForwardTraining} == dnnl_forward_training && int{kConvolutionDirect} == dnnl_convolution_direct &&
              int{kStrictMath} == dnnl_fpmath_mode_strict);
static_assert(int{kQueryImplementation} == dnnl_query_impl_info_str && int{kQuerySource} == dnnl_query_src_md &&
              int{kQueryDiffSource} == dnnl_query_diff_src_md && int{kQueryWeights} == dnnl_query_weights_md &&
              int{kQueryDiffWeights} == dnnl_query_diff_weights_md && int{kQueryDestination} == dnnl_query_dst_md &&
              int{kQueryDiffDestination} == dnnl_query_diff_dst_md);
static_assert(int{kArgSource} == DNNL_ARG_SRC && int{kArgDestination} == DNNL_ARG_DST &&
              int{kArgWeights} == DNNL_ARG_WEIGHTS && int{kArgDiffSource} == DNNL_ARG_DIFF_SRC &&
              int{kArgDiffDestination} == DNNL_ARG_DIFF_DST && int{kArgDiffWeights} == DNNL_ARG_DIFF_WEIGHTS);

TEST(OneDnnAbi, DeclarationsWereComparedWhenThisFileWasCompiled) { EXPECT_EQ(DNNL_VERSION_MAJOR, 2); }

}  // namespace
}  // namespace gpuassay::onednn
