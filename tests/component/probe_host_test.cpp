// Hypervisor, container, PCI bus, system and uptime, on roots written by the test.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agent/probe/container.h"
#include "agent/probe/host_facts.h"
#include "agent/probe/pci_bus.h"
#include "agent/probe/virtualization.h"
#include "tests/support/scratch_root.h"

namespace gpuassay {
namespace {

using Names = std::vector<std::string>;

class ProbeHost : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) { scratch_.write(path, text); }
  [[nodiscard]] SystemRoot root() const { return SystemRoot(scratch_.path()); }

  void set_dmi(const std::string& vendor, const std::string& product, const std::string& bios) {
    write("/sys/class/dmi/id/sys_vendor", vendor + "\n");
    write("/sys/class/dmi/id/product_name", product + "\n");
    write("/sys/class/dmi/id/bios_vendor", bios + "\n");
  }
  void add_pci(const std::string& slot, const std::string& vendor, const std::string& device,
               const std::string& pci_class) {
    const std::string directory = "/sys/bus/pci/devices/" + slot;
    write(directory + "/vendor", vendor + "\n");
    write(directory + "/device", device + "\n");
    write(directory + "/class", pci_class + "\n");
  }

  test::ScratchRoot scratch_;
};

using Virtualization = ProbeHost;

CpuInfo x86(bool hypervisor_flag) {
  CpuInfo info;
  info.lists_flags = true;
  info.hypervisor_flag = hypervisor_flag;
  return info;
}

TEST_F(Virtualization, FirmwareNamesTheHypervisor) {
  struct Row {
    const char *vendor, *product, *bios, *name;
  };
  for (const Row& row : {Row{"VMware, Inc.", "VMware7,1", "Phoenix Technologies LTD", "vmware"},
                         Row{"Microsoft Corporation", "Virtual Machine", "AMI", "microsoft"},
                         Row{"Amazon EC2", "p4d.24xlarge", "Amazon EC2", "amazon"},
                         Row{"Google", "Google Compute Engine", "Google", "google"},
                         Row{"innotek GmbH", "VirtualBox", "innotek GmbH", "virtualbox"},
                         Row{"OpenStack Foundation", "OpenStack Nova", "SeaBIOS", "kvm"},
                         Row{"QEMU", "KVM Virtual Machine", "EFI", "kvm"}, Row{"Hetzner", "vServer", "Hetzner", "kvm"},
                         Row{"QEMU", "Standard PC", "SeaBIOS", "qemu"}, Row{"Xen", "HVM domU", "Xen", "xen"},
                         Row{"Somebody", "Something", "Someone", "unknown-hypervisor"}}) {
    set_dmi(row.vendor, row.product, row.bios);
    EXPECT_EQ(detect_virtualization(root(), x86(true)).value, row.name) << row.product;
  }
}

TEST_F(Virtualization, BareMetalOfACloudIsNone) {
  set_dmi("Amazon EC2", "g4dn.metal", "Amazon EC2");
  EXPECT_EQ(detect_virtualization(root(), x86(false)).value, "none");
  EXPECT_EQ(detect_virtualization(root(), CpuInfo{}).value, "none") << "ARM: c7g.metal and its like";
  set_dmi("Microsoft Corporation", "Surface Laptop", "Microsoft Corporation");
  EXPECT_EQ(detect_virtualization(root(), x86(false)).value, "none");
}

TEST_F(Virtualization, ClocksTellWhereFirmwareIsSilent) {
  write("/sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc kvm-clock \n");
  EXPECT_EQ(detect_virtualization(root(), x86(true)).value, "kvm");
}

TEST_F(Virtualization, XenGuestAndItsDomainZero) {
  write("/sys/hypervisor/type", "xen\n");
  EXPECT_EQ(detect_virtualization(root(), x86(true)).value, "xen");
  write("/proc/xen/capabilities", "control_d\n");
  EXPECT_EQ(detect_virtualization(root(), x86(false)).value, "none");
}

