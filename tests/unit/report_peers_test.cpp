#include "agent/report_peers.h"

#include <gtest/gtest.h>

#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

Measurement copy_between(int device, int peer, double gb_per_s) {
  Measurement m;
  m.device = device;
  m.workload = Workload::bandwidth;
  m.params = BandwidthParams{BandwidthKernel::p2p_write, MemoryLevel::ce, 1 << 26, peer};
  m.status = CaseStatus::ok;
  m.algorithm = "peer access";
  m.metric = Metric{"achieved_gb_per_s", gb_per_s, "GB/s"};
  return m;
}

Result three_gpus() {
  Result result = test::example_result();
  const Device gpu = result.devices.at(0);
  result.devices.clear();
  for (int index = 0; index < 3; ++index) {
    result.devices.push_back(gpu);
    result.devices.back().index = index;
    result.devices.back().numa_node = index / 2;
  }
  result.measurements.clear();
  result.links = {{0, 1, 12, PcieAncestor::node, PeerAccess::ok},
                  {0, 2, 0, PcieAncestor::system, PeerAccess::ok},
                  {1, 2, 0, PcieAncestor::system, PeerAccess::ok}};
  return result;
}

std::string peer_lines_of(const Result& result) {
  const TextStyle style;
  TextPage page(style);
  add_peer_lines(page, result);
  return page.take();
}

TEST(ReportPeers, NamesPathsAndNodes) {
  EXPECT_EQ(peer_lines_of(three_gpus()),
            "  links      2 pairs SYS  1 pair NV12  NUMA node 0: GPUs 0 1\n"
            "             NUMA node 1: GPUs 2\n");
}

TEST(ReportPeers, NamesThePathOfTheSlowestPairWhicheverWayItWasCopied) {
  Result result = three_gpus();
  result.measurements = {copy_between(0, 1, 250), copy_between(2, 1, 11)};
  EXPECT_NE(peer_lines_of(result).find("ce write 11.0 to 250.0 GB/s  (slowest: 2 and 1, SYS, peer access)"),
            std::string::npos)
      << peer_lines_of(result);
}

TEST(ReportPeers, SaysThatAPathIsUnknown) {
  Result result = three_gpus();
  result.links = {{0, 1, std::nullopt, PcieAncestor::node, std::nullopt}};
  for (Device& device : result.devices) device.numa_node.reset();
  EXPECT_EQ(peer_lines_of(result), "  links      1 pair path unknown\n");
}

TEST(ReportPeers, OfASingleDeviceNothingIsSaid) { EXPECT_EQ(peer_lines_of(test::example_result()), ""); }

}  // namespace
}  // namespace gpuassay
