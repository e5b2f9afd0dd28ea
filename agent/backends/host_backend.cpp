#include "agent/backends/host_backend.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "agent/backends/cpu_backend.h"
#include "agent/backends/cpu_bandwidth.h"
#include "agent/backends/cpu_compute.h"
#include "agent/backends/cpu_context.h"
#include "agent/backends/disk_operations.h"
#include "agent/backends/network_operations.h"
#include "core/error.h"

namespace gpuassay {
namespace {

/// What a team of threads and OpenMP bind this thread to is taken back: threads that a driver starts later would
/// inherit it.
class KeptAffinity {
 public:
  KeptAffinity() : known_(pthread_getaffinity_np(pthread_self(), sizeof before_, &before_) == 0) {}
  KeptAffinity(const KeptAffinity&) = delete;
  KeptAffinity& operator=(const KeptAffinity&) = delete;
  ~KeptAffinity() {
    if (known_) (void)pthread_setaffinity_np(pthread_self(), sizeof before_, &before_);
  }

 private:
  cpu_set_t before_{};
  bool known_;
};

/// An operation on threads that are bound to CPUs.
class Bound final : public Operation {
 public:
  template <class Prepare>
  explicit Bound(const Prepare& prepare) : operation_(prepare()) {}

  std::int64_t run_timed_ns(std::int64_t iterations) override { return operation_->run_timed_ns(iterations); }
  Verification verify() override { return operation_->verify(); }
  [[nodiscard]] double min_sample_ns() const override { return operation_->min_sample_ns(); }
  [[nodiscard]] std::string algorithm() const override { return operation_->algorithm(); }

 private:
  KeptAffinity affinity_;  ///< first: put back when the operation and its threads are gone
  std::unique_ptr<Operation> operation_;
};

class HostBackend final : public Backend {
 public:
  explicit HostBackend(HostSelection selection) : selection_(std::move(selection)) {}

  std::unique_ptr<Operation> prepare(const OperationParams& params) override {
    return std::visit([this](const auto& shape) { return this->prepare_shape(shape); }, params);
  }

 private:
  std::unique_ptr<Operation> prepare_shape(const BandwidthParams& params) const {
    return std::make_unique<Bound>([&] { return prepare_cpu_bandwidth(team(), params); });
  }
  std::unique_ptr<Operation> prepare_shape(const ComputeParams& params) const {
    return std::make_unique<Bound>([&] { return prepare_cpu_compute(team(), params); });
  }
  std::unique_ptr<Operation> prepare_shape(const GemmParams& params) const {
    return std::make_unique<Bound>([&] {
      try {
        return make_cpu_backend(selection_.cpu)->prepare(params);
      } catch (const Error& error) {
        if (error.code() != ErrorCode::library_missing) throw;
        throw Error(ErrorCode::unsupported,
                    "there is no oneDNN for matrix products of the CPUs; arithmetic alone says "
                    "what they can do");
      }
    });
  }
  std::unique_ptr<Operation> prepare_shape(const DiskParams& params) const {
    return prepare_disk(selection_.folder, params);
  }
  std::unique_ptr<Operation> prepare_shape(const NetworkParams& params) const {
    if (!selection_.target) throw Error(ErrorCode::unsupported, "no --network-target was named");
    return prepare_network(*selection_.target, params);
  }
  template <class Other>
  std::unique_ptr<Operation> prepare_shape(const Other&) const {
    throw Error(ErrorCode::unsupported, "this is measured on a device only");
  }

  [[nodiscard]] std::shared_ptr<PinnedThreads> team() const {
    return std::make_shared<PinnedThreads>(measuring_cpus(selection_.cpu));
  }

  HostSelection selection_;
};

}  // namespace

std::unique_ptr<Backend> make_host_backend(HostSelection selection) {
  return std::make_unique<HostBackend>(std::move(selection));
}

}  // namespace gpuassay
