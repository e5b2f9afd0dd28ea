#include "agent/text_page.h"

#include <fmt/format.h>

#include <algorithm>

namespace gpuassay {
namespace {

constexpr int kMargin = 2;
constexpr std::string_view kReset = "\033[0m";

}  // namespace

std::string printable(const std::string& text) {
  std::string clean;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    clean += byte < 0x20 || byte == 0x7F ? '?' : c;
  }
  // C1 control characters (U+0080 to U+009F, two bytes in UTF-8) steer terminals as well.
  for (std::size_t i = 0; i + 1 < clean.size(); ++i) {
    const auto first = static_cast<unsigned char>(clean[i]);
    const auto second = static_cast<unsigned char>(clean[i + 1]);
    if (first == 0xC2 && second >= 0x80 && second <= 0x9F) clean.replace(i, 2, "?");
  }
  return clean;
}

std::string TextPage::labelled(std::string_view label) const {
  return fmt::format("{:{}}{:<{}}", "", kMargin, label, label_width_);
}

std::string TextPage::indentation() const { return labelled(""); }

void TextPage::line(std::string_view label, const std::vector<std::string>& words, std::string_view color) {
  std::string current = labelled(label);
  bool fresh = true;
  for (const std::string& word : words) {
    if (!fresh && current.size() + 2 + word.size() > static_cast<std::size_t>(style_.columns)) {
      emit(current, color);
      current = indentation();
      fresh = true;
    }
    current += (fresh ? "" : "  ") + word;
    fresh = false;
  }
  emit(current, color);
}

void TextPage::prose(std::string_view label, const std::string& text, std::string_view color) {
  std::string current = labelled(label);
  bool fresh = true;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find(' ', start), text.size());
    const std::string word = text.substr(start, end - start);
    if (!fresh && current.size() + 1 + word.size() > static_cast<std::size_t>(style_.columns)) {
      emit(current, color);
      current = indentation();
      fresh = true;
    }
    current += (fresh ? "" : " ") + word;
    fresh = false;
    start = end + 1;
  }
  emit(current, color);
}

void TextPage::verbatim(std::string_view label, const std::string& text) { emit(labelled(label) + text, {}); }

void TextPage::emit(const std::string& raw, std::string_view color) {
  std::string line = printable(raw);
  while (!line.empty() && line.back() == ' ') line.pop_back();
  text_ += style_.color && !color.empty() ? fmt::format("{}{}{}\n", color, line, kReset) : line + '\n';
}

}  // namespace gpuassay
