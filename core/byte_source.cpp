#include "core/byte_source.h"

#include <fmt/format.h>

#include <cerrno>

#include "core/error.h"

namespace gpuassay {

constexpr std::size_t kBufferBytes = std::size_t{256} << 10U;

ByteSource ByteSource::from_text(std::string_view text) {
  ByteSource source;
  source.rest_ = text;
  return source;
}

ByteSource ByteSource::from_file(const std::string& path) {
  ByteSource source;
  source.path_ = path;
  source.file_.reset(std::fopen(path.c_str(), "rbe"));
  if (!source.file_) throw_errno(ErrorCode::unreadable_input, fmt::format("cannot open {}", path), errno);
  source.buffer_.resize(kBufferBytes);
  return source;
}

bool ByteSource::refill() {
  if (buffer_.empty()) return false;  // a text has only what it began with
  const std::size_t count = std::fread(buffer_.data(), 1, buffer_.size(), file_.get());
  if (std::ferror(file_.get()) != 0)
    throw_errno(ErrorCode::unreadable_input, fmt::format("cannot read {}", path_), errno);
  rest_ = std::string_view(buffer_.data(), count);
  return !rest_.empty();
}

std::string ByteSource::read_all(std::size_t limit_bytes) {
  std::string text;
  while (!at_end()) {
    text.append(rest_);
    pop_front(rest_.size());
    if (text.size() > limit_bytes)
      throw Error(ErrorCode::unreadable_input,
                  fmt::format("{} is larger than {} MiB; split it", path_, limit_bytes >> 20U));
  }
  return text;
}

}  // namespace gpuassay
