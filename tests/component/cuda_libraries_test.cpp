// Loading, looking at and choosing CUDA libraries, on small fake shared objects.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "agent/dynlib/cublas.h"
#include "agent/dynlib/cublaslt.h"
#include "agent/dynlib/cuda_driver.h"
#include "agent/dynlib/cudnn.h"
#include "agent/dynlib/find_driver.h"
#include "agent/dynlib/in_child.h"
#include "agent/dynlib/library_choice.h"
#include "agent/dynlib/nccl.h"
#include "agent/dynlib/nvml.h"
#include "agent/dynlib/nvrtc.h"
#include "agent/dynlib/open_candidate.h"
#include "core/error.h"

namespace gpuassay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

LibraryCandidate fake(const std::string& folder, const std::string& soname, const char* path_kind = "override") {
  return {soname, std::string(FAKE_LIBRARIES_DIR) + "/" + folder + "/" + soname, path_kind, false};
}

/// Runs `body`, which must throw an Error with `code`, and returns its message.
template <class Body>
std::string message_of(ErrorCode code, Body body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no Error was thrown";
  return {};
}

/// What is loaded stays mapped, so every load happens in a child.
std::string in_child(const std::function<std::string()>& body) {
  const ChildAnswer answer = run_in_child(seconds(20), body);
  EXPECT_EQ(answer.end, ChildEnd::answered) << answer.text;
  return answer.text;
}

std::vector<LibraryCandidate> three_cublas() {
  return {fake("cublas_12", "libcublas.so.12", "system"), fake("cublas_13", "libcublas.so.13", "cuda"),
          fake("cublas_11", "libcublas.so.11", "python")};
}

TEST(CudaLibraries, VersionsAreReadWithoutAGpu) {
  EXPECT_EQ(in_child([] { return nccl::load(fake("nccl_ok", "libnccl.so.2")).version.text(); }), "2.21.5");
  EXPECT_EQ(in_child([] { return nccl::load(fake("nccl_old", "libnccl.so.2")).version.text(); }), "2.8.4");
  EXPECT_EQ(in_child([] { return cublas::load(fake("cublas_12", "libcublas.so.12")).version.text(); }), "12.8.4");
  EXPECT_EQ(in_child([] { return cublaslt::load(fake("cublas_12", "libcublasLt.so.12")).version.text(); }), "12.8.4");
}

TEST(CudaLibraries, NumbersOfVersions) {
  EXPECT_EQ(nccl::version_from_number(2804).text(), "2.8.4");
  EXPECT_EQ(nccl::version_from_number(22809).text(), "2.28.9");
  EXPECT_EQ(cudnn::version_from_number(8906).text(), "8.9.6");
  EXPECT_EQ(cudnn::version_from_number(8500).text(), "8.5.0");
  EXPECT_EQ(cudnn::version_from_number(90000).text(), "9.0.0");
  EXPECT_EQ(cudnn::version_from_number(91902).text(), "9.19.2");
}

TEST(CudaLibraries, AMissingFunctionIsNamedAndThePathIsNot) {
  const std::string text = in_child([] {
    return message_of(ErrorCode::library_missing, [] { (void)nccl::load(fake("nccl_incomplete", "libnccl.so.2")); });
  });
  EXPECT_NE(text.find("libnccl.so.2 (override) does not export ncclAllReduce"), std::string::npos) << text;
  EXPECT_EQ(text.find(FAKE_LIBRARIES_DIR), std::string::npos);
}

TEST(CudaLibraries, AbsenceAndAFileThatIsNoLibraryAreToldWithoutThePath) {
  const std::string absent = message_of(ErrorCode::library_missing,
                                        [] { (void)cuda::load(fake("no_such_folder", "libcuda.so.1", "system")); });
  EXPECT_EQ(
      absent,
      "libcuda.so.1 (system) does not load: libcuda.so.1: cannot open shared object file: No such file or directory");
  const std::string folder = ::testing::TempDir();
  std::ofstream(folder + "/libcublas.so.12") << "text";
  const std::string broken = message_of(ErrorCode::library_missing, [&] {
    (void)cublas::load({"libcublas.so.12", folder + "/libcublas.so.12", "python", false});
  });
  EXPECT_EQ(broken.find('/'), std::string::npos) << broken;
  EXPECT_NE(broken.find("libcublas.so.12 (python) does not load: libcublas.so.12: "), std::string::npos) << broken;
}