TEST_F(Virtualization, WslIsNotAzure) {
  write("/proc/sys/kernel/osrelease", "5.15.153.1-microsoft-standard-WSL2\n");
  EXPECT_EQ(detect_virtualization(root(), x86(true)).value, "wsl");
  EXPECT_EQ(detect_container(root()).value, "wsl");
  write("/proc/sys/kernel/osrelease", "4.4.0-19041-Microsoft\n");
  EXPECT_EQ(detect_virtualization(root(), x86(false)).value, "wsl");
  write("/proc/sys/kernel/osrelease", "6.5.0-1015-azure\n");
  EXPECT_EQ(detect_virtualization(root(), x86(true)).value, "unknown-hypervisor");
}

TEST_F(Virtualization, WithoutEvidenceThereIsAReason) {
  const Finding silent = detect_virtualization(root(), CpuInfo{});
  EXPECT_FALSE(silent.value.has_value());
  EXPECT_FALSE(silent.reason.empty());
  set_dmi("Ampere(TM)", "Mt. Jade", "Ampere(TM)");
  EXPECT_FALSE(detect_virtualization(root(), CpuInfo{}).value.has_value());
  write("/proc/device-tree/hypervisor/compatible", std::string("linux,kvm\0", 10));
  EXPECT_EQ(detect_virtualization(root(), CpuInfo{}).value, "kvm");
}

using Container = ProbeHost;

