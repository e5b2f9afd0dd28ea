#include "agent/backends/nccl_backend.h"

#include <fmt/format.h>

#include <utility>

#include "core/error.h"

namespace gpuassay {
namespace {

class NcclBackend final : public Backend {
 public:
  NcclBackend(std::vector<GroupMember> members, std::optional<WorldPlace> place)
      : members_(std::move(members)), place_(place) {}

  std::unique_ptr<Operation> prepare(const OperationParams& params) override {
    const auto* collective = std::get_if<CollectiveParams>(&params);
    if (collective == nullptr) throw Error(ErrorCode::unsupported, "a single GPU measures this");
    if (!place_ && members_.size() < 2) throw Error(ErrorCode::unsupported, "a collective takes more than one GPU");
    if (!group_) group_ = std::make_shared<NcclGroup>(members_, place_);
    if (collective->ranks != group_->ranks())
      throw Error(ErrorCode::unsupported,
                  fmt::format("{} ranks are not the {} that there are", collective->ranks, group_->ranks()));
    return prepare_collective(group_, *collective);
  }

  std::optional<Error> fatal_error() override {
    if (!group_) return std::nullopt;
    auto error = group_->fatal_error();
    // The next case gets new communicators, where no other process has to make them too.
    if (!error && !place_ && group_->is_broken()) group_.reset();
    return error;
  }

 private:
  std::vector<GroupMember> members_;
  std::optional<WorldPlace> place_;
  std::shared_ptr<NcclGroup> group_;
};

}  // namespace

std::unique_ptr<Backend> make_nccl_backend(std::vector<GroupMember> members, std::optional<WorldPlace> place) {
  return std::make_unique<NcclBackend>(std::move(members), place);
}

}  // namespace gpuassay
