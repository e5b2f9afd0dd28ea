// Who takes part in a collective? The GPUs of this process, each with its context, as ranks of one NCCL communicator
// that may reach into other processes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/backends/cuda_backend.h"
#include "agent/backends/cuda_context.h"
#include "agent/dynlib/nccl.h"

namespace gpuassay {

/// One GPU of this process.
struct GroupMember {
  int device = 0;  ///< its index in the result
  CudaSelection selection;
  bool is_mig = false;
};

/// The place of this process's GPUs among those of several processes.
struct WorldPlace {
  int first_rank = 0;
  int ranks = 0;
  nccl::UniqueId id{};
};

/// One rank that lives here.
struct LocalRank {
  int rank = 0;
  int device = 0;
  std::shared_ptr<CudaContext> context;
  nccl::Comm comm = nullptr;
};

class NcclGroup {
 public:
  /// Opens NCCL and every member's device. Without a place the members are all there is: rank i is members[i]. With one
  /// there must be one member. Throws Error{unsupported} where NCCL cannot be used, Error{library_failed} or the
  /// device's own error where it should.
  NcclGroup(const std::vector<GroupMember>& members, const std::optional<WorldPlace>& place);
  NcclGroup(const NcclGroup&) = delete;
  NcclGroup& operator=(const NcclGroup&) = delete;
  // Communicators are not destroyed: that would wait for ranks that may be gone, and the process ends soon.
  ~NcclGroup() = default;

  [[nodiscard]] const nccl::Api& api() const { return library_.api; }
  [[nodiscard]] const std::vector<LocalRank>& local() const { return local_; }
  [[nodiscard]] int ranks() const { return ranks_; }
  [[nodiscard]] std::string version_text() const { return library_.version.text(); }

  /// Queues one collective: `each` is called for every local rank, within one group of calls.
  void call(const std::function<void(const LocalRank&)>& each);
  /// A call has failed: the communicators may wait for each other for ever.
  [[nodiscard]] bool is_broken() const { return is_broken_; }

  /// Of each value the largest that any rank of any process gave; at most kMostAgreed of them. Returns when all have
  /// told theirs, so that it also lines the processes up. Throws Error{library_failed} when what comes back cannot be.
  [[nodiscard]] std::vector<double> largest_of_all(std::vector<double> values) const;
  static constexpr std::size_t kMostAgreed = 128;

  /// Waits for everything queued on every local rank.
  void synchronize() const;
  /// The first device's error that does not go away; names the device.
  [[nodiscard]] std::optional<Error> fatal_error() const;

 private:
  nccl::LoadedLibrary library_;
  std::vector<LocalRank> local_;
  int ranks_ = 0;
  bool is_broken_ = false;
  DeviceBuffer told_, agreed_;  ///< of the first local rank; empty where all ranks are local
};

/// Opens NCCL for `member` and makes an id that other processes join with. It keeps a thread that waits for them: the
/// process that is to be rank 0 calls it.
nccl::UniqueId make_unique_id(const GroupMember& member);

}  // namespace gpuassay
