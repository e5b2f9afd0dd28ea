// What do these bytes hold, and how small do they get? RFC 1952 with explicit limits.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace gpuassay {

enum class GunzipStatus {
  ok,
  broken,     ///< not gzip, damaged, cut off, or followed by something else
  too_large,  ///< more than `most_bytes`; nothing beyond them was unpacked
};

/// Unpacks exactly one member into `unpacked`. Stops at `most_bytes` however small `packed` is.
GunzipStatus gunzip(std::string_view packed, std::size_t most_bytes, std::string& unpacked);

/// Packs a text that comes in pieces. Throws std::bad_alloc.
class GzipWriter {
 public:
  GzipWriter();
  ~GzipWriter();
  GzipWriter(GzipWriter&&) noexcept;
  GzipWriter& operator=(GzipWriter&&) noexcept;

  /// What can be given out after `piece`; often nothing yet.
  std::string add(std::string_view piece);
  /// The rest; call once, last.
  std::string finish();

 private:
  struct Deflate;
  std::unique_ptr<Deflate> deflate_;
};

}  // namespace gpuassay
