#include "agent/probe/gpu_links.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "agent/probe/pci_bus.h"
#include "agent/probe/text_fields.h"

namespace gpuassay {
namespace {

/// NVML has at most 18 today; one that never says "no such link" must come to an end.
constexpr unsigned kMostLinks = 64;

std::string answer_text(const nvml::Api& api, int status) {
  const char* words = api.nvmlErrorString(status);
  return fmt::format("NVML answers {} ({})", words == nullptr ? "an error" : words, status);
}

constexpr const char* kNoCall = "this NVML has no such call";

/// Where the active NVLinks of one device lead.
struct NvLinks {
  int to_switches = 0;
  std::map<std::string, int> to_address;  ///< by PCI address of the other end
  std::string problem;                    ///< why the count would be wrong; empty when it is not
  bool none = false;                      ///< NVML says that this device has no such thing
};

/// Adds where one active link leads.
void follow(const nvml::Api& api, nvml::Device device, unsigned link, NvLinks& links) {
  int type = nvml::kRemoteGpu;
  const bool typed = api.nvmlDeviceGetNvLinkRemoteDeviceType != nullptr &&
                     api.nvmlDeviceGetNvLinkRemoteDeviceType(device, link, &type) == nvml::kSuccess;
  if (typed && type == nvml::kRemoteSwitch) {
    ++links.to_switches;
    return;
  }
  nvml::PciInfo remote{};
  if (api.nvmlDeviceGetNvLinkRemotePciInfo_v2 == nullptr) {
    links.problem = kNoCall;
    return;
  }
  const int status = api.nvmlDeviceGetNvLinkRemotePciInfo_v2(device, link, &remote);
  const std::string_view written(remote.bus_id, std::find(std::begin(remote.bus_id), std::end(remote.bus_id), '\0'));
  const auto address = pci_address(written);
  if (status != nvml::kSuccess) {
    links.problem = answer_text(api, status);
  } else if (!address) {
    links.problem = "NVML gives no PCI address for the other end of an NVLink";
  } else {
    ++links.to_address[*address];
  }
}

NvLinks nvlinks_of(const nvml::Api& api, nvml::Device device) {
  NvLinks links;
  if (api.nvmlDeviceGetNvLinkState == nullptr) {
    links.problem = kNoCall;
    return links;
  }
  for (unsigned link = 0; link < kMostLinks; ++link) {
    int active = nvml::kFeatureDisabled;
    const int status = api.nvmlDeviceGetNvLinkState(device, link, &active);
    if (status == nvml::kSuccess && active == nvml::kFeatureEnabled) follow(api, device, link, links);
    if (status == nvml::kSuccess) continue;
    // After the last link NVML calls the number an invalid argument.
    if (status == nvml::kInvalidArgument && link > 0) return links;
    links.none = status == nvml::kNotSupported;
    links.problem = answer_text(api, status);
    return links;
  }
  links.problem = fmt::format("NVML claims {} NVLinks and more", kMostLinks);
  return links;
}

/// One device, as the questions about pairs need it.
struct End {
  std::string address;
  nvml::Device handle = nullptr;
  std::string problem;  ///< why NVML cannot be asked about it
  NvLinks links;
};

End end_at(const nvml::Api& api, const std::string& pci_bus_id) {
  End end;
  end.address = pci_address(pci_bus_id).value_or(pci_bus_id);
  const int status = api.nvmlDeviceGetHandleByPciBusId_v2(pci_bus_id.c_str(), &end.handle);
  if (status != nvml::kSuccess) {
    end.problem = answer_text(api, status);
    return end;
  }
  end.links = nvlinks_of(api, end.handle);
  return end;
}

std::optional<int> ask_p2p(const nvml::Api& api, const End& one, const End& other, int capability, LinkSight& sight) {
  if (api.nvmlDeviceGetP2PStatus == nullptr) {
    sight.reasons["peer_access"] = kNoCall;
    return std::nullopt;
  }
  int answer = 0;
  const int status = api.nvmlDeviceGetP2PStatus(one.handle, other.handle, capability, &answer);
  if (status == nvml::kSuccess) return answer;
  sight.reasons["peer_access"] = answer_text(api, status);
  return std::nullopt;
}

void count_nvlinks(const nvml::Api& api, const End& one, const End& other, LinkSight& sight) {
  const auto direct = [](const End& from, const End& to) {
    const auto found = from.links.to_address.find(to.address);
    return found == from.links.to_address.end() ? 0 : found->second;
  };
  if (one.links.problem.empty() && other.links.problem.empty()) {
    sight.nvlinks =
        std::min(direct(one, other), direct(other, one)) + std::min(one.links.to_switches, other.links.to_switches);
    return;
  }
  sight.reasons["nvlinks"] = one.links.problem.empty() ? other.links.problem : one.links.problem;
  if (!one.links.none && !other.links.none) return;
  // "Not supported" alone may also hide the links from a guest: the pair has none where that is said, too.
  LinkSight ignored;
  const auto linked = ask_p2p(api, one, other, nvml::kP2pNvLink, ignored);
  if (!linked || *linked == nvml::kP2pOk || *linked > nvml::kP2pNotSupported || *linked < 0) return;
  sight.nvlinks = 0;
  sight.reasons.erase("nvlinks");
}

LinkSight look_at_pair(const nvml::Api& api, const End& one, const End& other) {
  LinkSight sight;
  const std::string& problem = one.problem.empty() ? other.problem : one.problem;
  if (!problem.empty() || one.address == other.address) {
    for (const char* field : {"nvlinks", "pcie", "peer_access"})
      sight.reasons[field] = problem.empty() ? "both are slices of one GPU" : problem;
    return sight;
  }
  count_nvlinks(api, one, other, sight);
  sight.read = ask_p2p(api, one, other, nvml::kP2pRead, sight);
  sight.write = ask_p2p(api, one, other, nvml::kP2pWrite, sight);
  if (api.nvmlDeviceGetTopologyCommonAncestor == nullptr) {
    sight.reasons["pcie"] = kNoCall;
    return sight;
  }
  int level = 0;
  const int status = api.nvmlDeviceGetTopologyCommonAncestor(one.handle, other.handle, &level);
  if (status == nvml::kSuccess) {
    sight.topology = level;
  } else {
    sight.reasons["pcie"] = answer_text(api, status);
  }
  return sight;
}

constexpr std::array<std::pair<int, PcieAncestor>, 6> kLevels{
    {{nvml::kTopologyInternal, PcieAncestor::internal},
     {nvml::kTopologySingle, PcieAncestor::single_switch},
     {nvml::kTopologyMultiple, PcieAncestor::multiple_switches},
     {nvml::kTopologyHostBridge, PcieAncestor::host_bridge},
     {nvml::kTopologyNode, PcieAncestor::node},
     {nvml::kTopologySystem, PcieAncestor::system}}};
constexpr std::array<std::pair<int, PeerAccess>, 6> kStatuses{
    {{nvml::kP2pOk, PeerAccess::ok},
     {nvml::kP2pChipsetNotSupported, PeerAccess::chipset_not_supported},
     {nvml::kP2pGpuNotSupported, PeerAccess::gpu_not_supported},
     {nvml::kP2pTopologyNotSupported, PeerAccess::topology_not_supported},
     {nvml::kP2pDisabledByRegkey, PeerAccess::disabled_by_regkey},
     {nvml::kP2pNotSupported, PeerAccess::not_supported}}};

/// The meaning of NVML's number; empty for one that it does not define.
template <class Table>
auto meaning(const Table& table, int number) -> std::optional<decltype(table[0].second)> {
  const auto* const row =
      std::find_if(table.begin(), table.end(), [number](const auto& each) { return each.first == number; });
  if (row == table.end()) return std::nullopt;
  return row->second;
}

/// The nulls of one field: how many pairs, and the first one's reason.
class Nulls {
 public:
  explicit Nulls(const char* field) : field_(field) {}
  void add(const LinkSight& sight, const std::optional<int>& number) {
    if (count_++ > 0) return;
    const auto told = sight.reasons.find(field_);
    reason_ = told != sight.reasons.end() ? told->second : "NVML does not tell";
    if (number) reason_ = fmt::format("NVML answers {}, which means nothing here", *number);
    pair_ = fmt::format("GPUs {} and {}", sight.device, sight.peer);
  }
  void explain(std::vector<Unknown>& unknown) const {
    if (count_ == 0) return;
    const std::string more =
        count_ == 1 ? "" : fmt::format(" and of {} more pair{}", count_ - 1, count_ == 2 ? "" : "s");
    unknown.push_back({"/links", fmt::format("{} of {}{}: {}", field_, pair_, more,
                                             clean_text(reason_).value_or("NVML does not tell"))});
  }

