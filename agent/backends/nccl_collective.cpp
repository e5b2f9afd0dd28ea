// One collective among all ranks of a group: many calls back to back for its bandwidth, or each call by itself, plain
// or in graphs, for its latency.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "agent/backends/cuda_graph.h"
#include "agent/backends/nccl_backend.h"
#include "agent/workloads/collective_reference.h"
#include "core/error.h"

namespace gpuassay {
namespace {

int nccl_type_of(kernels::ElementFormat format) {
  switch (format) {
    case kernels::ElementFormat::fp16: return nccl::kFloat16;
    case kernels::ElementFormat::bf16: return nccl::kBfloat16;
    default: return nccl::kFloat32;
  }
}

bool has(const nccl::Api& api, CollectiveKind kind) {
  switch (kind) {
    case CollectiveKind::all_reduce: return true;
    case CollectiveKind::all_gather: return api.ncclAllGather != nullptr;
    case CollectiveKind::reduce_scatter: return api.ncclReduceScatter != nullptr;
    case CollectiveKind::all_to_all: return api.ncclSend != nullptr && api.ncclRecv != nullptr;
  }
  return false;
}

/// Operands and clock of one local rank; its context is current while they are made and while they go.
struct RankOperands {
  RankOperands(const LocalRank& of, const CollectiveParams& params)
      : local(of),
        begin(nullptr, of.context->api().cuEventDestroy_v2),
        end(nullptr, of.context->api().cuEventDestroy_v2) {
    CudaContext& context = *of.context;
    context.make_current();
    const CollectiveSizes sizes = collective_sizes(params);
    const kernels::ElementFormat format = collective_format(params);
    const auto element_bytes = static_cast<std::int64_t>(kernels::bits_of(format) / 8);
    send = context.allocate(static_cast<std::size_t>(sizes.send * element_bytes));
    receive = context.allocate(static_cast<std::size_t>(sizes.receive * element_bytes));
    context.fill(send, format, collective_seed(of.rank), sizes.send);
    begin = make_event(context.api(), cuda::kEventDefault);
    end = make_event(context.api(), cuda::kEventDefault);
  }
  RankOperands(const RankOperands&) = delete;
  RankOperands& operator=(const RankOperands&) = delete;
  ~RankOperands() {
    const CudaContext& context = *local.context;
    try {
      context.make_current();
    } catch (const Error&) {
      return;  // a dead device frees nothing, and the process that used it ends soon
    }
  }

  void record(const OwnedEvent& event) const {
    const CudaContext& context = *local.context;
    context.make_current();
    cuda::check(context.api(), context.api().cuEventRecord(event.get(), context.stream()), "cuEventRecord");
  }

  const LocalRank& local;
  DeviceBuffer send, receive;
  OwnedEvent begin, end;
};

double elapsed_ns(const CudaContext& context, const OwnedEvent& begin, const OwnedEvent& end) {
  float elapsed_ms = 0;
  context.make_current();
  cuda::check(context.api(), context.api().cuEventSynchronize(end.get()), "cuEventSynchronize");
  cuda::check(context.api(), context.api().cuEventElapsedTime(&elapsed_ms, begin.get(), end.get()),
              "cuEventElapsedTime");
  constexpr double kNsPerMs = 1e6;
  return std::max(1.0, static_cast<double>(elapsed_ms) * kNsPerMs);
}

class Collective : public Operation {
 public:
  Collective(std::shared_ptr<NcclGroup> group, const CollectiveParams& params)
      : group_(std::move(group)), params_(params) {
    operands_.reserve(group_->local().size());
    for (const LocalRank& local : group_->local()) operands_.push_back(std::make_unique<RankOperands>(local, params));
    poison();
  }

  /// Calls back to back; as long as on the slowest rank.
  std::int64_t run_timed_ns(std::int64_t iterations) override {
    (void)group_->largest_of_all({1});  // processes start together
    for (const auto& rank : operands_) rank->record(rank->begin);
    for (std::int64_t i = 0; i < iterations; ++i) enqueue();
    for (const auto& rank : operands_) rank->record(rank->end);
    double slowest_ns = 0;
    for (const auto& rank : operands_)
      slowest_ns = std::max(slowest_ns, elapsed_ns(*rank->local.context, rank->begin, rank->end));
    return std::llround(group_->largest_of_all({slowest_ns}).front());
  }

