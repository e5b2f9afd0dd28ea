#include "agent/backends/cuda_images.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace gpuassay {
namespace {

constexpr std::byte kNothing[1] = {};

CudaImage cubin(std::string_view module, int architecture, int toolkit) {
  return {module, ImageKind::cubin, architecture, 0, toolkit, kNothing};
}
CudaImage ptx(std::string_view module, int architecture, int isa) {
  return {module, ImageKind::ptx, architecture, isa, 0, kNothing};
}

/// What a release carries of module "base", and of "sm89" for fp8.
std::vector<CudaImage> release_images() {
  std::vector<CudaImage> images{ptx("base", 35, 32)};
  for (const int architecture : {35, 50, 60, 70, 75, 80, 90}) images.push_back(cubin("base", architecture, 11));
  for (const int architecture : {100, 120}) images.push_back(cubin("base", architecture, 13));
  images.push_back(ptx("sm89", 89, 84));
  for (const int architecture : {89, 90, 100, 120}) images.push_back(cubin("sm89", architecture, 13));
  return images;
}

std::vector<std::string> tried(std::string_view module, int capability, int driver) {
  static const std::vector<CudaImage> kImages = release_images();
  std::vector<std::string> names;
  for (const CudaImage* image : images_to_try(module, capability, driver, kImages)) names.push_back(describe(*image));
  return names;
}

using Names = std::vector<std::string>;
const std::string kOldPtx = "PTX 3.2 (sm_35)";

struct Machine {
  const char* name;
  int capability, driver;
  Names expected;
};

const Machine kMachines[] = {
    {"K80 with 470", 37, 11040, {"sm_35 cubin (CUDA 11)", kOldPtx}},
    {"K80 with 450", 37, 11000, {"sm_35 cubin (CUDA 11)", kOldPtx}},
    {"M60 with 535", 52, 12020, {"sm_50 cubin (CUDA 11)", kOldPtx}},
    {"P100 with 535", 60, 12020, {"sm_60 cubin (CUDA 11)", kOldPtx}},
    {"P4 with 535", 61, 12020, {"sm_60 cubin (CUDA 11)", kOldPtx}},
    {"V100 with 580", 70, 13000, {"sm_70 cubin (CUDA 11)", kOldPtx}},
    {"T4 with 550", 75, 12040, {"sm_75 cubin (CUDA 11)", "sm_70 cubin (CUDA 11)", kOldPtx}},
    {"A100 with 525", 80, 12000, {"sm_80 cubin (CUDA 11)", kOldPtx}},
    {"A10 with 525", 86, 12000, {"sm_80 cubin (CUDA 11)", kOldPtx}},
    {"L4 with 550", 89, 12040, {"sm_80 cubin (CUDA 11)", kOldPtx}},
    {"H200 with 575", 90, 12090, {"sm_90 cubin (CUDA 11)", kOldPtx}},
    {"B200 with 570", 100, 12080, {kOldPtx}},
    {"B200 with 580", 100, 13000, {"sm_100 cubin (CUDA 13)", kOldPtx}},
    {"B300 with 580", 103, 13000, {"sm_100 cubin (CUDA 13)", kOldPtx}},
    {"Thor with 580", 110, 13000, {kOldPtx}},
    {"RTX 5090 with 570", 120, 12080, {kOldPtx}},
    {"RTX 5090 with 580", 120, 13000, {"sm_120 cubin (CUDA 13)", kOldPtx}},
    {"GB10 with 580", 121, 13000, {"sm_120 cubin (CUDA 13)", kOldPtx}},
    {"a later GPU with a later driver", 140, 14000, {kOldPtx}},
};

TEST(CudaImages, EveryMachineTriesItsImagesInOrder) {
  for (const Machine& machine : kMachines) {
    EXPECT_EQ(tried("base", machine.capability, machine.driver), machine.expected) << machine.name;
  }
}

TEST(CudaImages, PtxIsLeftOutWhenTheDriverIsOlderThanItsIsa) {
  EXPECT_EQ(tried("sm89", 89, 12030), Names{});
  EXPECT_EQ(tried("sm89", 89, 12040), Names{"PTX 8.4 (sm_89)"});
  EXPECT_EQ(tried("sm89", 90, 13000), (Names{"sm_90 cubin (CUDA 13)", "PTX 8.4 (sm_89)"}));
  EXPECT_EQ(tried("sm89", 89, 13000), (Names{"sm_89 cubin (CUDA 13)", "PTX 8.4 (sm_89)"}));
}

TEST(CudaImages, PtxIsLeftOutForOlderDevices) { EXPECT_EQ(tried("sm89", 86, 13000), Names{}); }

TEST(CudaImages, AnUnknownModuleHasNone) { EXPECT_EQ(tried("sm99", 90, 13000), Names{}); }

TEST(CudaImages, WithoutPtxasThereIsPtxForEveryDevice) {
  const std::vector<CudaImage> images{ptx("base", 35, 32)};
  for (const Machine& machine : kMachines) {
    EXPECT_EQ(images_to_try("base", machine.capability, machine.driver, images).size(), 1U) << machine.name;
  }
}

TEST(CudaImages, OfTwoBuildsForOneArchitectureTheOneMoreDriversReadComesFirst) {
  const std::vector<CudaImage> images{cubin("base", 75, 13), cubin("base", 75, 11), ptx("base", 35, 32),
                                      ptx("base", 75, 63)};
  const auto order = images_to_try("base", 75, 13000, images);
  ASSERT_EQ(order.size(), 4U);
  EXPECT_EQ(order[0], &images[1]);
  EXPECT_EQ(order[1], &images[0]);
  EXPECT_EQ(order[2], &images[3]);
  EXPECT_EQ(order[3], &images[2]);
  EXPECT_EQ(images_to_try("base", 75, 12080, images).size(), 3U);
}

TEST(CudaImages, NewestPtxIsaOfADriver) {
  EXPECT_EQ(newest_ptx_isa(8000), 0);
  EXPECT_EQ(newest_ptx_isa(11000), 70);
  EXPECT_EQ(newest_ptx_isa(11040), 74);
  EXPECT_EQ(newest_ptx_isa(12040), 84);
  EXPECT_EQ(newest_ptx_isa(12060), 85);  // 12.5 and 12.6 share one
  EXPECT_EQ(newest_ptx_isa(12080), 87);
  EXPECT_EQ(newest_ptx_isa(13000), 90);
  EXPECT_EQ(newest_ptx_isa(14000), 90);  // at least
}

TEST(CudaImages, RefusalsOfAnImage) {
  for (const int code : {200, 209, 218, 221, 222, 223}) EXPECT_TRUE(is_image_refusal(code)) << code;
  for (const int code : {0, 1, 2, 201, 220, 300, 700, 999}) EXPECT_FALSE(is_image_refusal(code)) << code;
}

TEST(CudaImages, VoltaAndTuringHaveTensorModulesOfTheirOwn) {
  const auto modules = [](int capability) {
    Names names;
    for (const KernelModule& module : kernel_modules()) {
      if (module.lowest_capability <= capability && capability <= module.highest_capability) {
        names.emplace_back(module.name);
      }
    }
    return names;
  };
  EXPECT_EQ(modules(37), (Names{"base", "floor"}));
  EXPECT_EQ(modules(60), (Names{"base", "floor", "sm60"}));
  EXPECT_EQ(modules(70), (Names{"base", "floor", "sm60", "sm61", "sm70"}));
  EXPECT_EQ(modules(75), (Names{"base", "floor", "sm60", "sm61", "sm75"}));
  EXPECT_EQ(modules(86), (Names{"base", "floor", "sm60", "sm61", "sm80"}));
  EXPECT_EQ(modules(120), (Names{"base", "floor", "sm60", "sm61", "sm80", "sm89", "sm90"}));
}

}  // namespace
}  // namespace gpuassay
