#include "agent/device_choice.h"

#include <algorithm>

#include "agent/probe/text_fields.h"

namespace gpuassay {

std::optional<DeviceChoice> parse_device_choice(std::string_view text) {
  using Kind = DeviceChoice::Kind;
  if (text == "auto") return DeviceChoice{Kind::automatic, {}};
  if (text == "cpu") return DeviceChoice{Kind::cpu, {}};
  if (text == "cuda") return DeviceChoice{Kind::cuda, {}};
  constexpr std::int64_t kMostDevices = 1000;
  DeviceChoice choice{Kind::some, {}};
  for (const std::string_view part : split(text, ',')) {
    const auto index = parse_integer(part);
    if (part.empty() || !index || *index < 0 || *index >= kMostDevices) return std::nullopt;
    choice.indices.push_back(static_cast<int>(*index));
  }
  std::sort(choice.indices.begin(), choice.indices.end());
  choice.indices.erase(std::unique(choice.indices.begin(), choice.indices.end()), choice.indices.end());
  return choice;
}

}  // namespace gpuassay
