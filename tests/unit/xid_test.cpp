#include "agent/probe/xid.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/scratch_root.h"

namespace gpuassay {
namespace {

constexpr const char* kLine =
    "3,1234,98765432,-;NVRM: Xid (PCI:0000:3B:00): 79, pid=1203, name=python, GPU has fallen off the bus.\n";

TEST(Xid, NumberAndPlaceOfEveryLine) {
  const auto xids = parse_xids(std::string("6,1,1,-;usb 1-1: new device\n") + kLine +
                               "4,2,2,-;NVRM: Xid (PCI:0000:af:00): 48, An uncorrectable double bit error\n");
  ASSERT_EQ(xids.size(), 2u);
  EXPECT_EQ(xids[0].pci_bus, "0000:3b:00");
  EXPECT_EQ(xids[0].number, 79);
  EXPECT_EQ(xids[1].number, 48);
  EXPECT_TRUE(concerns(xids[0], "0000:3B:00.0"));
  EXPECT_FALSE(concerns(xids[1], "0000:3B:00.0"));
}

TEST(Xid, LinesThatSayNoneAreNone) {
  for (const char* line : {"NVRM: Xid (PCI:0000:3B:00): many", "NVRM: Xid (PCI:", "NVRM: Xid (PCI:0000:3B:00)",
                           "NVRM: Xid (PCI:0000:3B:00): 99999999999", "NVRM: Xid (PCI:0000:3B:00): -4",
                           "NVRM: Xid (PCI:a name that is far too long for a bus): 4"})
    EXPECT_TRUE(parse_xids(line).empty()) << line;
  EXPECT_FALSE(concerns(Xid{"", 4}, "0000:3B:00.0"));
}

TEST(Xid, OnlyWhatIsLoggedFromNowOn) {
  const test::ScratchRoot scratch;
  scratch.write("/dev/kmsg", kLine);
  const KernelLog log{SystemRoot(scratch.path())};
  ASSERT_TRUE(log.xids());
  EXPECT_TRUE(log.xids()->empty()) << "it was there before";
  std::ofstream(scratch.path() / "dev/kmsg", std::ios::app) << kLine;
  const auto xids = log.xids();
  ASSERT_TRUE(xids);
  ASSERT_EQ(xids->size(), 1u);
}

TEST(Xid, ALogThatMayNotBeReadIsUnknown) {
  const test::ScratchRoot scratch;
  EXPECT_FALSE(KernelLog{SystemRoot(scratch.path())}.xids());
}

}  // namespace
}  // namespace gpuassay
