// How do we drive oneDNN safely? Owning wrappers over its C handles, and the few steps every operation needs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/backends/aligned_buffer.h"
#include "agent/dynlib/onednn.h"

namespace gpuassay::onednn {

template <class Record>
using Owned = std::unique_ptr<Record, int (*)(Record*)>;
using OwnedPrimitive = Owned<PrimitiveRecord>;
using OwnedPrimitiveDesc = Owned<PrimitiveDescRecord>;
using OwnedMemory = Owned<MemoryRecord>;

/// A tensor in the layout `desc` says, with its memory.
struct Tensor {
  MemoryDesc desc;
  AlignedBuffer buffer;
  OwnedMemory memory;
};

/// One CPU engine with one in-order stream. Functions throw Error{library_failed} or {out_of_memory} naming the
/// oneDNN function. Everything it returns must be destroyed before it. Not thread-safe.
class Session {
 public:
  explicit Session(const LoadedLibrary& library);

  [[nodiscard]] const Api& api() const { return api_; }

  /// Dense row-major layout.
  [[nodiscard]] MemoryDesc plain(const std::vector<std::int64_t>& dims, DataType type) const;
  /// A matrix whose columns lie one after the other.
  [[nodiscard]] MemoryDesc column_major(std::int64_t rows, std::int64_t columns, DataType type) const;
  /// Layout for the library to choose.
  [[nodiscard]] MemoryDesc any(const std::vector<std::int64_t>& dims, DataType type) const;
  [[nodiscard]] bool same_layout(const MemoryDesc& one, const MemoryDesc& other) const;

  /// Empty when the library has no implementation. Strict fp32 arithmetic whatever the environment asks.
  [[nodiscard]] OwnedPrimitiveDesc primitive_desc(const void* op_desc,
                                                  const PrimitiveDescRecord* forward_hint = nullptr) const;
  [[nodiscard]] OwnedPrimitive primitive(const PrimitiveDescRecord& desc) const;
  [[nodiscard]] MemoryDesc chosen_layout(const PrimitiveDescRecord& desc, Query tensor) const;
  /// The library's name of what it chose, e.g. "brgconv:avx512_core".
  [[nodiscard]] std::string implementation(const PrimitiveDescRecord& desc) const;

  [[nodiscard]] Tensor tensor(const MemoryDesc& desc) const;
  /// Copies values from one layout to another, converting the data type where they differ.
  void reorder(const Tensor& from, const Tensor& to) const;
  /// `tensor` itself when it already has `layout`, else a copy in it.
  [[nodiscard]] Tensor in_layout(Tensor tensor, const MemoryDesc& layout) const;

  /// Queues one execution; wait() returns when all queued ones are complete.
  void execute(const PrimitiveRecord& primitive, const std::vector<ExecArg>& arguments) const;
  void wait() const;

 private:
  const Api& api_;
  Owned<EngineRecord> engine_;
  Owned<StreamRecord> stream_;
  Owned<AttrRecord> strict_;
};

/// Throws Error for any status but kSuccess; `function` is the C function's name.
void check(int status, const char* function);

}  // namespace gpuassay::onednn