TEST_F(Container, CgroupPathsNameTheRuntime) {
  const std::string id(64, 'a');
  struct Row {
    std::string path, kind;
  };
  for (const Row& row :
       {Row{"/docker/" + id, "docker"}, Row{"/system.slice/docker-" + id + ".scope", "docker"},
        Row{"/kubepods/burstable/pod1/" + id, "kubernetes"},
        Row{"/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + id + ".scope", "kubernetes"},
        Row{"/lxc/web", "lxc"}, Row{"/lxc.payload.web", "lxc"}, Row{"/machine.slice/libpod-" + id + ".scope", "podman"},
        Row{"/system.slice/nerdctl-" + id + ".scope", "containerd"},
        Row{"/machine.slice/systemd-nspawn@deb.service/payload", "systemd-nspawn"}, Row{"/", "none"},
        Row{"/system.slice/docker.service", "none"}, Row{"/system.slice/containerd.service", "none"},
        Row{"/docker", "none"}, Row{"/user.slice/user-1000.slice/session-1.scope", "none"},
        Row{"/system.slice/docker-prune.service", "none"}}) {
    write("/proc/self/cgroup", "0::" + row.path + "\n");
    EXPECT_EQ(detect_container(root()).value, row.kind) << row.path;
  }
}

TEST_F(Container, MarkersNameTheRuntime) {
  write("/proc/self/cgroup", "0::/\n");
  write("/.dockerenv", "");
  EXPECT_EQ(detect_container(root()).value, "docker");
  write("/run/.containerenv", "");
  EXPECT_EQ(detect_container(root()).value, "podman");
  write("/run/secrets/kubernetes.io/serviceaccount/namespace", "x");
  EXPECT_EQ(detect_container(root()).value, "kubernetes");
}

TEST_F(Container, ProcessOneMayDeclareIt) {
  write("/proc/self/cgroup", "0::/\n");
  write("/proc/1/environ", std::string("A=container=docker\0container=systemd-nspawn\0", 44));
  EXPECT_EQ(detect_container(root()).value, "systemd-nspawn");
  write("/run/systemd/container", "homemade\n");
  EXPECT_EQ(detect_container(root()).value, "systemd-nspawn") << "a known kind is better than an unknown one";
}

TEST_F(Container, OnlyTheOwnMountsCount) {
  write("/proc/self/mountinfo",
        "1 0 0:1 / / rw - ext4 /dev/sda1 rw\n"
        "2 1 0:2 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw,lowerdir="
        "/var/lib/docker/overlay2/l/A\n");
  EXPECT_EQ(detect_container(root()).value, "none");
  write("/proc/self/mountinfo", "1 0 0:1 / / rw - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A\n");
  EXPECT_EQ(detect_container(root()).value, "docker");
  write("/proc/self/mountinfo", "1 0 0:1 / / rw - overlay overlay rw,lowerdir=/live/squashfs\n");
  EXPECT_FALSE(detect_container(root()).value.has_value());
}

using PciBus = ProbeHost;

TEST_F(PciBus, FindsNvidiaDisplayControllers) {
  EXPECT_FALSE(nvidia_gpu_on_pci_bus(root()));
  add_pci("0000:00:1e.0", "0x10de", "0x1db6", "0x030200");
  add_pci("0000:3b:00.0", "0x10de", "0x2684", "0x030000");
  add_pci("0000:3b:00.1", "0x10de", "0x22ba", "0x040300");  // the audio function of that card
  add_pci("0000:80:00.0", "0x10de", "0x1af1", "0x068000");  // an NVSwitch
  add_pci("0000:00:02.0", "0x8086", "0x3e92", "0x030000");  // another maker's GPU
  EXPECT_EQ(nvidia_pci_devices(root()), (Names{"10de:1db6", "10de:2684"}));
  EXPECT_TRUE(nvidia_gpu_on_pci_bus(root()));
}

TEST_F(PciBus, DoesNotRepeatUncheckedText) {
  add_pci("0000:00:1e.0", "0x10de", "0x\x1b[2J", "0x030200");
  EXPECT_EQ(nvidia_pci_devices(root()), (Names{"10de:????"}));
}

TEST_F(PciBus, TellsTheNumaNodeOrWhyNot) {
  add_pci("0000:3b:00.0", "0x10de", "0x2684", "0x030000");
  EXPECT_EQ(numa_node_of(root(), "0000:3b:00.0").reason, "/sys/bus/pci does not tell it");
  const std::string file = "/sys/bus/pci/devices/0000:3b:00.0/numa_node";
  write(file, "1\n");
  EXPECT_EQ(numa_node_of(root(), "00000000:3B:00.0").node, 1) << "as NVML writes it";
  EXPECT_EQ(numa_node_of(root(), "00000000:3B:00.0").reason, "");
  write(file, "-1\n");
  EXPECT_FALSE(numa_node_of(root(), "0000:3b:00.0").node);
  EXPECT_EQ(numa_node_of(root(), "0000:3b:00.0").reason, "the kernel knows no NUMA node for this device (-1)");
  for (const char* text : {"", "x", "99999999999999999999", "70000"}) {
    write(file, text);
    EXPECT_FALSE(numa_node_of(root(), "0000:3b:00.0").node) << text;
  }
  write("/sys/bus/pci/devices/numa_node", "3\n");
  EXPECT_EQ(numa_node_of(root(), "..").reason, "the driver gives no PCI address");
}

using HostFacts = ProbeHost;

TEST_F(HostFacts, OsNames) {
  write("/usr/lib/os-release", "NAME='Some OS'\nVERSION=\"1 \\\"x\\\"\"\n");
  EXPECT_EQ(read_os_name(root()), "Some OS 1 \"x\"");
  write("/etc/os-release", "ID=x\nPRETTY_NAME=\"Pretty\"\n");
  EXPECT_EQ(read_os_name(root()), "Pretty");
}

TEST_F(HostFacts, UptimeAndMemoryRefuseNonsense) {
  for (const char* text : {"", "nan", "-1.00 2", "1e9 1", "99999999999.00 1", "1.", "1.x5", "1.-5"}) {
    write("/proc/uptime", text);
    EXPECT_FALSE(read_uptime_s(root()).has_value()) << text;
  }
  write("/proc/uptime", "7 1\n");
  EXPECT_EQ(read_uptime_s(root()), 7.0);
  for (const char* text :
       {"", "MemTotal: 0 kB", "MemTotal: -1 kB", "MemTotal: 16", "MemTotal: 9223372036854775807 kB"}) {
    write("/proc/meminfo", text);
    EXPECT_FALSE(read_total_memory_bytes(root()).has_value()) << text;
  }
  write("/proc/meminfo", "MemTotal:       16 kB\n");
  EXPECT_EQ(read_total_memory_bytes(root()), 16384);
}

}  // namespace
}  // namespace gpuassay