  Verification verify() override {
    const CollectiveSizes sizes = collective_sizes(params_);
    const std::int64_t share = std::max<std::int64_t>(sizes.receive / params_.ranks, 1);
    std::vector<std::int64_t> edges{0, sizes.receive - 1};
    for (std::int64_t at = share; at < sizes.receive && edges.size() < kMostEdges; at += share)
      edges.insert(edges.end(), {at - 1, at});
    Verification worst;
    for (const auto& rank : operands_) {
      const Verification one = verify_rank(*rank, sampled_positions(sizes.receive, edges));
      const std::int64_t positions = worst.positions + one.positions;
      const bool first = worst.positions == 0;
      if (first || (worst.passed && !one.passed) || (worst.passed == one.passed && one.max_error > worst.max_error))
        worst = one;
      worst.positions = positions;
    }
    return worst;
  }

  /// Events have steps of half a microsecond, and the first call waits for the rank that is told last.
  [[nodiscard]] double min_sample_ns() const override { return 5'000'000; }

  [[nodiscard]] std::string algorithm() const override { return "nccl " + group_->version_text(); }

 protected:
  [[nodiscard]] const std::vector<std::unique_ptr<RankOperands>>& operands() const { return operands_; }
  [[nodiscard]] NcclGroup& group() const { return *group_; }

  /// Queues one call on every local rank.
  void enqueue() {
    std::size_t at = 0;
    group_->call([&](const LocalRank&) { enqueue_on(*operands_[at++]); });
  }

  /// What is not written again is seen to be wrong.
  void poison() {
    for (const auto& rank : operands_) {
      rank->local.context->make_current();
      rank->local.context->fill_words(rank->receive, kPoison);
    }
    group_->synchronize();
  }

 private:
  static constexpr std::size_t kMostEdges = 64;

  void enqueue_on(const RankOperands& rank) const {
    const nccl::Api& api = group_->api();
    const CollectiveSizes sizes = collective_sizes(params_);
    const int type = nccl_type_of(collective_format(params_));
    const auto count = static_cast<std::size_t>(std::min(sizes.send, sizes.receive));
    const void* const send = rank.send.pointer();
    void* const receive = rank.receive.pointer();
    nccl::Comm comm = rank.local.comm;
    cuda::Stream stream = rank.local.context->stream();
    switch (params_.kind) {
      case CollectiveKind::all_reduce:
        nccl::check(api, api.ncclAllReduce(send, receive, count, type, nccl::kSum, comm, stream), "ncclAllReduce");
        break;
      case CollectiveKind::all_gather:
        nccl::check(api, api.ncclAllGather(send, receive, count, type, comm, stream), "ncclAllGather");
        break;
      case CollectiveKind::reduce_scatter:
        nccl::check(api, api.ncclReduceScatter(send, receive, count, type, nccl::kSum, comm, stream),
                    "ncclReduceScatter");
        break;
      case CollectiveKind::all_to_all: exchange_with_all(rank, type); break;
    }
  }

  void exchange_with_all(const RankOperands& rank, int type) const {
    const nccl::Api& api = group_->api();
    const auto ranks = static_cast<std::size_t>(params_.ranks);
    const std::size_t share = static_cast<std::size_t>(collective_sizes(params_).send) / ranks;
    const std::size_t share_bytes = rank.send.size_bytes() / ranks;
    cuda::Stream stream = rank.local.context->stream();
    for (std::size_t peer = 0; peer < ranks; ++peer) {
      const auto* const send = static_cast<const std::byte*>(rank.send.pointer()) + peer * share_bytes;
      auto* const receive = static_cast<std::byte*>(rank.receive.pointer()) + peer * share_bytes;
      const auto number = static_cast<int>(peer);
      nccl::check(api, api.ncclSend(send, share, type, number, rank.local.comm, stream), "ncclSend");
      nccl::check(api, api.ncclRecv(receive, share, type, number, rank.local.comm, stream), "ncclRecv");
    }
  }

  [[nodiscard]] Verification verify_rank(const RankOperands& rank, const std::vector<std::int64_t>& positions) const {
    const kernels::ElementFormat format = collective_format(params_);
    rank.local.context->make_current();
    const auto bits = rank.local.context->sample(rank.receive, kernels::bits_of(format) / 8, positions);
    OutputCheck check(collective_rule(params_));
    for (std::size_t i = 0; i < positions.size(); ++i) {
      check.compare(kernels::value_of(format, bits[i]),
                    collective_reference_at(params_, rank.local.rank, positions[i]));
    }
    Verification verification = check.result();
    if (!verification.passed)
      verification.wrong_part = fmt::format("of rank {} (GPU {})", rank.local.rank, rank.local.device);
    return verification;
  }

  std::shared_ptr<NcclGroup> group_;
  CollectiveParams params_;
  std::vector<std::unique_ptr<RankOperands>> operands_;
};

/// Each call, or each graph of calls, between two events of the first local rank, while the next ones are queued
/// already.
class TimedOneByOne : public Collective {
 public:
  TimedOneByOne(std::shared_ptr<NcclGroup> group, const CollectiveParams& params, std::int64_t calls_each)
      : Collective(std::move(group), params), calls_each_(calls_each) {
    const CudaContext& context = *operands().front()->local.context;
    context.make_current();
    for (std::size_t i = 0; i <= NcclGroup::kMostAgreed; ++i)
      events_.push_back(make_event(context.api(), cuda::kEventDefault));
  }

