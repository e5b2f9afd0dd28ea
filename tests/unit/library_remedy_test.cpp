#include "agent/library_remedy.h"

#include <gtest/gtest.h>

#include <set>

namespace gpuassay {
namespace {

/// cuDriverGetVersion of the driver branches that matter: 450, 470, 520, 525, 550, 570, 580, 590.
constexpr int kDrivers[] = {11000, 11040, 11080, 12000, 12040, 12080, 13000, 13010};
constexpr int kCapabilities[] = {35, 37, 50, 52, 53, 60,  61,  62,  70,  72, 75,
                                 80, 86, 87, 89, 90, 100, 103, 110, 120, 121};

VersionedLibrary as_found(const Wheel& wheel) {
  return {{"lib.so", "/lib.so", "python", false}, wheel.version, wheel.cuda_major, false};
}

TEST(LibraryRemedy, EveryRecommendedVersionIsOneThatTheSupportTableAcceptsForTheGpuAndDriver) {
  int recommended = 0;
  for (const int capability : kCapabilities) {
    for (const int driver : kDrivers) {
      const DeviceNeeds device{capability, driver};
      const WheelChoice* row = wheels_for(device);
      if (row == nullptr) continue;
      ++recommended;
      EXPECT_EQ(why_unsuitable(LibraryKind::cublas, as_found(row->cublas), device), "") << capability << ' ' << driver;
      EXPECT_EQ(why_unsuitable(LibraryKind::cudnn, as_found(row->cudnn), device), "") << capability << ' ' << driver;
      // cuBLASLt comes with cuBLAS; only Kepler goes without.
      EXPECT_EQ(why_unsuitable(LibraryKind::cublaslt, as_found(row->cublas), device).empty(), capability >= 50);
      EXPECT_EQ(row->cublas.cuda_major, row->cudnn.cuda_major) << "cuDNN opens the cuBLAS of its own CUDA";
    }
  }
  EXPECT_GT(recommended, 100);
}

TEST(LibraryRemedy, EveryGpuHasARemedyUnderADriverThatKnowsIt) {
  for (const int capability : kCapabilities) {
    // The first branch that knows it: 450 for all up to Ampere, 520 for Ada and Hopper, 570 and later for Blackwell.
    const int first = capability < 87 ? 11000 : capability <= 90 ? 11080 : capability == 110 ? 13000 : 12080;
    // Kepler ends with 470; all others go on.
    const int last = capability < 50 ? 11040 : 13010;
    for (const int driver : kDrivers) {
      if (driver < first || driver > last) continue;
      EXPECT_NE(wheels_for({capability, driver}), nullptr) << capability << ' ' << driver;
    }
  }
}

TEST(LibraryRemedy, EveryRowIsTheAnswerForSomeGpu) {
  std::set<const WheelChoice*> used;
  for (const int capability : kCapabilities) {
    for (const int driver : kDrivers) used.insert(wheels_for({capability, driver}));
  }
  for (const WheelChoice& row : wheel_table()) EXPECT_EQ(used.count(&row), 1U) << row.why;
}

TEST(LibraryRemedy, CommandsOfWellKnownMachines) {
  const auto cublas = [](int capability, int driver) {
    return install_command(LibraryKind::cublas, {capability, driver});
  };
  const auto cudnn = [](int capability, int driver) {
    return install_command(LibraryKind::cudnn, {capability, driver});
  };
  EXPECT_EQ(cublas(37, 11040), "pip install nvidia-cublas-cu11==11.11.3.6");  // K80 with 470
  EXPECT_EQ(cudnn(37, 11040), "pip install nvidia-cudnn-cu11==8.5.0.96");
  EXPECT_EQ(cublas(60, 12020), "pip install nvidia-cublas-cu12==12.9.1.4");  // P100 with 535
  EXPECT_EQ(cudnn(60, 12020), "pip install nvidia-cudnn-cu12==9.10.2.21");
  EXPECT_EQ(cublas(60, 11040), "pip install nvidia-cublas-cu11==11.11.3.6");  // P100 with 470
  EXPECT_EQ(cublas(70, 13000), "pip install nvidia-cublas-cu12==12.9.1.4");   // V100: CUDA 13 has nothing for it
  EXPECT_EQ(cudnn(70, 13000), "pip install nvidia-cudnn-cu12==9.10.2.21");
  EXPECT_EQ(cublas(75, 12040), "pip install nvidia-cublas-cu12==12.9.1.4");  // T4 with 550
  EXPECT_EQ(cublas(75, 13000), "pip install nvidia-cublas==13.1.0.3");       // T4 with 580
  EXPECT_EQ(cudnn(75, 13000), "pip install nvidia-cudnn-cu13==9.19.0.56");
  EXPECT_EQ(cublas(100, 12080), "pip install nvidia-cublas-cu12==12.9.1.4");  // B200 with 570
  EXPECT_EQ(cublas(120, 13000), "pip install nvidia-cublas==13.1.0.3");
  EXPECT_EQ(install_command(LibraryKind::cublaslt, {75, 13000}), cublas(75, 13000));
}

TEST(LibraryRemedy, NothingIsRecommendedWhereNothingFits) {
  EXPECT_EQ(wheels_for({30, 11040}), nullptr);   // older than every library of CUDA 11
  EXPECT_EQ(wheels_for({100, 12040}), nullptr);  // a driver that does not know Blackwell
  EXPECT_EQ(wheels_for({75, 10020}), nullptr);
  EXPECT_EQ(wheels_for({0, 13000}), nullptr);
  EXPECT_EQ(install_command(LibraryKind::cudnn, {30, 11040}), "");
  EXPECT_EQ(install_command(LibraryKind::nccl, {75, 13000}), "");
}

}  // namespace
}  // namespace gpuassay