TEST(CudaLibraries, LoaderMessagesLoseTheirFolders) {
  EXPECT_EQ(without_folders("/opt/x/libm.so.6: version `GLIBC_2.99' not found (required by /home/u/lib/libq.so)"),
            "libm.so.6: version `GLIBC_2.99' not found (required by libq.so)");
  EXPECT_EQ(without_folders("no path at all"), "no path at all");
  EXPECT_EQ(without_folders("/a/b"), "b");
  EXPECT_EQ(without_folders("/a/"), "");
  EXPECT_EQ(without_folders("/home/Ann Lee (old)/my libs/libq.so: undefined symbol: f"),
            "libq.so: undefined symbol: f");
  EXPECT_EQ(without_folders("a: /b c/d.so and /e f/g.so: bad"), "a: g.so: bad");
}

TEST(CudaLibraries, CublasBringsTheLightOneOfItsOwnFolder) {
  const std::string number = in_child([] {
    const auto loaded = cublas::load(fake("cublas_12", "libcublas.so.12"));
    // Whoever asks by name now gets the copy that is already there.
    const auto light = SharedLibrary::open_file("libcublasLt.so.12", "libcublasLt.so.12", "system");
    return std::to_string(light.required_symbol<unsigned long (*)()>("cublasLtGetVersion")());
  });
  EXPECT_EQ(number, "120804");
}

TEST(CudaLibraries, TheRunTimeCompilerAndItsBuiltInsAreFoundByNameOnceOpened) {
  const std::string found = in_child([] {
    const auto open_now = [](const char* soname) {
      return std::string(dlopen(soname, RTLD_NOW | RTLD_NOLOAD) == nullptr ? "-" : "+");
    };
    const std::string before = open_now("libnvrtc.so.12");
    nvrtc::preload(fake("nvrtc", "libnvrtc.so.12"));
    return before + open_now("libnvrtc.so.12") + open_now("libnvrtc-builtins.so.12.4");
  });
  EXPECT_EQ(found, "-++");
  nvrtc::preload(fake("no_such_folder", "libnvrtc.so.12"));
}

TEST(CudaLibraries, CudnnGetsTheRunTimeCompilerOfItsOwnCuda) {
  const VersionedLibrary cudnn{fake("x", "libcudnn.so.9", "python"), {9, 1, 0}, 12};
  const std::vector<LibraryCandidate> found{fake("a", "libnvrtc.so.13", "python"), fake("b", "libnvrtc.so.12", "cuda"),
                                            fake("c", "libnvrtc.so.12", "python")};
  EXPECT_EQ(nvrtc::companion_of(cudnn, found)->path, found[2].path);
  EXPECT_EQ(nvrtc::companion_of(cudnn, {found[0], found[1]})->path, found[1].path);
  EXPECT_FALSE(nvrtc::companion_of(cudnn, {found[0]}));
  EXPECT_FALSE(nvrtc::companion_of({cudnn.file, {8, 0, 0}, 0}, found)) << "it does not tell its CUDA";
}

TEST(CudaLibraries, EachCandidateIsLookedAtInAChildOfItsOwn) {
  const auto looked = look_at(
      LibraryKind::nccl,
      {fake("nccl_crash", "libnccl.so.2"), fake("nccl_hang", "libnccl.so.2"), fake("nccl_incomplete", "libnccl.so.2"),
       fake("nccl_silent", "libnccl.so.2"), fake("nccl_old", "libnccl.so.2"), fake("nccl_ok", "libnccl.so.2")},
      {milliseconds(1500)});
  ASSERT_EQ(looked.found.size(), 2U);
  EXPECT_EQ(looked.found[0].version.text(), "2.8.4");
  EXPECT_EQ(looked.found[1].version.text(), "2.21.5");
  ASSERT_EQ(looked.rejected.size(), 4U);
  EXPECT_EQ(looked.rejected[0].reason, "loading it crashed: killed by signal 11");
  EXPECT_EQ(looked.rejected[1].reason, "loading it hung: it did not end within 1.5 s");
  EXPECT_NE(looked.rejected[2].reason.find("ncclAllReduce"), std::string::npos);
  EXPECT_EQ(looked.rejected[3].reason, "ncclGetVersion failed with 3: internal error");
  EXPECT_FALSE(looked.rejected[0].version.has_value());
  for (const RejectedLibrary& rejected : looked.rejected) EXPECT_TRUE(rejected.broken) << rejected.reason;
}

TEST(CudaLibraries, OneThatHangsLeavesTimeForTheOthers) {
  const TryLimit limit{seconds(30), std::chrono::steady_clock::now() + seconds(4)};
  const auto looked =
      look_at(LibraryKind::nccl, {fake("nccl_hang", "libnccl.so.2"), fake("nccl_ok", "libnccl.so.2")}, limit);
  EXPECT_EQ(looked.rejected.size(), 1U);
  EXPECT_EQ(looked.found.size(), 1U);
}

