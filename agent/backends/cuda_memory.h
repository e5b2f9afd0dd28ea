// Who owns a piece of memory that the CUDA driver gave? Move-only owners of device memory and of page-locked host
// memory. The driver's context must be current wherever they are made and destroyed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "agent/dynlib/cuda_driver.h"

namespace gpuassay {

/// Device memory, uninitialised, aligned to 256 bytes at least (as cuMemAlloc promises).
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  /// Throws Error{out_of_memory} when the device has not that much left. `api` must outlive the buffer.
  DeviceBuffer(const cuda::Api& api, std::size_t size_bytes);
  DeviceBuffer(DeviceBuffer&& other) noexcept;
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept;
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;
  ~DeviceBuffer();

  [[nodiscard]] cuda::DevicePointer address() const { return address_; }
  /// The address as the libraries on top of the driver want it.
  [[nodiscard]] void* pointer() const;
  [[nodiscard]] std::size_t size_bytes() const { return size_bytes_; }

 private:
  const cuda::Api* api_ = nullptr;
  cuda::DevicePointer address_ = 0;
  std::size_t size_bytes_ = 0;
};

/// Page-locked host memory that the device can reach by DMA and, through `device_address`, from kernels.
class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  /// Throws Error{out_of_memory} when the system does not lock that much.
  PinnedBuffer(const cuda::Api& api, std::size_t size_bytes);
  PinnedBuffer(PinnedBuffer&& other) noexcept;
  PinnedBuffer& operator=(PinnedBuffer&& other) noexcept;
  PinnedBuffer(const PinnedBuffer&) = delete;
  PinnedBuffer& operator=(const PinnedBuffer&) = delete;
  ~PinnedBuffer();

  [[nodiscard]] void* data() const { return data_; }
  [[nodiscard]] std::span<unsigned char> bytes() const { return {static_cast<unsigned char*>(data_), size_bytes_}; }
  [[nodiscard]] cuda::DevicePointer device_address() const;
  [[nodiscard]] std::size_t size_bytes() const { return size_bytes_; }

 private:
  const cuda::Api* api_ = nullptr;
  void* data_ = nullptr;
  std::size_t size_bytes_ = 0;
};

}  // namespace gpuassay
