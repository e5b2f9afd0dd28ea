// A file into the memory of a fake GPU.
#include <gtest/gtest.h>

#include <filesystem>

#include "agent/backends/cuda_backend.h"
#include "core/error.h"
#include "tests/support/fake_gpu_session.h"
#include "tests/support/scratch_root.h"

namespace gpuassay {
namespace {

/// More blocks than there are buffers.
constexpr DiskParams kLoad{DiskKind::disk_to_device, 16 << 20, 64 << 10};

std::unique_ptr<Backend> loading_backend(const std::filesystem::path& folder) {
  (void)test::load_fake_driver({});
  CudaSelection selection;
  selection.driver = test::FakeGpuSession::candidate(cuda::kSoname);
  selection.folder = folder;
  return make_cuda_backend(selection);
}

TEST(CudaDiskLoad, WhatArrivesIsWhatWasWritten) {
  const test::ScratchRoot root;
  std::unique_ptr<Operation> operation;
  try {
    operation = loading_backend(root.path())->prepare(kLoad);
  } catch (const Error& error) {
    if (std::string(error.what()).find("lies in memory") == std::string::npos) throw;
    GTEST_SKIP() << error.what();  // a temporary directory in memory is no disk to load from
  }
  EXPECT_FALSE(operation->verify().passed) << "nothing was loaded yet";
  EXPECT_GT(operation->run_timed_ns(2), 0);
  const Verification verification = operation->verify();
  EXPECT_TRUE(verification.passed);
  const std::int64_t bytes = std::get<DiskParams>(*operation->performed()).bytes;
  EXPECT_GE(verification.positions, std::min<std::int64_t>(64, 2 * bytes / kLoad.block_bytes));
  EXPECT_FALSE(operation->verify().passed) << "what an earlier run left does not count";
  EXPECT_NE(operation->algorithm().find("3 pinned buffers"), std::string::npos) << operation->algorithm();
  EXPECT_TRUE(std::filesystem::is_empty(root.path()));
}

TEST(CudaDiskLoad, WithoutAFolderItIsSkipped) {
  const auto code_of = [](const std::filesystem::path& folder, const DiskParams& params) -> std::optional<ErrorCode> {
    try {
      (void)loading_backend(folder)->prepare(params);
    } catch (const Error& error) {
      return error.code();
    }
    return std::nullopt;
  };
  const test::ScratchRoot root;
  EXPECT_EQ(code_of(root.path() / "missing", kLoad), ErrorCode::unsupported);
  EXPECT_EQ(code_of("", kLoad), ErrorCode::unsupported);
  EXPECT_EQ(code_of(root.path(), {DiskKind::sequential_read, 1 << 20, 4096}), ErrorCode::unsupported);
  EXPECT_EQ(code_of(root.path(), {DiskKind::disk_to_device, 1 << 20, 1000}), ErrorCode::unsupported);
}

}  // namespace
}  // namespace gpuassay
