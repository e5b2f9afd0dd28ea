#include "agent/backends/onednn_session.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "core/error.h"

namespace gpuassay::onednn {
namespace {

std::vector<std::int64_t> row_major_strides(const std::vector<std::int64_t>& dims) {
  std::vector<std::int64_t> strides(dims.size(), 1);
  for (std::size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

Owned<EngineRecord> make_engine(const Api& api) {
  EngineHandle handle = nullptr;
  check(api.dnnl_engine_create(&handle, kCpuEngine, 0), "dnnl_engine_create");
  return {handle, api.dnnl_engine_destroy};
}

Owned<StreamRecord> make_stream(const Api& api, EngineHandle engine) {
  StreamHandle handle = nullptr;
  check(api.dnnl_stream_create(&handle, engine, kInOrderStream), "dnnl_stream_create");
  return {handle, api.dnnl_stream_destroy};
}

Owned<AttrRecord> make_strict_attributes(const Api& api) {
  AttrHandle handle = nullptr;
  check(api.dnnl_primitive_attr_create(&handle), "dnnl_primitive_attr_create");
  Owned<AttrRecord> attributes(handle, api.dnnl_primitive_attr_destroy);
  if (api.dnnl_primitive_attr_set_fpmath_mode != nullptr) {
    check(api.dnnl_primitive_attr_set_fpmath_mode(handle, kStrictMath), "dnnl_primitive_attr_set_fpmath_mode");
  }
  return attributes;
}

}  // namespace

void check(int status, const char* function) {
  if (status == kSuccess) return;
  if (status == kOutOfMemory) {
    throw Error(ErrorCode::out_of_memory,
                fmt::format("oneDNN's {} ran out of memory; free memory or choose a smaller profile", function),
                status);
  }
  throw Error(
      ErrorCode::library_failed,
      fmt::format("oneDNN's {} failed with status {}; reinstall libdnnl2 if it happens again", function, status),
      status);
}

Session::Session(const LoadedLibrary& library)
    : api_(library.api),
      engine_(make_engine(api_)),
      stream_(make_stream(api_, engine_.get())),
      strict_(make_strict_attributes(api_)) {}

MemoryDesc Session::plain(const std::vector<std::int64_t>& dims, DataType type) const {
  MemoryDesc desc{};
  check(api_.dnnl_memory_desc_init_by_strides(&desc, static_cast<int>(dims.size()), dims.data(), type,
                                              row_major_strides(dims).data()),
        "dnnl_memory_desc_init_by_strides");
  return desc;
}

MemoryDesc Session::column_major(std::int64_t rows, std::int64_t columns, DataType type) const {
  MemoryDesc desc{};
  const std::array<std::int64_t, 2> dims{rows, columns}, strides{1, rows};
  check(api_.dnnl_memory_desc_init_by_strides(&desc, 2, dims.data(), type, strides.data()),
        "dnnl_memory_desc_init_by_strides");
  return desc;
}

MemoryDesc Session::any(const std::vector<std::int64_t>& dims, DataType type) const {
  MemoryDesc desc{};
  check(api_.dnnl_memory_desc_init_by_tag(&desc, static_cast<int>(dims.size()), dims.data(), type, kAnyFormat),
        "dnnl_memory_desc_init_by_tag");
  return desc;
}

bool Session::same_layout(const MemoryDesc& one, const MemoryDesc& other) const {
  return api_.dnnl_memory_desc_equal(&one, &other) != 0;
}

OwnedPrimitiveDesc Session::primitive_desc(const void* op_desc, const PrimitiveDescRecord* forward_hint) const {
  PrimitiveDescHandle handle = nullptr;
  const int status = api_.dnnl_primitive_desc_create(&handle, op_desc, strict_.get(), engine_.get(), forward_hint);
  if (status == kUnimplemented) return {nullptr, api_.dnnl_primitive_desc_destroy};
  check(status, "dnnl_primitive_desc_create");
  return {handle, api_.dnnl_primitive_desc_destroy};
}

OwnedPrimitive Session::primitive(const PrimitiveDescRecord& desc) const {
  PrimitiveHandle handle = nullptr;
  check(api_.dnnl_primitive_create(&handle, &desc), "dnnl_primitive_create");
  return {handle, api_.dnnl_primitive_destroy};
}

MemoryDesc Session::chosen_layout(const PrimitiveDescRecord& desc, Query tensor) const {
  const MemoryDesc* found = api_.dnnl_primitive_desc_query_md(&desc, tensor, 0);
  if (found == nullptr) {
    throw Error(ErrorCode::library_failed,
                "oneDNN does not tell the layout it chose (dnnl_primitive_desc_query_md); reinstall libdnnl2");
  }
  return *found;
}

std::string Session::implementation(const PrimitiveDescRecord& desc) const {
  const char* name = nullptr;
  const int status = api_.dnnl_primitive_desc_query(&desc, kQueryImplementation, 0, static_cast<void*>(&name));
  return status == kSuccess && name != nullptr ? name : "";
}

Tensor Session::tensor(const MemoryDesc& desc) const {
  Tensor made{desc, AlignedBuffer(api_.dnnl_memory_desc_get_size(&desc)), {nullptr, api_.dnnl_memory_destroy}};
  MemoryHandle handle = nullptr;
  check(api_.dnnl_memory_create(&handle, &desc, engine_.get(), made.buffer.data()), "dnnl_memory_create");
  made.memory.reset(handle);
  return made;
}

void Session::reorder(const Tensor& from, const Tensor& to) const {
  PrimitiveDescHandle handle = nullptr;
  check(api_.dnnl_reorder_primitive_desc_create(&handle, &from.desc, engine_.get(), &to.desc, engine_.get(), nullptr),
        "dnnl_reorder_primitive_desc_create");
  const OwnedPrimitiveDesc desc(handle, api_.dnnl_primitive_desc_destroy);
  execute(*primitive(*desc), {{kArgSource, from.memory.get()}, {kArgDestination, to.memory.get()}});
  wait();
}

Tensor Session::in_layout(Tensor given, const MemoryDesc& layout) const {
  if (same_layout(given.desc, layout)) return given;
  Tensor made = tensor(layout);
  reorder(given, made);
  return made;
}

void Session::execute(const PrimitiveRecord& primitive, const std::vector<ExecArg>& arguments) const {
  check(api_.dnnl_primitive_execute(&primitive, stream_.get(), static_cast<int>(arguments.size()), arguments.data()),
        "dnnl_primitive_execute");
}

void Session::wait() const { check(api_.dnnl_stream_wait(stream_.get()), "dnnl_stream_wait"); }

}  // namespace gpuassay::onednn
