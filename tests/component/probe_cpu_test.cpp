// What control groups, affinity and caches leave to the process, on roots written by the test.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "agent/probe/cgroup.h"
#include "agent/probe/cpu_cache.h"
#include "agent/probe/cpu_share.h"
#include "tests/support/scratch_root.h"

namespace gpuassay {
namespace {

using Ids = std::vector<int>;

class ProbeCpu : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) { scratch_.write(path, text); }
  [[nodiscard]] SystemRoot root() const { return SystemRoot(scratch_.path()); }

  /// One v2 hierarchy whose directory `mount_root` is mounted at /cg, and the own group in it.
  void use_v2(const std::string& group, const std::string& mount_root = "/") {
    write("/proc/self/cgroup", "0::" + group + "\n");
    write("/proc/self/mountinfo", "35 24 0:27 " + mount_root + " /cg rw - cgroup2 cgroup2 rw\n");
  }
  [[nodiscard]] std::optional<double> quota_of(const std::string& cpu_max) {
    use_v2("/");
    write("/cg/cpu.max", cpu_max);
    return read_cgroup_limits(root()).quota_cpus;
  }
  [[nodiscard]] std::optional<std::int64_t> memory_of(const std::string& memory_max) {
    use_v2("/");
    write("/cg/memory.max", memory_max);
    return read_cgroup_limits(root()).memory_bytes;
  }

  test::ScratchRoot scratch_;
};

using Cgroups = ProbeCpu;

TEST_F(Cgroups, QuotaIsTimeOverPeriod) {
  EXPECT_EQ(quota_of("150000 100000\n"), 1.5);
  EXPECT_EQ(quota_of("1000 1000000"), 0.001);
  EXPECT_EQ(quota_of("800000 50000\n"), 16.0);
}

TEST_F(Cgroups, ImpossibleQuotasAreIgnored) {
  for (const char* text :
       {"max 100000\n", "", "150000", "1e30 100000", "-1 100000", "0 100000", "999 100000", "100000 0", "100000 -1",
        "100000 999", "100000 1000001", "1 2 3", "9223372036854775807 1000", "99999999999999999999 100000"}) {
    EXPECT_FALSE(quota_of(text).has_value()) << text;
  }
}

TEST_F(Cgroups, HugeMemoryLimitsAreNone) {
  EXPECT_EQ(memory_of("1073741824\n"), 1073741824);
  for (const char* text : {"max\n", "9223372036854771712\n", "9223372036854775807", "-1", "0", "1e30", ""}) {
    EXPECT_FALSE(memory_of(text).has_value()) << text;
  }
}

TEST_F(Cgroups, TheTightestOfAllAncestorsCounts) {
  use_v2("/a/b/c");
  write("/cg/a/b/c/cpu.max", "400000 100000\n");
  write("/cg/a/b/cpu.max", "max 100000\n");
  write("/cg/a/cpu.max", "200000 100000\n");
  write("/cg/a/b/memory.max", "1000\n");
  write("/cg/a/memory.max", "2000\n");
  write("/cg/a/cpuset.cpus.effective", "0-5\n");
  write("/cg/a/b/c/cpuset.cpus.effective", "4-5\n");
  const CgroupLimits limits = read_cgroup_limits(root());
  EXPECT_EQ(limits.quota_cpus, 2.0);
  EXPECT_EQ(limits.memory_bytes, 1000);
  EXPECT_EQ(limits.cpuset, (Ids{4, 5}));
}

TEST_F(Cgroups, TheMountedPartIsTakenOffTheOwnPath) {
  use_v2("/docker/x/inner", "/docker/x");
  write("/cg/inner/cpu.max", "300000 100000\n");
  EXPECT_EQ(read_cgroup_limits(root()).quota_cpus, 3.0);
  use_v2("/docker/xy", "/docker/x");
  write("/cg/y/cpu.max", "100000 100000\n");
  EXPECT_FALSE(read_cgroup_limits(root()).quota_cpus.has_value()) << "/docker/xy does not lie below /docker/x";
}

TEST_F(Cgroups, APathOutsideTheNamespaceLeavesTheMountPoint) {
  use_v2("/../../other");
  write("/cg/cpu.max", "250000 100000\n");
  write("/other/cpu.max", "100000 100000\n");
  EXPECT_EQ(read_cgroup_limits(root()).quota_cpus, 2.5);
  use_v2("/somewhere", "/../..");
  EXPECT_EQ(read_cgroup_limits(root()).quota_cpus, 2.5);
}

