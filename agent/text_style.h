// How may text look where it goes? Decided once from the stream and the environment.
#pragma once

#include <cstdio>

namespace gpuassay {

struct TextStyle {
  bool live = false;   ///< a terminal that can redraw a line
  bool color = false;  ///< escape sequences for bold and colour are welcome
  int columns = 80;
};

/// A terminal gives live text and colour (unless NO_COLOR is set to anything or TERM is dumb) and its own width;
/// anything else plain text of 80 columns.
TextStyle text_style(std::FILE* stream, const char* no_color, const char* term);

}  // namespace gpuassay
