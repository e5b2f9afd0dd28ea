#include "core/link_path.h"

#include <array>
#include <string_view>
#include <utility>

namespace gpuassay {
namespace {

constexpr std::array<std::pair<PcieAncestor, std::string_view>, 6> kWords{{{PcieAncestor::internal, "PSB"},
                                                                           {PcieAncestor::single_switch, "PIX"},
                                                                           {PcieAncestor::multiple_switches, "PXB"},
                                                                           {PcieAncestor::host_bridge, "PHB"},
                                                                           {PcieAncestor::node, "NODE"},
                                                                           {PcieAncestor::system, "SYS"}}};

}  // namespace

std::optional<std::string> link_path(const DeviceLink& link) {
  if (!link.nvlinks) return std::nullopt;
  if (*link.nvlinks > 0) return "NV" + std::to_string(*link.nvlinks);
  for (const auto& [ancestor, word] : kWords) {
    if (ancestor == link.pcie) return std::string(word);
  }
  return std::nullopt;
}

}  // namespace gpuassay
