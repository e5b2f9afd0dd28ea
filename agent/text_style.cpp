#include "agent/text_style.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace gpuassay {

TextStyle text_style(std::FILE* stream, const char* no_color, const char* term) {
  TextStyle style;
  const int fd = ::fileno(stream);
  if (fd < 0 || ::isatty(fd) == 0) return style;
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  style.live = !dumb;
  style.color = !dumb && (no_color == nullptr || no_color[0] == '\0');
  winsize size{};
  constexpr int kNarrowest = 40;
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) style.columns = std::max<int>(kNarrowest, size.ws_col);
  return style;
}

}  // namespace gpuassay
