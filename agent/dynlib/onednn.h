// Which functions of oneDNN's C API (2.x, libdnnl.so.2) does gpuassay call, and is a usable oneDNN here?
// The declarations are our own so that building needs no oneDNN header; tests/component/onednn_abi_test.cpp
// compares them with <oneapi/dnnl/dnnl.h> where that is installed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/dynlib/shared_library.h"
#include "core/model.h"

namespace gpuassay::onednn {

inline constexpr const char* kSoname = "libdnnl.so.2";
inline constexpr const char* kRemedy =
    "install oneDNN 2 (Debian: apt-get install libdnnl2; elsewhere: pip install onednn-cpu-gomp==2022.2.1 and set "
    "GPUASSAY_LIBRARY_PATH to the folder of its libdnnl.so.2)";

// ---- the ABI of oneDNN 2.x; enums travel as int ----
struct EngineRecord;
struct StreamRecord;
struct MemoryRecord;
struct PrimitiveRecord;
struct PrimitiveDescRecord;
struct AttrRecord;
using EngineHandle = EngineRecord*;
using StreamHandle = StreamRecord*;
using MemoryHandle = MemoryRecord*;
using PrimitiveHandle = PrimitiveRecord*;
using PrimitiveDescHandle = PrimitiveDescRecord*;
using AttrHandle = AttrRecord*;

/// Filled and read by the library alone.
struct MemoryDesc {
  alignas(8) std::byte opaque[696];
};
struct MatmulDesc {
  alignas(8) std::byte opaque[2800];
};
struct ConvolutionDesc {
  alignas(8) std::byte opaque[5976];
};
struct ExecArg {
  int arg;
  MemoryHandle memory;
};
struct Version {
  int major, minor, patch;
  const char* hash;
  unsigned cpu_runtime, gpu_runtime;
};

inline constexpr int kMaxDimensions = 12;
enum Status : int { kSuccess = 0, kOutOfMemory = 1, kInvalidArguments = 2, kUnimplemented = 3 };
enum DataType : int { kBf16 = 2, kF32 = 3, kS32 = 4, kS8 = 5, kU8 = 6 };
enum FormatTag : int { kAnyFormat = 1 };
enum EngineKind : int { kCpuEngine = 1 };
enum StreamFlags : unsigned { kInOrderStream = 1 };
enum PropKind : int { kForwardTraining = 64 };
enum AlgKind : int { kConvolutionDirect = 1 };
enum FpMathMode : int { kStrictMath = 0 };
enum Query : int {
  kQueryImplementation = 8,
  kQuerySource = 129,
  kQueryDiffSource = 130,
  kQueryWeights = 131,
  kQueryDiffWeights = 132,
  kQueryDestination = 133,
  kQueryDiffDestination = 134,
};
enum Argument : int {
  kArgSource = 1,
  kArgDestination = 17,
  kArgWeights = 33,
  kArgDiffSource = 129,
  kArgDiffDestination = 145,
  kArgDiffWeights = 161,
};

/// The functions, under their C names. Required ones are never null; optional ones may be.
struct Api {
  // required
  const Version* (*dnnl_version)() = nullptr;
  int (*dnnl_engine_create)(EngineHandle*, int kind, std::size_t index) = nullptr;
  int (*dnnl_engine_destroy)(EngineHandle) = nullptr;
  int (*dnnl_stream_create)(StreamHandle*, EngineHandle, unsigned flags) = nullptr;
  int (*dnnl_stream_wait)(StreamHandle) = nullptr;
  int (*dnnl_stream_destroy)(StreamHandle) = nullptr;
  int (*dnnl_memory_desc_init_by_strides)(MemoryDesc*, int ndims, const std::int64_t* dims, int data_type,
                                          const std::int64_t* strides) = nullptr;
  int (*dnnl_memory_desc_init_by_tag)(MemoryDesc*, int ndims, const std::int64_t* dims, int data_type,
                                      int tag) = nullptr;
  int (*dnnl_memory_desc_equal)(const MemoryDesc*, const MemoryDesc*) = nullptr;
  std::size_t (*dnnl_memory_desc_get_size)(const MemoryDesc*) = nullptr;
  int (*dnnl_memory_create)(MemoryHandle*, const MemoryDesc*, EngineHandle, void* data) = nullptr;
  int (*dnnl_memory_destroy)(MemoryHandle) = nullptr;
  int (*dnnl_matmul_desc_init)(MatmulDesc*, const MemoryDesc* source, const MemoryDesc* weights, const MemoryDesc* bias,
                               const MemoryDesc* destination) = nullptr;
  int (*dnnl_convolution_forward_desc_init)(ConvolutionDesc*, int prop_kind, int alg_kind, const MemoryDesc* source,
                                            const MemoryDesc* weights, const MemoryDesc* bias,
                                            const MemoryDesc* destination, const std::int64_t* strides,
                                            const std::int64_t* padding_l, const std::int64_t* padding_r) = nullptr;
  int (*dnnl_convolution_backward_data_desc_init)(ConvolutionDesc*, int alg_kind, const MemoryDesc* diff_source,
                                                  const MemoryDesc* weights, const MemoryDesc* diff_destination,
                                                  const std::int64_t* strides, const std::int64_t* padding_l,
                                                  const std::int64_t* padding_r) = nullptr;
  int (*dnnl_convolution_backward_weights_desc_init)(ConvolutionDesc*, int alg_kind, const MemoryDesc* source,
                                                     const MemoryDesc* diff_weights, const MemoryDesc* diff_bias,
                                                     const MemoryDesc* diff_destination, const std::int64_t* strides,
                                                     const std::int64_t* padding_l,
                                                     const std::int64_t* padding_r) = nullptr;
  int (*dnnl_primitive_desc_create)(PrimitiveDescHandle*, const void* op_desc, const AttrRecord*, EngineHandle,
                                    const PrimitiveDescRecord* forward_hint) = nullptr;
  int (*dnnl_primitive_desc_destroy)(PrimitiveDescHandle) = nullptr;
  int (*dnnl_primitive_desc_query)(const PrimitiveDescRecord*, int what, int index, void* result) = nullptr;
  const MemoryDesc* (*dnnl_primitive_desc_query_md)(const PrimitiveDescRecord*, int what, int index) = nullptr;
  int (*dnnl_primitive_create)(PrimitiveHandle*, const PrimitiveDescRecord*) = nullptr;
  int (*dnnl_primitive_execute)(const PrimitiveRecord*, StreamHandle, int count, const ExecArg*) = nullptr;
  int (*dnnl_primitive_destroy)(PrimitiveHandle) = nullptr;
  int (*dnnl_reorder_primitive_desc_create)(PrimitiveDescHandle*, const MemoryDesc* source, EngineHandle,
                                            const MemoryDesc* destination, EngineHandle, const AttrRecord*) = nullptr;
  int (*dnnl_primitive_attr_create)(AttrHandle*) = nullptr;
  int (*dnnl_primitive_attr_destroy)(AttrHandle) = nullptr;
  int (*dnnl_sgemm)(char transa, char transb, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
                    const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c,
                    std::int64_t ldc) = nullptr;
  // optional: absent in early 2.x
  int (*dnnl_primitive_attr_set_fpmath_mode)(AttrHandle, int mode) = nullptr;
  int (*dnnl_set_verbose)(int level) = nullptr;
  // optional: of the OpenMP runtime the library was built with; absent when it was built without OpenMP
  int (*omp_get_max_threads)() = nullptr;
  void (*omp_set_num_threads)(int) = nullptr;
};

/// An opened oneDNN with its functions. Stays mapped for the life of the process: its threads do.
struct LoadedLibrary {
  SharedLibrary library;
  Api api;
  Version version;
};

/// Opens oneDNN 2.x. Throws Error{library_missing} with the remedy when it is absent, of another major version,
/// or incomplete. Loads the OpenMP runtime too, which reads its environment variables at that moment.
LoadedLibrary load(const LibrarySearch& search);

/// Loading takes about 30 ms from a cold disk cache; a library that needs longer than this hangs.
inline constexpr std::chrono::seconds kLookLimit{10};

/// `libraries[]` entry for oneDNN: name "onednn", chosen_for "cpu"; when there is no usable one, path_kind
/// "absent" and rejected_reason. Looks in a child process, so that the caller stays free of oneDNN's
/// threads, environment and possible crashes. Call it before starting threads.
std::vector<Library> describe(const LibrarySearch& search, std::chrono::milliseconds limit = kLookLimit);

}  // namespace gpuassay::onednn
