#include "agent/verdicts_identity.h"

#include <fmt/format.h>

#include <string>

#include "core/identity.h"

namespace gpuassay {
namespace {

/// Contradictions that a verdict names; the rest are counted.
constexpr std::size_t kNamed = 3;

Verdict fewer_sms(const Device& device, const Contradiction& found) {
  return {
      "fewer_sms", device.index,
      fmt::format("GPU {} has {} multiprocessors, a {} has {}", device.index, found.found, device.name, found.expected),
      "it is a part of that GPU (MPS, MIG or another partition) or another model; ask the provider"};
}

}  // namespace

void judge_identity(const Result& result, std::vector<Verdict>& verdicts) {
  for (const Device& device : result.devices) {
    const std::vector<Contradiction> found = identity_contradictions(device, result.measurements);
    if (found.empty()) continue;
    if (found.size() == 1 && is_fewer_sms(device, found.front())) {
      verdicts.push_back(fewer_sms(device, found.front()));
      continue;
    }
    std::string text;
    for (std::size_t i = 0; i < found.size() && i < kNamed; ++i)
      text += (i == 0 ? "" : "; ") + contradiction_text(found[i]);
    if (found.size() > kNamed) text += fmt::format("; {} more", found.size() - kNamed);
    verdicts.push_back({"identity_doubtful", device.index,
                        fmt::format("GPU {} may not be a {}: {}", device.index, device.name, text),
                        "do not pay for that model before the provider has explained it; this file is the evidence"});
  }
}

}  // namespace gpuassay
