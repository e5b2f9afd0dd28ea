#include "core/import_report.h"

#include <fmt/format.h>

namespace gpuassay {
namespace {

/// Reasons that name what stands in the file are as many as the file wants; beyond this they are counted together.
constexpr std::size_t kMostReasons = 200;
constexpr std::string_view kOtherReasons = "other reasons";

void describe(std::string& text, std::string_view what, const std::map<std::string, RefusedLines>& reasons) {
  for (const auto& [reason, lines] : reasons) {
    text += fmt::format("  {} {}: {} ({}{})\n", lines.count, what, reason, fmt::join(lines.places, ", "),
                        lines.count > lines.places.size() ? ", ..." : "");
  }
}

}  // namespace

void ImportReport::add(Lines& lines, const std::string& place, const std::string& reason) {
  const bool full = lines.size() >= kMostReasons && lines.count(reason) == 0;
  RefusedLines& of_reason = lines[full ? std::string(kOtherReasons) : reason];
  ++of_reason.count;
  if (of_reason.places.size() < kPlacesKept) of_reason.places.push_back(place);
}

std::size_t ImportReport::count_of(const Lines& lines) {
  std::size_t count = 0;
  for (const auto& [reason, of_reason] : lines) count += of_reason.count;
  return count;
}

std::string ImportReport::details() const {
  std::string text;
  describe(text, "quarantined", quarantined_);
  describe(text, "rejected", rejected_);
  for (const std::string& warning : warnings_) text += fmt::format("  warning: {}\n", warning);
  return text;
}

}  // namespace gpuassay
