// Where do big operands live? Page-aligned memory of which huge pages are asked.
#pragma once

#include <cstddef>
#include <span>

namespace gpuassay {

/// Zero-filled memory aligned to at least a page (2 MiB when it is that large), so that timing does not depend on
/// how the allocator happened to place an array. Move-only. Pages are touched by whoever writes them first.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  /// Throws Error{out_of_memory} when the system refuses.
  explicit AlignedBuffer(std::size_t size_bytes);
  AlignedBuffer(AlignedBuffer&& other) noexcept;
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept;
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  ~AlignedBuffer();

  [[nodiscard]] void* data() const { return data_; }
  [[nodiscard]] std::size_t size_bytes() const { return size_bytes_; }
  /// The buffer as an array of T; T must be trivial.
  template <class T>
  [[nodiscard]] std::span<T> as() const {
    return {static_cast<T*>(data_), size_bytes_ / sizeof(T)};
  }

 private:
  void* mapping_ = nullptr;
  std::size_t mapping_bytes_ = 0;
  void* data_ = nullptr;
  std::size_t size_bytes_ = 0;
};

}  // namespace gpuassay
