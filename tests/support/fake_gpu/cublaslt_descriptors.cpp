// The fake libcublasLt.so.N: versions, descriptors, layouts, preferences.
#include <cstring>

#include "tests/support/fake_gpu/cublas_entry.h"
#include "tests/support/fake_gpu/cublas_exports.h"
#include "tests/support/fake_gpu/cublaslt_records.h"

namespace gpuassay::cublaslt {

using fake::cublas_call;
using fake::Machine;
using fake::StatusFailure;

namespace {

/// The value of an attribute; a wrong size is the caller's mistake.
template <class Value>
Value attribute_value(const void* value, std::size_t bytes) {
  if (value == nullptr || bytes != sizeof(Value)) throw StatusFailure{cublas::kInvalidValue};
  Value result{};
  std::memcpy(&result, value, sizeof(result));
  return result;
}

/// The library knows block scales from 12.8 on.
int scale_mode(const void* value, std::size_t bytes) {
  const fake::Version version = fake::cublas_version();
  if (version.major < 12 || (version.major == 12 && version.minor < 8)) throw StatusFailure{cublas::kInvalidValue};
  const int mode = attribute_value<std::int32_t>(value, bytes);
  if (mode < kScaleScalar32F || mode > kScaleVec32UE8M0) throw StatusFailure{cublas::kInvalidValue};
  return mode;
}

bool operation_is_transpose(const void* value, std::size_t bytes) {
  const int operation = attribute_value<std::int32_t>(value, bytes);
  if (operation < cublas::kNoTranspose || operation > cublas::kTranspose) throw StatusFailure{cublas::kInvalidValue};
  return operation == cublas::kTranspose;
}

}  // namespace

std::size_t cublasLtGetVersion() {
  const fake::Version version = fake::cublas_version();
  const int number = 10000 * version.major + 100 * version.minor + version.patch;
  return static_cast<std::size_t>(number);
}

int cublasLtGetProperty(int type, int* value) { return fake::property(type, value); }

const char* cublasLtGetStatusName(int status) {
  switch (status) {
    case cublas::kSuccess: return "CUBLAS_STATUS_SUCCESS";
    case cublas::kNotInitialized: return "CUBLAS_STATUS_NOT_INITIALIZED";
    case cublas::kInvalidValue: return "CUBLAS_STATUS_INVALID_VALUE";
    case cublas::kArchMismatch: return "CUBLAS_STATUS_ARCH_MISMATCH";
    case cublas::kExecutionFailed: return "CUBLAS_STATUS_EXECUTION_FAILED";
    case cublas::kNotSupported: return "CUBLAS_STATUS_NOT_SUPPORTED";
    default: return "CUBLAS_STATUS_UNKNOWN";
  }
}

int cublasLtMatmulDescCreate(MatmulDesc* desc, int compute_type, int scale_type) {
  return cublas_call([&](Machine& machine) {
    if (desc == nullptr) throw StatusFailure{cublas::kInvalidValue};
    auto record = std::make_unique<MatmulDescRecord>();
    record->compute_type = compute_type;
    record->scale_type = scale_type;
    *desc = machine.adopt(std::move(record));
  });
}

int cublasLtMatmulDescDestroy(MatmulDesc desc) {
  return cublas_call([&](Machine& machine) { machine.release(desc); });
}

int cublasLtMatmulDescSetAttribute(MatmulDesc desc, int attribute, const void* value, std::size_t bytes) {
  return cublas_call([&](Machine& machine) {
    MatmulDescRecord& record = machine.checked(desc);
    switch (attribute) {
      case kDescTransA: record.transpose_a = operation_is_transpose(value, bytes); break;
      case kDescTransB: record.transpose_b = operation_is_transpose(value, bytes); break;
      case kDescAScalePointer: record.scale_a.address = attribute_value<std::uint64_t>(value, bytes); break;
      case kDescBScalePointer: record.scale_b.address = attribute_value<std::uint64_t>(value, bytes); break;
      case kDescAScaleMode: record.scale_a.mode = scale_mode(value, bytes); break;
      case kDescBScaleMode: record.scale_b.mode = scale_mode(value, bytes); break;
      case kDescFastAccum: attribute_value<std::int8_t>(value, bytes); break;
      case kDescPointerMode:
        // Scalars on the device are not imitated.
        if (attribute_value<std::int32_t>(value, bytes) != 0) throw StatusFailure{cublas::kNotSupported};
        break;
      default: throw StatusFailure{cublas::kInvalidValue};
    }
  });
}

int cublasLtMatrixLayoutCreate(MatrixLayout* layout, int type, std::uint64_t rows, std::uint64_t columns,
                               std::int64_t leading_dimension) {
  return cublas_call([&](Machine& machine) {
    if (layout == nullptr) throw StatusFailure{cublas::kInvalidValue};
    auto record = std::make_unique<MatrixLayoutRecord>();
    record->matrix.type = type;
    record->matrix.rows = rows;
    record->matrix.columns = columns;
    record->matrix.leading_dimension = leading_dimension;
    *layout = machine.adopt(std::move(record));
  });
}

int cublasLtMatrixLayoutDestroy(MatrixLayout layout) {
  return cublas_call([&](Machine& machine) { machine.release(layout); });
}

int cublasLtMatrixLayoutSetAttribute(MatrixLayout layout, int attribute, const void* value, std::size_t bytes) {
  return cublas_call([&](Machine& machine) {
    fake::Matrix& matrix = machine.checked(layout).matrix;
    switch (attribute) {
      case kLayoutOrder: {
        const int order = attribute_value<std::int32_t>(value, bytes);
        if (order != kOrderColumn && order != kOrderRow) throw StatusFailure{cublas::kNotSupported};
        matrix.row_major = order == kOrderRow;
        break;
      }
      case kLayoutBatchCount: matrix.batch = attribute_value<std::int32_t>(value, bytes); break;
      case kLayoutStridedBatchOffset: matrix.stride = attribute_value<std::int64_t>(value, bytes); break;
      default: throw StatusFailure{cublas::kInvalidValue};
    }
  });
}

int cublasLtMatmulPreferenceCreate(Preference* preference) {
  return cublas_call([&](Machine& machine) {
    if (preference == nullptr) throw StatusFailure{cublas::kInvalidValue};
    *preference = machine.adopt(std::make_unique<PreferenceRecord>());
  });
}

int cublasLtMatmulPreferenceDestroy(Preference preference) {
  return cublas_call([&](Machine& machine) { machine.release(preference); });
}

int cublasLtMatmulPreferenceSetAttribute(Preference preference, int attribute, const void* value, std::size_t bytes) {
  return cublas_call([&](Machine& machine) {
    if (attribute != kPreferenceMaxWorkspaceBytes) throw StatusFailure{cublas::kInvalidValue};
    machine.checked(preference).workspace_bytes = attribute_value<std::uint64_t>(value, bytes);
  });
}

int cublasLtMatmulAlgoConfigGetAttribute(const Algo* algo, int attribute, void* value, std::size_t bytes,
                                         std::size_t* written) {
  return cublas_call([&](Machine&) {
    const fake::AlgoKind* kind = fake::unpack(algo);
    const std::size_t size = attribute == kAlgoInnerShapeId || attribute == kAlgoClusterShapeId ? 2 : 4;
    if (kind == nullptr || value == nullptr || bytes < size) throw StatusFailure{cublas::kInvalidValue};
    std::uint32_t answer = 0;
    switch (attribute) {
      case kAlgoId: answer = static_cast<std::uint32_t>(kind->id); break;
      case kAlgoTileId: answer = static_cast<std::uint32_t>(kind->tile); break;
      case kAlgoStagesId: answer = static_cast<std::uint32_t>(kind->stages); break;
      case kAlgoSplitK: answer = static_cast<std::uint32_t>(kind->split_k); break;
      case kAlgoReductionScheme:
      case kAlgoSwizzling:
      case kAlgoCustomOption:
      case kAlgoInnerShapeId:
      case kAlgoClusterShapeId: break;
      default: throw StatusFailure{cublas::kInvalidValue};
    }
    std::memcpy(value, &answer, size);
    if (written != nullptr) *written = size;
  });
}

}  // namespace gpuassay::cublaslt