TEST(LibraryChoice, AConfirmationThatTheDeadlineCutShortProvesNothing) {
  const LibraryOrder order = choose(
      LibraryKind::cublas, look_at(LibraryKind::cublas, three_cublas(), {seconds(5)}).found, DeviceNeeds{90, 13000});
  const auto slow = [](const VersionedLibrary&) -> std::string {
    for (;;) sleep(1);
  };
  const auto cut = confirm_first(order, {seconds(30), std::chrono::steady_clock::now() + milliseconds(300)}, slow);
  ASSERT_TRUE(cut.chosen) << "unproven, not broken";
  const auto hung = confirm_first(order, {milliseconds(200)}, slow);
  EXPECT_FALSE(hung.chosen);
  EXPECT_TRUE(hung.rejected.back().broken);
}

std::string reason_for(const LibraryChoice& choice, const std::string& path_kind) {
  const auto found = std::find_if(choice.rejected.begin(), choice.rejected.end(), [&](const RejectedLibrary& rejected) {
    return rejected.file.path_kind == path_kind;
  });
  return found == choice.rejected.end() ? "not rejected" : found->reason;
}

TEST(LibraryChoice, TheFirstThatPassesItsOperationIsChosen) {
  const auto choice = choose_library(LibraryKind::cublas, three_cublas(), {90, 13000}, {seconds(5)},
                                     [](const VersionedLibrary& library) {
                                       const auto loaded = cublas::load(library.file);
                                       if (library.version.major == 13) {
                                         cublas::check(loaded.api, cublas::kNotSupported, "cublasGemmEx");
                                       }
                                       return std::string();
                                     });
  ASSERT_TRUE(choice.chosen.has_value());
  EXPECT_EQ(choice.chosen->version.text(), "12.8.4");
  EXPECT_EQ(choice.chosen->cuda_major, 12);
  EXPECT_EQ(reason_for(choice, "cuda"), "cublasGemmEx failed with 15: CUBLAS_STATUS_NOT_SUPPORTED");
  EXPECT_EQ(reason_for(choice, "python"), "not needed: version 12.8.4 (system) is used");
}

TEST(LibraryChoice, ACrashAndAHangOfTheOperationRejectTheCopy) {
  const auto choice = choose_library(LibraryKind::cublas, three_cublas(), {90, 13000}, {milliseconds(500)},
                                     [](const VersionedLibrary& library) -> std::string {
                                       if (library.version.major == 13) _exit(1);
                                       for (;;) sleep(1);
                                     });
  EXPECT_FALSE(choice.chosen.has_value());
  ASSERT_EQ(choice.rejected.size(), 3U);
  EXPECT_EQ(reason_for(choice, "cuda"), "the confirming operation crashed: ended with status 1");
  EXPECT_EQ(reason_for(choice, "system"), "the confirming operation hung: it did not end within 0.5 s");
}

TEST(LibraryChoice, AWrongResultIsChosenOnlyWhenNoneIsRight) {
  const auto only = [](int right) {
    return choose_library(LibraryKind::cublas, three_cublas(), {90, 13000}, {seconds(5)},
                          [right](const VersionedLibrary& library) -> std::string {
                            return library.version.major == right ? "" : "a wrong result";
                          });
  };
  const auto second = only(12);
  EXPECT_EQ(second.chosen->version.major, 12);
  EXPECT_EQ(reason_for(second, "cuda"), "a wrong result");
  const auto none = only(0);
  EXPECT_EQ(none.chosen->version.major, 13) << "its cases will show it";
  EXPECT_EQ(reason_for(none, "cuda"), "not rejected");
  EXPECT_EQ(reason_for(none, "system"), "a wrong result");
  EXPECT_FALSE(none.rejected.front().broken);
}

TEST(LibraryChoice, WithoutTimeTheNextIsChosenUnproven) {
  const TryLimit over{seconds(5), std::chrono::steady_clock::now()};
  const LibraryOrder order = choose(
      LibraryKind::cublas, look_at(LibraryKind::cublas, three_cublas(), {seconds(5)}).found, DeviceNeeds{90, 13000});
  const auto choice = confirm_first(order, over, [](const VersionedLibrary&) { return std::string("not asked"); });
  EXPECT_EQ(choice.chosen->version.major, 13);
  const auto unseen = look_at(LibraryKind::cublas, three_cublas(), over);
  EXPECT_TRUE(unseen.found.empty());
  EXPECT_EQ(unseen.rejected.size(), 3U);
}

