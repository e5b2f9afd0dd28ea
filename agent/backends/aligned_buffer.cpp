#include "agent/backends/aligned_buffer.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <utility>

#include "core/error.h"

namespace gpuassay {
namespace {
constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;
}

AlignedBuffer::AlignedBuffer(std::size_t size_bytes) : size_bytes_(size_bytes) {
  if (size_bytes == 0) return;
  const std::size_t slack = size_bytes >= kHugePageBytes ? kHugePageBytes : 0;
  const bool fits = size_bytes <= static_cast<std::size_t>(PTRDIFF_MAX) - slack;
  void* mapping =
      fits ? mmap(nullptr, size_bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : MAP_FAILED;
  if (mapping == MAP_FAILED) {
    throw Error(
        ErrorCode::out_of_memory,
        fmt::format("cannot allocate {} bytes for an operand; free memory or choose a smaller profile", size_bytes),
        errno);
  }
  mapping_bytes_ = size_bytes + slack;
  mapping_ = mapping;
  data_ = mapping;
  if (slack == 0) return;
  std::size_t space = mapping_bytes_;
  data_ = std::align(kHugePageBytes, size_bytes, data_, space);
  // Advice only: without huge pages the figure is what this machine gives without them.
  (void)madvise(data_, size_bytes, MADV_HUGEPAGE);
}

AlignedBuffer::AlignedBuffer(AlignedBuffer&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)),
      mapping_bytes_(std::exchange(other.mapping_bytes_, 0)),
      data_(std::exchange(other.data_, nullptr)),
      size_bytes_(std::exchange(other.size_bytes_, 0)) {}

AlignedBuffer& AlignedBuffer::operator=(AlignedBuffer&& other) noexcept {
  std::swap(mapping_, other.mapping_);
  std::swap(mapping_bytes_, other.mapping_bytes_);
  std::swap(data_, other.data_);
  std::swap(size_bytes_, other.size_bytes_);
  return *this;
}

AlignedBuffer::~AlignedBuffer() {
  if (mapping_ != nullptr) munmap(mapping_, mapping_bytes_);
}

}  // namespace gpuassay
