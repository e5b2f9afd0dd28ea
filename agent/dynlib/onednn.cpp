#include "agent/dynlib/onednn.h"

#include <fmt/format.h>

#include <utility>

#include "core/error.h"

namespace gpuassay::onednn {
namespace {

/// Calls visit(symbol name, function pointer member) for every function oneDNN must export.
template <class Visit>
void for_each_required(Api& api, Visit visit) {
  visit("dnnl_engine_create", api.dnnl_engine_create);
  visit("dnnl_engine_destroy", api.dnnl_engine_destroy);
  visit("dnnl_stream_create", api.dnnl_stream_create);
  visit("dnnl_stream_wait", api.dnnl_stream_wait);
  visit("dnnl_stream_destroy", api.dnnl_stream_destroy);
  visit("dnnl_memory_desc_init_by_strides", api.dnnl_memory_desc_init_by_strides);
  visit("dnnl_memory_desc_init_by_tag", api.dnnl_memory_desc_init_by_tag);
  visit("dnnl_memory_desc_equal", api.dnnl_memory_desc_equal);
  visit("dnnl_memory_desc_get_size", api.dnnl_memory_desc_get_size);
  visit("dnnl_memory_create", api.dnnl_memory_create);
  visit("dnnl_memory_destroy", api.dnnl_memory_destroy);
  visit("dnnl_matmul_desc_init", api.dnnl_matmul_desc_init);
  visit("dnnl_convolution_forward_desc_init", api.dnnl_convolution_forward_desc_init);
  visit("dnnl_convolution_backward_data_desc_init", api.dnnl_convolution_backward_data_desc_init);
  visit("dnnl_convolution_backward_weights_desc_init", api.dnnl_convolution_backward_weights_desc_init);
  visit("dnnl_primitive_desc_create", api.dnnl_primitive_desc_create);
  visit("dnnl_primitive_desc_destroy", api.dnnl_primitive_desc_destroy);
  visit("dnnl_primitive_desc_query", api.dnnl_primitive_desc_query);
  visit("dnnl_primitive_desc_query_md", api.dnnl_primitive_desc_query_md);
  visit("dnnl_primitive_create", api.dnnl_primitive_create);
  visit("dnnl_primitive_execute", api.dnnl_primitive_execute);
  visit("dnnl_primitive_destroy", api.dnnl_primitive_destroy);
  visit("dnnl_reorder_primitive_desc_create", api.dnnl_reorder_primitive_desc_create);
  visit("dnnl_primitive_attr_create", api.dnnl_primitive_attr_create);
  visit("dnnl_primitive_attr_destroy", api.dnnl_primitive_attr_destroy);
  visit("dnnl_sgemm", api.dnnl_sgemm);
}

/// The same for functions gpuassay can do without.
template <class Visit>
void for_each_optional(Api& api, Visit visit) {
  visit("dnnl_primitive_attr_set_fpmath_mode", api.dnnl_primitive_attr_set_fpmath_mode);
  visit("dnnl_set_verbose", api.dnnl_set_verbose);
  visit("omp_get_max_threads", api.omp_get_max_threads);
  visit("omp_set_num_threads", api.omp_set_num_threads);
}

}  // namespace

LoadedLibrary load(const LibrarySearch& search) {
  LoadedLibrary loaded{SharedLibrary::open(search, kSoname, kRemedy), Api{}, Version{}};
  const auto bind_required = [&](const char* name, auto& function) {
    function = loaded.library.required_symbol<std::remove_reference_t<decltype(function)>>(name);
  };
  // The version comes first: a library of another major version is told by its version, not by what it lacks.
  bind_required("dnnl_version", loaded.api.dnnl_version);
  const Version* version = loaded.api.dnnl_version();
  if (version == nullptr || version->major != 2) {
    throw Error(ErrorCode::library_missing, version == nullptr
                                                ? fmt::format("{} does not tell its version; {}", kSoname, kRemedy)
                                                : fmt::format("{} is oneDNN {}.{}.{}, gpuassay needs 2.x; {}", kSoname,
                                                              version->major, version->minor, version->patch, kRemedy));
  }
  loaded.version = *version;
  for_each_required(loaded.api, bind_required);
  for_each_optional(loaded.api, [&](const char* name, auto& function) {
    function = loaded.library.symbol<std::remove_reference_t<decltype(function)>>(name).value_or(nullptr);
  });
  // Accepted: open it once more so that it is never unmapped. A rejected library was not pinned.
  loaded.library = SharedLibrary::open(search, kSoname, kRemedy, Unload::never);
  return loaded;
}

}  // namespace gpuassay::onednn
