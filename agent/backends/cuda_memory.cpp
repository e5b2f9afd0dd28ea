#include "agent/backends/cuda_memory.h"

#include <utility>

namespace gpuassay {

DeviceBuffer::DeviceBuffer(const cuda::Api& api, std::size_t size_bytes) : api_(&api), size_bytes_(size_bytes) {
  if (size_bytes > 0) cuda::check(api, api.cuMemAlloc_v2(&address_, size_bytes), "cuMemAlloc_v2");
}

DeviceBuffer::DeviceBuffer(DeviceBuffer&& other) noexcept
    : api_(other.api_), address_(std::exchange(other.address_, 0)), size_bytes_(std::exchange(other.size_bytes_, 0)) {}

DeviceBuffer& DeviceBuffer::operator=(DeviceBuffer&& other) noexcept {
  std::swap(api_, other.api_);
  std::swap(address_, other.address_);
  std::swap(size_bytes_, other.size_bytes_);
  return *this;
}

// A device in a sticky error refuses to free; the process that used it ends soon, and its memory with it.
DeviceBuffer::~DeviceBuffer() {
  if (address_ != 0) (void)api_->cuMemFree_v2(address_);
}

void* DeviceBuffer::pointer() const {
  static_assert(sizeof(void*) == sizeof(cuda::DevicePointer));
  return reinterpret_cast<void*>(address_);
}

PinnedBuffer::PinnedBuffer(const cuda::Api& api, std::size_t size_bytes) : api_(&api), size_bytes_(size_bytes) {
  constexpr unsigned kFlags = cuda::kHostAllocPortable | cuda::kHostAllocDeviceMap;
  if (size_bytes > 0) cuda::check(api, api.cuMemHostAlloc(&data_, size_bytes, kFlags), "cuMemHostAlloc");
}

PinnedBuffer::PinnedBuffer(PinnedBuffer&& other) noexcept
    : api_(other.api_), data_(std::exchange(other.data_, nullptr)), size_bytes_(std::exchange(other.size_bytes_, 0)) {}

PinnedBuffer& PinnedBuffer::operator=(PinnedBuffer&& other) noexcept {
  std::swap(api_, other.api_);
  std::swap(data_, other.data_);
  std::swap(size_bytes_, other.size_bytes_);
  return *this;
}

PinnedBuffer::~PinnedBuffer() {
  if (data_ != nullptr) (void)api_->cuMemFreeHost(data_);
}

cuda::DevicePointer PinnedBuffer::device_address() const {
  cuda::DevicePointer address = 0;
  cuda::check(*api_, api_->cuMemHostGetDevicePointer_v2(&address, data_, 0), "cuMemHostGetDevicePointer_v2");
  return address;
}

}  // namespace gpuassay
