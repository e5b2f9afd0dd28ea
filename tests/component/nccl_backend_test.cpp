// Collectives on fake GPUs in this process, and among two processes that meet over loopback.
#include "agent/backends/nccl_backend.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "tests/support/fake_gpu_session.h"

namespace gpuassay {
namespace {

using test::FakeGpuSession;
using test::FakeSetup;

GroupMember member(int device) {
  CudaSelection selection;
  selection.ordinal = device;
  selection.driver = FakeGpuSession::candidate(cuda::kSoname);
  selection.nccl = FakeGpuSession::candidate(nccl::kSoname);
  return {device, selection, false};
}

std::unique_ptr<Backend> group_on(const FakeSetup& setup, int devices) {
  (void)test::load_fake_driver(setup);
  std::vector<GroupMember> members;
  members.reserve(static_cast<std::size_t>(devices));
  for (int i = 0; i < devices; ++i) members.push_back(member(i));
  return make_nccl_backend(members);
}

CollectiveParams collective(CollectiveKind kind, std::int64_t ranks, CollectiveMode mode = CollectiveMode::bandwidth) {
  return {kind, DType::fp32, 48 << 10, ranks, mode};
}

constexpr CollectiveKind kKinds[] = {CollectiveKind::all_reduce, CollectiveKind::all_gather,
                                     CollectiveKind::reduce_scatter, CollectiveKind::all_to_all};

TEST(NcclBackend, EveryCollectiveIsVerifiedOnEveryRank) {
  const auto backend = group_on({.gpus = "V100-SXM2-16GB*2,T4"}, 3);
  for (const CollectiveKind kind : kKinds) {
    const auto operation = backend->prepare(collective(kind, 3));
    EXPECT_FALSE(operation->verify().passed) << "nothing has run yet";
    EXPECT_GT(operation->run_timed_ns(5), 0);
    const Verification verification = operation->verify();
    EXPECT_TRUE(verification.passed) << verification.wrong_part << " " << verification.max_error;
    EXPECT_GE(verification.positions, 3 * 64);
    EXPECT_EQ(operation->algorithm(), "nccl 2.21.5");
  }
}

TEST(NcclBackend, SixteenBitSumsKeepTheirTolerance) {
  const auto backend = group_on({.gpus = "A100-SXM4-40GB*4"}, 4);
  for (const DType dtype : {DType::fp16, DType::bf16}) {
    CollectiveParams params = collective(CollectiveKind::all_reduce, 4);
    params.dtype = dtype;
    const auto operation = backend->prepare(params);
    (void)operation->run_timed_ns(1);
    const Verification verification = operation->verify();
    EXPECT_TRUE(verification.passed);
    EXPECT_GT(verification.max_error, 0) << "sums in 16 bits are rounded";
  }
}

TEST(NcclBackend, LatenciesAreOfSingleCalls) {
  const auto backend = group_on({.gpus = "V100-SXM2-16GB*2"}, 2);
  for (const CollectiveMode mode : {CollectiveMode::plain, CollectiveMode::graph}) {
    const auto operation = backend->prepare(collective(CollectiveKind::all_reduce, 2, mode));
    EXPECT_FALSE(operation->verify().passed) << "recording is not running";
    constexpr std::int64_t kCalls = 320;
    EXPECT_GT(operation->run_timed_ns(kCalls), 0);
    EXPECT_EQ(operation->each_ns().size(), mode == CollectiveMode::plain ? 320u : 20u) << "16 calls in a graph";
    for (const double each_ns : operation->each_ns()) EXPECT_GT(each_ns, 1000);
    EXPECT_TRUE(operation->verify().passed);
  }
}

TEST(NcclBackend, AWrongRankIsNamed) {
  const auto operation =
      group_on({.gpus = "V100-SXM2-16GB*4", .faults = "wrong:2:collective"}, 4)->prepare(collective(kKinds[0], 4));
  (void)operation->run_timed_ns(1);
  const Verification verification = operation->verify();
  EXPECT_FALSE(verification.passed);
  EXPECT_EQ(verification.wrong_part, "of rank 2 (GPU 2)");
}

ErrorCode refusal(Backend& backend, const OperationParams& params) {
  try {
    (void)backend.prepare(params);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(NcclBackend, WhatCannotBeIsUnsupported) {
  const auto two = group_on({.gpus = "T4*2"}, 2);
  EXPECT_EQ(refusal(*two, collective(kKinds[0], 3)), ErrorCode::unsupported);
  EXPECT_EQ(refusal(*two, GemmParams{DType::fp32, 8, 8, 8, 1}), ErrorCode::unsupported);
  EXPECT_EQ(refusal(*group_on({.gpus = "T4*2"}, 1), collective(kKinds[0], 2)), ErrorCode::unsupported);
  auto mig = std::vector{member(0), member(1)};
  mig[1].is_mig = true;
  EXPECT_EQ(refusal(*make_nccl_backend(mig), collective(kKinds[0], 2)), ErrorCode::unsupported);
  auto without = std::vector{member(0), member(1)};
  without[0].selection.nccl.reset();
  EXPECT_EQ(refusal(*make_nccl_backend(without), collective(kKinds[0], 2)), ErrorCode::unsupported);
}

TEST(NcclBackend, WithoutGraphsThePlainCallsAreLeft) {
  const auto backend = group_on({.gpus = "T4*2", .faults = "no_capture"}, 2);
  EXPECT_EQ(refusal(*backend, collective(kKinds[0], 2, CollectiveMode::graph)), ErrorCode::unsupported);
  EXPECT_FALSE(backend->fatal_error());
  const auto plain = backend->prepare(collective(kKinds[0], 2, CollectiveMode::plain));
  (void)plain->run_timed_ns(10);
  EXPECT_TRUE(plain->verify().passed);
}

TEST(NcclBackend, ALostGpuIsNamed) {
  const auto backend = group_on({.gpus = "T4*3", .faults = "lost:1:30"}, 3);
  const auto operation = backend->prepare(collective(kKinds[0], 3));
  EXPECT_THROW((void)operation->run_timed_ns(100), Error);
  const auto fatal = backend->fatal_error();
  ASSERT_TRUE(fatal);
  EXPECT_NE(std::string(fatal->what()).find("GPU 1: "), std::string::npos) << fatal->what();
}

/// Everything that one of two processes does; whether all of it was right.
bool measures_in_step(const WorldPlace& place) {
  const auto backend = make_nccl_backend({member(place.first_rank)}, place);
  bool right = true;
  for (const CollectiveKind kind : kKinds) {
    for (const CollectiveMode mode : {CollectiveMode::bandwidth, CollectiveMode::plain, CollectiveMode::graph}) {
      const auto operation = backend->prepare(collective(kind, 2, mode));
      right = right && !operation->verify().passed && operation->run_timed_ns(20) > 0 && operation->verify().passed;
    }
  }
  return right;
}

TEST(NcclBackend, ProcessesReallyExchangeWhatTheySum) {
  const FakeSetup setup{.gpus = "T4,V100-SXM2-16GB"};
  (void)test::load_fake_driver(setup);
  int pipe_fds[2] = {};
  ASSERT_EQ(::pipe2(pipe_fds, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    WorldPlace place{1, 2, {}};
    const bool told = ::read(pipe_fds[0], &place.id, sizeof place.id) == static_cast<ssize_t>(sizeof place.id);
    ::_exit(told && measures_in_step(place) ? 0 : 1);
  }
  WorldPlace place{0, 2, make_unique_id(member(0))};
  ASSERT_EQ(::write(pipe_fds[1], &place.id, sizeof place.id), static_cast<ssize_t>(sizeof place.id));
  EXPECT_TRUE(measures_in_step(place));
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ::close(pipe_fds[0]);
  ::close(pipe_fds[1]);
}

}  // namespace
}  // namespace gpuassay