 private:
  std::string field_;
  int count_ = 0;
  std::string pair_, reason_;
};

}  // namespace

std::vector<LinkSight> look_at_links(const nvml::Api& api, const std::vector<std::string>& pci_bus_ids) {
  std::vector<End> ends;
  ends.reserve(pci_bus_ids.size());
  for (const std::string& id : pci_bus_ids) ends.push_back(end_at(api, id));
  std::vector<LinkSight> sights;
  sights.reserve(ends.size() * ends.size() / 2);
  for (std::size_t one = 0; one < ends.size(); ++one) {
    for (std::size_t other = one + 1; other < ends.size(); ++other) {
      LinkSight sight = look_at_pair(api, ends[one], ends[other]);
      sight.device = static_cast<int>(one);
      sight.peer = static_cast<int>(other);
      sights.push_back(std::move(sight));
    }
  }
  return sights;
}

std::vector<DeviceLink> links_of(const std::vector<LinkSight>& sights, std::vector<Unknown>& unknown) {
  std::vector<DeviceLink> links;
  links.reserve(sights.size());
  Nulls nvlinks("nvlinks"), pcie("pcie"), access("peer_access");
  for (const LinkSight& sight : sights) {
    DeviceLink link;
    link.device = sight.device;
    link.peer = sight.peer;
    link.nvlinks = sight.nvlinks;
    if (sight.topology) link.pcie = meaning(kLevels, *sight.topology);
    // What is refused one way is what counts.
    const auto status = sight.read == nvml::kP2pOk ? sight.write : sight.read;
    if (sight.read && sight.write) link.peer_access = meaning(kStatuses, *status);
    if (!link.nvlinks) nvlinks.add(sight, std::nullopt);
    if (!link.pcie) pcie.add(sight, sight.topology);
    if (!link.peer_access) access.add(sight, sight.read && sight.write ? status : std::nullopt);
    links.push_back(link);
  }
  for (const Nulls* field : {&nvlinks, &pcie, &access}) field->explain(unknown);
  return links;
}

}  // namespace gpuassay
