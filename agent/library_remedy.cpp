#include "agent/library_remedy.h"

#include <array>

namespace gpuassay {
namespace {

/// Higher than any compute capability.
constexpr int kOpen = 999;

constexpr Wheel kCublas11{LibraryKind::cublas, "nvidia-cublas-cu11", {11, 11, 3}, ".6", 11};
constexpr Wheel kCublas12{LibraryKind::cublas, "nvidia-cublas-cu12", {12, 9, 1}, ".4", 12};
constexpr Wheel kCublas13{LibraryKind::cublas, "nvidia-cublas", {13, 1, 0}, ".3", 13};
constexpr Wheel kCudnn85{LibraryKind::cudnn, "nvidia-cudnn-cu11", {8, 5, 0}, ".96", 11};
constexpr Wheel kCudnn910Cuda11{LibraryKind::cudnn, "nvidia-cudnn-cu11", {9, 10, 2}, ".21", 11};
constexpr Wheel kCudnn910Cuda12{LibraryKind::cudnn, "nvidia-cudnn-cu12", {9, 10, 2}, ".21", 12};
constexpr Wheel kCudnn919Cuda12{LibraryKind::cudnn, "nvidia-cudnn-cu12", {9, 19, 0}, ".56", 12};
constexpr Wheel kCudnn919Cuda13{LibraryKind::cudnn, "nvidia-cudnn-cu13", {9, 19, 0}, ".56", 13};

// Every version named here was on the Python Package Index, with a wheel for x86-64 Linux, on 2026-11-20. Which GPUs a
// version has kernels for: dynlib/library_support.cpp, with its sources.
constexpr std::array kTable{
    WheelChoice{35, 37, 11000, kCublas11, kCudnn85, "Kepler: CUDA 11 is its last; cuDNN 8.5 is the last that lists it"},
    WheelChoice{50, 72, 12000, kCublas12, kCudnn910Cuda12,
                "Maxwell, Pascal, Volta: CUDA 12 and cuDNN 9.10 are the last that have kernels for them"},
    WheelChoice{75, kOpen, 13000, kCublas13, kCudnn919Cuda13, "Turing and newer with driver 580 or later"},
    WheelChoice{75, 90, 12000, kCublas12, kCudnn919Cuda12, "Turing to Hopper with a driver from 525 on"},
    WheelChoice{91, kOpen, 12080, kCublas12, kCudnn919Cuda12, "Blackwell with driver 570: CUDA 12.8 is its first"},
    WheelChoice{50, 90, 11000, kCublas11, kCudnn910Cuda11, "drivers from 450.80 to 520 speak CUDA 11 only"},
};

}  // namespace

std::string Wheel::requirement() const { return std::string(package) + "==" + version.text() + std::string(build); }

std::span<const WheelChoice> wheel_table() { return kTable; }

const WheelChoice* wheels_for(const DeviceNeeds& device) {
  for (const WheelChoice& row : kTable) {
    if (device.compute_capability >= row.lowest_capability && device.compute_capability <= row.highest_capability &&
        device.driver_cuda_version >= row.lowest_driver) {
      return &row;
    }
  }
  return nullptr;
}

std::string install_command(LibraryKind kind, const DeviceNeeds& device) {
  const WheelChoice* row = wheels_for(device);
  if (row == nullptr || kind == LibraryKind::nccl) return {};
  const Wheel& wheel = kind == LibraryKind::cudnn ? row->cudnn : row->cublas;
  return "pip install " + wheel.requirement();
}

}  // namespace gpuassay