TEST(LibraryChoice, WhatTheTableExcludesIsNotTried) {
  const auto choice = choose_library(LibraryKind::cublas, three_cublas(), {37, 11040}, {seconds(5)},
                                     [](const VersionedLibrary& library) {
                                       if (library.version.major != 11) throw Error(ErrorCode::internal, "tried");
                                       return std::string();
                                     });
  ASSERT_TRUE(choice.chosen.has_value());
  EXPECT_EQ(choice.chosen->version.text(), "11.11.3");
  EXPECT_NE(reason_for(choice, "system").find("no kernels for compute capability 3.7"), std::string::npos);
  EXPECT_NE(reason_for(choice, "cuda").find("no kernels for compute capability 3.7"), std::string::npos);
}

TEST(FindDriver, StartsEachDriverInAChildAndFindsTheOneThatWorks) {
  LibraryCandidate compat = fake("cuda_compat", "libcuda.so.1", "cuda");
  compat.compat = true;
  const auto found = find_driver({fake("no_such_folder", "libcuda.so.1"), fake("cuda_stub", "libcuda.so.1"), compat,
                                  fake("cuda_ok", "libcuda.so.1", "system")});
  ASSERT_TRUE(found.driver.has_value());
  EXPECT_EQ(found.driver->path_kind, "system");
  EXPECT_EQ(found.sight.cuda_version, 12040);
  EXPECT_EQ(found.sight.device_count, 2);
  EXPECT_TRUE(found.sight.simulated);
}

TEST(FindDriver, ProblemsOfRealFiles) {
  EXPECT_EQ(find_driver({fake("cuda_stub", "libcuda.so.1")}).problem->code, "driver_stub");
  EXPECT_EQ(find_driver({fake("cuda_old", "libcuda.so.1")}).problem->code, "driver_too_old");
  EXPECT_EQ(find_driver({fake("cuda_none", "libcuda.so.1")}).problem->code, "no_cuda_device");
  const LibraryCandidate no_driver{"libcuda.so.1", fake("nccl_ok", "libnccl.so.2").path, "system", false};
  EXPECT_EQ(find_driver({no_driver}).problem->code, "driver_not_loadable");
  const LibraryCandidate by_name{"libgpuassay_no_such.so.1", "libgpuassay_no_such.so.1", "system", false};
  EXPECT_EQ(find_driver({by_name}).problem->code, "driver_missing");
}

TEST(Check, KindsOfStatusBecomeKindsOfError) {
  EXPECT_EQ(message_of(ErrorCode::out_of_memory,
                       [] { cublas::check(cublas::Api{}, cublas::kAllocFailed, "cublasCreate_v2"); }),
            "cublasCreate_v2 failed with 3: CUBLAS_STATUS_ALLOC_FAILED");
  message_of(ErrorCode::unsupported, [] { cublaslt::check(cublaslt::Api{}, cublas::kArchMismatch, "cublasLtMatmul"); });
  message_of(ErrorCode::library_failed, [] { cublas::check(cublas::Api{}, cublas::kExecutionFailed, "x"); });
  message_of(ErrorCode::unsupported, [] { cudnn::check(cudnn::Api{}, 9, "x"); });
  message_of(ErrorCode::unsupported, [] { cudnn::check(cudnn::Api{}, 3007, "x"); });
  message_of(ErrorCode::out_of_memory, [] { cudnn::check(cudnn::Api{}, 2, "x"); });
  message_of(ErrorCode::out_of_memory, [] { cudnn::check(cudnn::Api{}, 4004, "x"); });
  message_of(ErrorCode::library_failed, [] { cudnn::check(cudnn::Api{}, 2000, "x"); });
  message_of(ErrorCode::unsupported, [] { nvml::check(nvml::Api{}, nvml::kNotSupported, "x"); });
  message_of(ErrorCode::library_failed, [] { nvml::check(nvml::Api{}, nvml::kGpuIsLost, "x"); });
  message_of(ErrorCode::library_failed, [] { nccl::check(nccl::Api{}, nccl::kSystemError, "x"); });
  cuda::check(cuda::Api{}, cuda::kSuccess, "cuInit");
  cudnn::check(cudnn::Api{}, cudnn::kSuccess, "x");
}

TEST(Check, TheDriverNamesItsOwnStatus) {
  const std::string text = in_child([] {
    const auto driver = cuda::load(fake("cuda_ok", "libcuda.so.1"));
    return message_of(ErrorCode::out_of_memory, [&] { cuda::check(driver.api, 2, "cuMemAlloc_v2"); });
  });
  EXPECT_EQ(text, "cuMemAlloc_v2 failed with 2 (CUDA_ERROR_OUT_OF_MEMORY): out of memory");
  EXPECT_EQ(message_of(ErrorCode::unsupported, [] { cuda::check(cuda::Api{}, cuda::kNotSupported, "cuInit"); }),
            "cuInit failed with 801 (unknown error): unknown error");
}

}  // namespace
}  // namespace gpuassay
