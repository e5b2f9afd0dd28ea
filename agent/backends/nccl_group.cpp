#include "agent/backends/nccl_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <span>

#include "core/error.h"

namespace gpuassay {
namespace {

/// NCCL writes its log to stdout, where the result goes.
void keep_stdout_clean() { ::setenv("NCCL_DEBUG_FILE", "/dev/stderr", 0); }

nccl::LoadedLibrary open_nccl(const std::vector<GroupMember>& members) {
  for (const GroupMember& member : members) {
    if (member.is_mig) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("GPU {} is a MIG slice, among which NCCL does not work; collectives "
                              "need whole GPUs",
                              member.device));
    }
    if (!member.selection.nccl) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("there is no NCCL for GPU {}; gpuassay doctor names the package", member.device));
    }
  }
  keep_stdout_clean();
  return nccl::load(*members.front().selection.nccl);
}

}  // namespace

NcclGroup::NcclGroup(const std::vector<GroupMember>& members, const std::optional<WorldPlace>& place)
    : library_(open_nccl(members)), ranks_(place ? place->ranks : static_cast<int>(members.size())) {
  const int first_rank = place ? place->first_rank : 0;
  std::vector<int> ordinals;
  std::vector<nccl::Comm> comms(members.size(), nullptr);
  for (const GroupMember& member : members) {
    const auto rank = first_rank + static_cast<int>(local_.size());
    const CudaSelection& selection = member.selection;
    local_.push_back(
        {rank, member.device, std::make_shared<CudaContext>(selection.driver, selection.ordinal), nullptr});
    ordinals.push_back(selection.ordinal);
  }
  const auto count = static_cast<int>(members.size());
  if (!place) {
    nccl::check(api(), api().ncclCommInitAll(comms.data(), count, ordinals.data()), "ncclCommInitAll");
  } else {
    if (api().ncclCommInitRank == nullptr || count != 1)
      throw Error(ErrorCode::unsupported, "this NCCL does not join several processes");
    local_.front().context->make_current();
    nccl::check(api(), api().ncclCommInitRank(comms.data(), ranks_, place->id, first_rank), "ncclCommInitRank");
  }
  for (std::size_t i = 0; i < comms.size(); ++i) local_[i].comm = comms[i];
  if (ranks_ > count) {
    local_.front().context->make_current();
    told_ = local_.front().context->allocate(kMostAgreed * sizeof(double));
    agreed_ = local_.front().context->allocate(kMostAgreed * sizeof(double));
  }
}

void NcclGroup::call(const std::function<void(const LocalRank&)>& each) {
  is_broken_ = true;  // until all went well
  nccl::check(api(), api().ncclGroupStart(), "ncclGroupStart");
  try {
    for (const LocalRank& rank : local_) each(rank);
  } catch (...) {
    (void)api().ncclGroupEnd();  // a group left open would swallow every later call
    throw;
  }
  nccl::check(api(), api().ncclGroupEnd(), "ncclGroupEnd");
  is_broken_ = false;
}

std::vector<double> NcclGroup::largest_of_all(std::vector<double> values) const {
  if (ranks_ == static_cast<int>(local_.size()) || values.empty()) return values;
  if (values.size() > kMostAgreed) throw Error(ErrorCode::internal, "too many values to agree on");
  const LocalRank& here = local_.front();
  here.context->make_current();
  here.context->write(told_, values.data(), values.size() * sizeof(double));
  nccl::check(api(),
              api().ncclAllReduce(told_.pointer(), agreed_.pointer(), values.size(), nccl::kFloat64, nccl::kMax,
                                  here.comm, here.context->stream()),
              "ncclAllReduce");
  std::vector<double> largest(values.size());
  here.context->read(agreed_, std::as_writable_bytes(std::span(largest)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    // Written so that NaN is caught as well.
    if (!(largest[i] >= values[i]))
      throw Error(ErrorCode::library_failed, "ncclAllReduce gave a maximum below what this rank had told");
  }
  return largest;
}

void NcclGroup::synchronize() const {
  for (const LocalRank& rank : local_) {
    rank.context->make_current();
    rank.context->synchronize();
  }
}

std::optional<Error> NcclGroup::fatal_error() const {
  for (const LocalRank& rank : local_) {
    const auto error = rank.context->fatal_error();
    if (error) return Error(error->code(), fmt::format("GPU {}: {}", rank.device, error->what()), error->native_code());
  }
  return std::nullopt;
}

nccl::UniqueId make_unique_id(const GroupMember& member) {
  const nccl::LoadedLibrary library = open_nccl({member});
  if (library.api.ncclGetUniqueId == nullptr)
    throw Error(ErrorCode::unsupported, "this NCCL does not join several processes");
  nccl::UniqueId id{};
  nccl::check(library.api, library.api.ncclGetUniqueId(&id), "ncclGetUniqueId");
  return id;
}

}  // namespace gpuassay
