// How does text for people stand on the screen? Labelled lines, wrapped to the terminal, free of control characters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/text_style.h"

namespace gpuassay {

/// `text` without control characters and escape sequences, for showing strings from outside.
std::string printable(const std::string& text);

/// Collects lines "  label      words": everything passes through printable(), so strings from outside cannot steer the
/// terminal. Colours are names for escape sequences and used only where the style wants them.
class TextPage {
 public:
  static constexpr std::string_view kBold = "\033[1m";
  static constexpr std::string_view kYellow = "\033[33m";

  /// `label_width` columns hold the label; longer labels push their line to the right. `style` must outlive the page.
  explicit TextPage(const TextStyle& style, int label_width = 11) : style_(style), label_width_(label_width) {}

  /// `words` two spaces apart, wrapped between words with continuation lines indented.
  void line(std::string_view label, const std::vector<std::string>& words, std::string_view color = {});
  /// Prose wrapped at spaces.
  void prose(std::string_view label, const std::string& text, std::string_view color = {});
  /// A command or path for copying: never wrapped.
  void verbatim(std::string_view label, const std::string& text);
  void blank() { text_ += '\n'; }
  /// The whole page; once.
  std::string take() { return std::move(text_); }

 private:
  [[nodiscard]] std::string labelled(std::string_view label) const;
  [[nodiscard]] std::string indentation() const;
  void emit(const std::string& raw, std::string_view color);

  const TextStyle& style_;
  int label_width_;
  std::string text_;
};

}  // namespace gpuassay
