#include "agent/dynlib/nccl.h"

#include <fmt/format.h>

#include "agent/dynlib/open_candidate.h"
#include "core/error.h"

namespace gpuassay::nccl {
namespace {

/// Calls visit(exported name, function pointer member) for every function this library must export.
template <class Visit>
void for_each_required(Api& api, Visit visit) {
  visit("ncclGetVersion", api.ncclGetVersion);
  visit("ncclGetErrorString", api.ncclGetErrorString);
  visit("ncclCommInitAll", api.ncclCommInitAll);
  visit("ncclCommDestroy", api.ncclCommDestroy);
  visit("ncclAllReduce", api.ncclAllReduce);
  visit("ncclGroupStart", api.ncclGroupStart);
  visit("ncclGroupEnd", api.ncclGroupEnd);
}

/// The same for functions gpuassay can do without.
template <class Visit>
void for_each_optional(Api& api, Visit visit) {
  visit("ncclGetLastError", api.ncclGetLastError);
}

}  // namespace

std::vector<SymbolName> symbol_names() {
  std::vector<SymbolName> names;
  Api api;
  for_each_required(api, CollectNames(names, true));
  for_each_optional(api, CollectNames(names, false));
  return names;
}

LibraryVersion version_from_number(int number) {
  const int unit = number < 10000 ? 1000 : 10000;
  return {number / unit, number % unit / 100, number % 100};
}

LoadedLibrary load(const LibraryCandidate& candidate) {
  LoadedLibrary loaded{open_candidate(candidate), Api{}, LibraryVersion{}};
  for_each_required(loaded.api, BindRequired(loaded.library));
  for_each_optional(loaded.api, BindOptional(loaded.library));
  int number = 0;
  check(loaded.api, loaded.api.ncclGetVersion(&number), "ncclGetVersion");
  loaded.version = version_from_number(number);
  return loaded;
}

void check(const Api& api, int status, const char* symbol, std::source_location where) {
  if (status == kSuccess) return;
  const char* text = api.ncclGetErrorString == nullptr ? nullptr : api.ncclGetErrorString(status);
  throw Error(ErrorCode::library_failed,
              fmt::format("{} failed with {}: {}", symbol, status, text == nullptr ? "unknown error" : text), status,
              where);
}

}  // namespace gpuassay::nccl
