#include "agent/probe/gpu_links.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <utility>

#include "agent/probe/gpu_sight.h"
#include "agent/probe/pci_bus.h"
#include "core/link_path.h"

namespace gpuassay::nvml {

/// What this NVML answers of a device.
struct DeviceRecord {
  std::string bus_id;
  std::vector<std::string> remotes;  ///< PCI address of each link's other end; "switch", "dead", or what is no address
  int link_status = kInvalidArgument;  ///< of the first number without a link
};

}  // namespace gpuassay::nvml

namespace gpuassay {
namespace {

using nvml::DeviceRecord;

/// An NVML by tables: function pointers carry no state.
struct Tables {
  std::vector<DeviceRecord> devices;
  std::map<std::pair<int, int>, int> status = {};  ///< by P2pCapability and index of the first device
  int topology = nvml::kTopologyHostBridge;
};
Tables& tables() {
  static Tables all;
  return all;
}

int index_of(nvml::Device device) { return static_cast<int>(device - tables().devices.data()); }

int handle_by_pci(const char* bus_id, nvml::Device* device) {
  for (DeviceRecord& each : tables().devices) {
    if (each.bus_id != bus_id) continue;
    *device = &each;
    return nvml::kSuccess;
  }
  return nvml::kNotFound;
}
int link_state(nvml::Device device, unsigned link, int* active) {
  if (link >= device->remotes.size()) return device->link_status;
  *active = device->remotes[link] == "dead" ? nvml::kFeatureDisabled : nvml::kFeatureEnabled;
  return nvml::kSuccess;
}
int remote_type(nvml::Device device, unsigned link, int* type) {
  *type = device->remotes.at(link) == "switch" ? nvml::kRemoteSwitch : nvml::kRemoteGpu;
  return nvml::kSuccess;
}
int remote_pci(nvml::Device device, unsigned link, nvml::PciInfo* remote) {
  std::snprintf(remote->bus_id, sizeof(remote->bus_id), "%s", device->remotes.at(link).c_str());
  return nvml::kSuccess;
}
int common_ancestor(nvml::Device /*one*/, nvml::Device /*other*/, int* level) {
  *level = tables().topology;
  return nvml::kSuccess;
}
int p2p_status(nvml::Device one, nvml::Device /*other*/, int capability, int* status) {
  const auto told = tables().status.find({capability, index_of(one)});
  *status = told == tables().status.end() ? nvml::kP2pOk : told->second;
  return nvml::kSuccess;
}
const char* error_string(int /*status*/) { return "words"; }

nvml::Api whole_api() {
  nvml::Api api;
  api.nvmlErrorString = error_string;
  api.nvmlDeviceGetHandleByPciBusId_v2 = handle_by_pci;
  api.nvmlDeviceGetNvLinkState = link_state;
  api.nvmlDeviceGetNvLinkRemoteDeviceType = remote_type;
  api.nvmlDeviceGetNvLinkRemotePciInfo_v2 = remote_pci;
  api.nvmlDeviceGetTopologyCommonAncestor = common_ancestor;
  api.nvmlDeviceGetP2PStatus = p2p_status;
  return api;
}

struct Told {
  std::vector<DeviceLink> links;
  std::vector<Unknown> unknown;
};

Told ask(const nvml::Api& api, Tables answers) {
  tables() = std::move(answers);
  std::vector<std::string> ids;
  for (const DeviceRecord& device : tables().devices) ids.push_back(device.bus_id);
  Told told;
  told.links = links_of(look_at_links(api, ids), told.unknown);
  return told;
}

const std::string kFirst = "0000:1b:00.0", kSecond = "0000:3B:00.0", kThird = "0000:86:00.0";

TEST(GpuLinks, CountsTheLinksThatLeadToThePeer) {
  const Told told = ask(whole_api(), {{{kFirst, {"00000000:3B:00.0", "00000000:3B:00.0", "dead", "0004:05:00.0"}},
                                       {kSecond, {"00000000:1B:00.0", "00000000:1b:00.0", "00000000:86:00.0"}},
                                       {kThird, {"00000000:3b:00.0"}}}});
  ASSERT_EQ(told.links.size(), 3U);
  EXPECT_EQ(told.links[0].nvlinks, 2);
  EXPECT_EQ(told.links[1].nvlinks, 0);
  EXPECT_EQ(told.links[2].nvlinks, 1);
  EXPECT_EQ(link_path(told.links[0]), "NV2");
  EXPECT_EQ(link_path(told.links[1]), "PHB") << "what PCIe shares, where no NVLink leads there";
  EXPECT_EQ(told.links[1].device, 0);
  EXPECT_EQ(told.links[1].peer, 2);
  EXPECT_TRUE(told.unknown.empty());
}

TEST(GpuLinks, ThroughSwitchesTheFewerLinksCount) {
  const Told told = ask(whole_api(), {{{kFirst, {"switch", "switch", "switch"}}, {kSecond, {"switch", "switch"}}}});
  EXPECT_EQ(told.links.at(0).nvlinks, 2);
}

TEST(GpuLinks, ADeviceWithoutNvlinkHasNoneWhereThePairHasNoneToo) {
  const std::vector<DeviceRecord> cards{{kFirst, {}, nvml::kNotSupported}, {kSecond, {}, nvml::kNotSupported}};
  Tables answers{cards};
  answers.status[{nvml::kP2pNvLink, 0}] = nvml::kP2pNotSupported;
  EXPECT_EQ(ask(whole_api(), answers).links.at(0).nvlinks, 0);
  // NVML counts none but lets the pair use NVLink: how many is unknown, not zero.
  const Told hidden = ask(whole_api(), {cards});
  EXPECT_FALSE(hidden.links.at(0).nvlinks);
  EXPECT_FALSE(link_path(hidden.links.at(0)));
  ASSERT_EQ(hidden.unknown.size(), 1U);
  EXPECT_EQ(hidden.unknown[0].path, "/links");
  EXPECT_EQ(hidden.unknown[0].reason, "nvlinks of GPUs 0 and 1: NVML answers words (3)");
}

TEST(GpuLinks, NonsenseIsUnknown) {
  Tables answers{{{kFirst, {"../../etc/passwd"}}, {kSecond, std::vector<std::string>(1000, "switch")}}};
  answers.topology = 7;
  answers.status[{nvml::kP2pWrite, 0}] = 99;
  const Told told = ask(whole_api(), answers);
  ASSERT_EQ(told.links.size(), 1U);
  EXPECT_FALSE(told.links[0].nvlinks);
  EXPECT_FALSE(told.links[0].pcie);
  EXPECT_FALSE(told.links[0].peer_access);
  ASSERT_EQ(told.unknown.size(), 3U);
  EXPECT_EQ(told.unknown[1].reason, "pcie of GPUs 0 and 1: NVML answers 7, which means nothing here");
  EXPECT_EQ(told.unknown[2].reason, "peer_access of GPUs 0 and 1: NVML answers 99, which means nothing here");
}

TEST(GpuLinks, WhatIsRefusedOneWayCounts) {
  Tables answers{{{kFirst, {"dead"}}, {kSecond, {"dead"}}}};
  answers.status[{nvml::kP2pWrite, 0}] = nvml::kP2pDisabledByRegkey;
  EXPECT_EQ(ask(whole_api(), answers).links.at(0).peer_access, PeerAccess::disabled_by_regkey);
}

TEST(GpuLinks, AnNvmlWithoutTheCallsLeavesNullsWithReasons) {
  nvml::Api old;
  old.nvmlErrorString = error_string;
  old.nvmlDeviceGetHandleByPciBusId_v2 = handle_by_pci;
  const Told told = ask(old, {{{kFirst, {}}, {kSecond, {}}, {kThird, {}}}});
  ASSERT_EQ(told.links.size(), 3U);
  ASSERT_EQ(told.unknown.size(), 3U) << "one for each field, however many pairs there are";
  EXPECT_EQ(told.unknown[0].reason, "nvlinks of GPUs 0 and 1 and of 2 more pairs: this NVML has no such call");
}

TEST(GpuLinks, ADeviceThatNvmlDoesNotKnowHasUnknownLinks) {
  tables() = {{{kFirst, {}}, {kSecond, {}}}};
  Told told;
  told.links = links_of(look_at_links(whole_api(), {kFirst, kThird}), told.unknown);
  ASSERT_EQ(told.links.size(), 1U);
  EXPECT_FALSE(told.links[0].pcie);
  EXPECT_EQ(told.unknown.at(0).reason, "nvlinks of GPUs 0 and 1: NVML answers words (6)");
}

TEST(GpuLinks, WithoutNvmlEveryPairIsListedWithNulls) {
  GpuSights sights;
  sights.gpus.resize(3);
  sights.nvml_problem = "libnvidia-ml.so.1 was not found";
  std::vector<Unknown> unknown;
  const auto links = links_between(sights_from_text(to_text(sights)), unknown);
  ASSERT_EQ(links.size(), 3U);
  EXPECT_EQ(links[2].device, 1);
  EXPECT_EQ(links[2].peer, 2);
  ASSERT_EQ(unknown.size(), 3U);
  EXPECT_EQ(unknown[0].reason, "nvlinks of GPUs 0 and 1 and of 2 more pairs: libnvidia-ml.so.1 was not found");
}

TEST(GpuLinks, TravelAsText) {
  tables() = {{{kFirst, {"switch"}}, {kSecond, {"switch"}}}};
  GpuSights sights;
  sights.gpus.resize(2);
  sights.links = look_at_links(whole_api(), {kFirst, kSecond});
  std::vector<Unknown> unknown;
  const auto links = links_between(sights_from_text(to_text(sights)), unknown);
  ASSERT_EQ(links.size(), 1U);
  EXPECT_EQ(links[0].nvlinks, 1);
  EXPECT_EQ(links[0].pcie, PcieAncestor::host_bridge);
  EXPECT_EQ(links[0].peer_access, PeerAccess::ok);
}

TEST(LinkPath, IsCalledAsNvidiaSmiDoes) {
  for (const auto& [ancestor, word] :
       {std::pair{PcieAncestor::internal, "PSB"}, std::pair{PcieAncestor::single_switch, "PIX"},
        std::pair{PcieAncestor::multiple_switches, "PXB"}, std::pair{PcieAncestor::host_bridge, "PHB"},
        std::pair{PcieAncestor::node, "NODE"}, std::pair{PcieAncestor::system, "SYS"}}) {
    EXPECT_EQ(link_path({0, 1, 0, ancestor, std::nullopt}), word);
    EXPECT_EQ(link_path({0, 1, 12, ancestor, std::nullopt}), "NV12");
    EXPECT_FALSE(link_path({0, 1, std::nullopt, ancestor, std::nullopt})) << "there may be NVLinks";
  }
  EXPECT_FALSE(link_path({0, 1, 0, std::nullopt, std::nullopt}));
}

TEST(PciAddress, IsWrittenAsTheKernelDoes) {
  EXPECT_EQ(pci_address("00000000:3B:00.0"), "0000:3b:00.0");
  EXPECT_EQ(pci_address("0000:3b:00.0"), "0000:3b:00.0");
  EXPECT_EQ(pci_address("00010000:01:00.0"), "10000:01:00.0") << "a domain behind Intel's VMD";
  EXPECT_EQ(pci_address("10000:01:00.0"), "10000:01:00.0");
  for (const char* other :
       {"", "3b:00.0", "0000:3b:00", "0000:3b:00.0/", "0000:../../x", "000g:3b:00.0", "0000:3b:00.00"})
    EXPECT_FALSE(pci_address(other)) << other;
}

}  // namespace
}  // namespace gpuassay