  std::int64_t run_timed_ns(std::int64_t iterations) override {
    each_ns_.clear();
    double total_ns = 0;
    const std::int64_t launches = (iterations + calls_each_ - 1) / calls_each_;
    for (std::int64_t done = 0; done < launches; done += batch(launches - done)) {
      for (const double launch_ns : time_launches(batch(launches - done))) {
        each_ns_.push_back(launch_ns / static_cast<double>(calls_each_));
        total_ns += launch_ns;
      }
    }
    const double share = static_cast<double>(iterations) / static_cast<double>(launches * calls_each_);
    return std::max<std::int64_t>(1, std::llround(total_ns * share));
  }

  [[nodiscard]] std::vector<double> each_ns() const override { return each_ns_; }
  [[nodiscard]] double min_sample_ns() const override { return 1'000'000; }

 protected:
  /// Queues what lies between two events: `calls_each` calls.
  virtual void launch() = 0;

 private:
  static std::int64_t batch(std::int64_t left) {
    return std::min(left, static_cast<std::int64_t>(NcclGroup::kMostAgreed));
  }

  std::vector<double> time_launches(std::int64_t launches) {
    (void)group().largest_of_all({1});
    const RankOperands& first = *operands().front();
    const auto count = static_cast<std::size_t>(launches);
    first.record(events_[0]);
    for (std::size_t i = 0; i < count; ++i) {
      launch();
      first.record(events_[i + 1]);
    }
    group().synchronize();
    std::vector<double> times_ns(count);
    for (std::size_t i = 0; i < count; ++i) times_ns[i] = elapsed_ns(*first.local.context, events_[i], events_[i + 1]);
    return group().largest_of_all(std::move(times_ns));
  }

  std::int64_t calls_each_;
  std::vector<OwnedEvent> events_;
  std::vector<double> each_ns_;
};

class PlainCalls final : public TimedOneByOne {
 public:
  PlainCalls(std::shared_ptr<NcclGroup> group, const CollectiveParams& params)
      : TimedOneByOne(std::move(group), params, 1) {}

 protected:
  void launch() override { enqueue(); }
};

class GraphCalls final : public TimedOneByOne {
 public:
  GraphCalls(std::shared_ptr<NcclGroup> group, const CollectiveParams& params)
      : TimedOneByOne(std::move(group), params, kCalls) {
    enqueue();  // what NCCL sets up at the first call cannot be recorded
    poison();
    if (!record_from(0)) {
      throw Error(ErrorCode::unsupported,
                  "driver and NCCL do not record this collective in CUDA graphs; newer ones may (NCCL 2.9, CUDA 11.3)");
    }
  }

 protected:
  void launch() override {
    for (const auto& [rank, graph] : graphs_) {
      rank->local.context->make_current();
      graph.launch();
    }
  }

 private:
  /// All-reduces of a few layers: what the launch of the graph costs is shared among so many.
  static constexpr std::int64_t kCalls = 16;

  /// Streams of all ranks from `at` on are put into capture mode, one within the other, as one call is queued on all.
  bool record_from(std::size_t at) {
    if (at == operands().size()) {
      for (std::int64_t i = 0; i < kCalls; ++i) enqueue();
      return true;
    }
    const RankOperands& rank = *operands()[at];
    rank.local.context->make_current();
    auto graph = CudaGraph::record(*rank.local.context, kCalls, [&] {
      const bool recorded = record_from(at + 1);
      rank.local.context->make_current();
      if (!recorded) throw Error(ErrorCode::unsupported, "another rank was not recorded");
    });
    if (graph) graphs_.emplace_back(&rank, std::move(*graph));
    return graph.has_value();
  }

  std::vector<std::pair<const RankOperands*, CudaGraph>> graphs_;
};

}  // namespace

std::unique_ptr<Operation> prepare_collective(std::shared_ptr<NcclGroup> group, const CollectiveParams& params) {
  if (!has(group->api(), params.kind))
    throw Error(ErrorCode::unsupported, "this NCCL lacks the calls for it; NCCL 2.7 has them");
  (void)collective_sizes(params);  // refuses what cannot be shared out
  switch (params.mode) {
    case CollectiveMode::plain: return std::make_unique<PlainCalls>(std::move(group), params);
    case CollectiveMode::graph: return std::make_unique<GraphCalls>(std::move(group), params);
    case CollectiveMode::bandwidth: break;
  }
  return std::make_unique<Collective>(std::move(group), params);
}

}  // namespace gpuassay