TEST_F(Cgroups, HybridTakesBothHierarchies) {
  write("/proc/self/cgroup", "4:memory:/m\n2:cpu,cpuacct:/c\n0::/u\n");
  write("/proc/self/mountinfo",
        "1 0 0:1 / /v1/cpu rw - cgroup cgroup rw,cpu,cpuacct\n2 0 0:2 / /v1/memory rw - cgroup cgroup rw,memory\n"
        "3 0 0:3 / /v2 rw - cgroup2 cgroup2 rw\n");
  write("/v1/cpu/c/cpu.cfs_quota_us", "500000\n");
  write("/v1/cpu/c/cpu.cfs_period_us", "100000\n");
  write("/v1/memory/m/memory.limit_in_bytes", "9223372036854771712\n");
  write("/v1/memory/m/memory.stat", "cache 1\nhierarchical_memory_limit 4096\n");
  write("/v2/u/cpuset.cpus.effective", "1\n");
  const CgroupLimits limits = read_cgroup_limits(root());
  EXPECT_EQ(limits.quota_cpus, 5.0);
  EXPECT_EQ(limits.memory_bytes, 4096) << "an ancestor's limit that only memory.stat shows";
  EXPECT_EQ(limits.cpuset, Ids{1});
}

TEST_F(Cgroups, OtherHierarchiesAreNotTakenForCpu) {
  write("/proc/self/cgroup", "2:cpuset:/c\n1:name=cpu:/c\n");
  write("/proc/self/mountinfo", "1 0 0:1 / /v1/cpuset rw - cgroup cgroup rw,cpuset\n");
  write("/v1/cpuset/c/cpu.cfs_quota_us", "100000\n");
  write("/v1/cpuset/c/cpu.cfs_period_us", "100000\n");
  EXPECT_FALSE(read_cgroup_limits(root()).quota_cpus.has_value());
}

using CpuShares = ProbeCpu;

TEST_F(CpuShares, QuotaAndMaskTheSmallerCounts) {
  write("/sys/devices/system/cpu/online", "0-7\n");
  CgroupLimits limits;
  limits.quota_cpus = 6.5;
  EXPECT_EQ(read_cpu_share(root(), Ids{0, 1}, limits, {}).effective_cpus, 2.0);
  const CpuShare share = read_cpu_share(root(), Ids{0, 1, 2, 3, 4, 5, 6, 7}, limits, {});
  EXPECT_EQ(share.effective_cpus, 6.5);
  EXPECT_EQ(share.threads, 6);
  EXPECT_EQ(share.allowed_cpus.size(), 8U);
}

TEST_F(CpuShares, HalfACpuIsOneThread) {
  CgroupLimits limits;
  limits.quota_cpus = 0.5;
  const CpuShare share = read_cpu_share(root(), Ids{3, 3, -1, 999999}, limits, {});
  EXPECT_EQ(share.effective_cpus, 0.5);
  EXPECT_EQ(share.threads, 1);
  EXPECT_EQ(share.allowed_cpus, Ids{3});
}

TEST_F(CpuShares, CpusetNarrowsTheMaskUnlessTheyContradict) {
  CgroupLimits limits;
  limits.cpuset = Ids{1, 2};
  EXPECT_EQ(read_cpu_share(root(), Ids{0, 1}, limits, {}).allowed_cpus, Ids{1});
  EXPECT_EQ(read_cpu_share(root(), Ids{8, 9}, limits, {}).allowed_cpus, (Ids{8, 9}));
}

TEST_F(CpuShares, RecordedMaskCountsOnlineCpusOnly) {
  write("/proc/self/status", "Cpus_allowed_list:\t0-127\n");
  write("/sys/devices/system/cpu/online", "0-2\n");
  EXPECT_EQ(read_cpu_share(root(), std::nullopt, {}, {}).allowed_cpus, (Ids{0, 1, 2}));
}

using Caches = ProbeCpu;

TEST_F(Caches, SharedL2IsDividedAmongCores) {
  const std::string cpu = "/sys/devices/system/cpu/cpu0/";
  write(cpu + "topology/thread_siblings_list", "0\n");
  write(cpu + "cache/index0/level", "2\n");
  write(cpu + "cache/index0/type", "Unified\n");
  write(cpu + "cache/index0/size", "4096K\n");
  write(cpu + "cache/index0/shared_cpu_list", "0-3\n");
  EXPECT_EQ(read_cpu_caches(root(), {0}, {}).l2_bytes, 1048576);
  write(cpu + "topology/thread_siblings_list", "0-1\n");
  EXPECT_EQ(read_cpu_caches(root(), {0}, {}).l2_bytes, 2097152);
}

TEST_F(Caches, CpuInfoMeansL3OnIntelAndL2OnAmd) {
  CpuInfo info;
  info.cache_size_bytes = 512 * 1024;
  info.vendor_id = "GenuineIntel";
  EXPECT_EQ(read_cpu_caches(root(), {0}, info).l3_bytes, 524288);
  info.vendor_id = "AuthenticAMD";
  EXPECT_EQ(read_cpu_caches(root(), {0}, info).l2_bytes, 524288);
  EXPECT_EQ(read_cpu_caches(root(), {0}, info).l3_bytes, 0);
}

}  // namespace
}  // namespace gpuassay
