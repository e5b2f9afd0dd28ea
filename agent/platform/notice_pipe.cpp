#include "agent/platform/notice_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "agent/probe/text_fields.h"

namespace gpuassay {
namespace {

constexpr std::size_t kLongestText = 256;

}  // namespace

NoticePipe::NoticePipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return;
  from_ = FileDescriptor(ends[0]);
  to_ = FileDescriptor(ends[1]);
}

void NoticePipe::announce(const std::string& text) const {
  const std::string_view line = std::string_view(text).substr(0, kLongestText);
  while (::write(to_.get(), line.data(), line.size()) < 0 && errno == EINTR) {
  }
}

const std::optional<std::string>& NoticePipe::announced() {
  std::array<char, kLongestText> line{};
  const ssize_t count = announced_ ? 0 : ::read(from_.get(), line.data(), line.size());
  if (count > 0) announced_ = clean_text({line.data(), static_cast<std::size_t>(count)});
  return announced_;
}

}  // namespace gpuassay
