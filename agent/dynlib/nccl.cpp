#include "agent/dynlib/nccl.h"

#include <fmt/format.h>

#include "agent/dynlib/open_candidate.h"
#include "core/error.h"

namespace gpuassay::nccl {
namespace {

/// The exported functions that gpuassay asks for; see names_in_table.
struct Table {
  template <class Visit>
  static void required(Api& api, Visit visit) {
    visit("ncclGetVersion", api.ncclGetVersion);
    visit("ncclGetErrorString", api.ncclGetErrorString);
    visit("ncclCommInitAll", api.ncclCommInitAll);
    visit("ncclCommDestroy", api.ncclCommDestroy);
    visit("ncclAllReduce", api.ncclAllReduce);
    visit("ncclGroupStart", api.ncclGroupStart);
    visit("ncclGroupEnd", api.ncclGroupEnd);
  }

  /// gpuassay can do without these.
  template <class Visit>
  static void optional(Api& api, Visit visit) {
    visit("ncclGetLastError", api.ncclGetLastError);
    visit("ncclGetUniqueId", api.ncclGetUniqueId);
    visit("ncclCommInitRank", api.ncclCommInitRank);
    visit("ncclAllGather", api.ncclAllGather);
    visit("ncclReduceScatter", api.ncclReduceScatter);
    visit("ncclSend", api.ncclSend);
    visit("ncclRecv", api.ncclRecv);
  }
};

}  // namespace

std::vector<SymbolName> symbol_names() { return names_in_table<Table, Api>(); }

LibraryVersion version_from_number(int number) {
  const int unit = number < 10000 ? 1000 : 10000;
  return {number / unit, number % unit / 100, number % 100};
}

LoadedLibrary load(const LibraryCandidate& candidate) {
  LoadedLibrary loaded{open_candidate(candidate), Api{}, LibraryVersion{}};
  bind_table<Table>(loaded.library, loaded.api);
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
