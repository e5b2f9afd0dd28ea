// The whole probe on recorded machines (tests/support/machines), on damaged copies of them, and on this machine.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "agent/probe.h"
#include "agent/probe/text_fields.h"
#include "tests/support/recorded_machines.h"
#include "tests/support/scratch_root.h"

namespace gpuassay {
namespace {

namespace fs = std::filesystem;

using Text = std::optional<std::string>;
using Ids = std::vector<int>;

using test::machine_path;
using test::RecordedMachine;

/// JSON pointers of all facts that may be absent, and whether they are.
std::vector<std::pair<std::string, bool>> absent_facts(const Inventory& inventory) {
  const Host& host = inventory.host;
  std::vector<std::pair<std::string, bool>> facts{{"/host/cpu_model", !host.cpu_model},
                                                  {"/host/logical_cpus", !host.logical_cpus},
                                                  {"/host/effective_cpus", !host.effective_cpus},
                                                  {"/host/memory_bytes", !host.memory_bytes},
                                                  {"/host/os", !host.os},
                                                  {"/host/kernel", !host.kernel},
                                                  {"/host/virtualization", !host.virtualization},
                                                  {"/host/container", !host.container},
                                                  {"/platform", true}};
  const Device& device = inventory.devices.at(0);
  const std::string base = "/devices/0/";
  facts.insert(facts.end(), {{base + "model", !device.model},
                             {base + "variant", !device.variant},
                             {base + "memory_bytes", !device.memory_bytes},
                             {base + "compute_capability", !device.compute_capability},
                             {base + "sm_count", !device.sm_count},
                             {base + "driver_version", !device.driver_version},
                             {base + "vbios", !device.vbios},
                             {base + "uuid_hash", !device.uuid_hash},
                             {base + "pci", !device.pci},
                             {base + "ecc", !device.ecc},
                             {base + "mig", !device.mig},
                             {base + "vgpu", !device.vgpu},
                             {base + "limits", !device.limits},
                             {base + "theoretical", !device.theoretical}});
  return facts;
}

void expect_every_absence_explained_once(const Inventory& inventory) {
  std::multiset<std::string> explained;
  for (const Unknown& unknown : inventory.unknown) {
    explained.insert(unknown.path);
    EXPECT_FALSE(unknown.reason.empty()) << unknown.path;
  }
  for (const auto& [path, absent] : absent_facts(inventory)) {
    EXPECT_EQ(explained.count(path), absent ? 1U : 0U) << path;
    explained.erase(path);
  }
  EXPECT_TRUE(explained.empty()) << *explained.begin();
}

/// What holds for any machine, however damaged its files are.
void expect_sane(const Inventory& inventory) {
  const Host& host = inventory.host;
  for (const Text& text : {host.cpu_model, host.os, host.kernel, host.virtualization, host.container}) {
    if (text) {
      EXPECT_EQ(clean_text(*text), text);
    }
  }
  EXPECT_GT(host.logical_cpus.value_or(1), 0);
  EXPECT_GT(host.effective_cpus.value_or(1), 0);
  EXPECT_GT(host.memory_bytes.value_or(1), 0);
  EXPECT_GE(inventory.cpu.threads, 1);
  EXPECT_TRUE(std::is_sorted(inventory.cpu.allowed_cpus.begin(), inventory.cpu.allowed_cpus.end()));
  EXPECT_GE(inventory.uptime_s.value_or(0), 0);
  ASSERT_EQ(inventory.devices.size(), 1U);
  expect_every_absence_explained_once(inventory);
}

class ProbeOnRecorded : public testing::TestWithParam<RecordedMachine> {};

TEST_P(ProbeOnRecorded, IsDescribedAsItIs) {
  const RecordedMachine& expected = GetParam();
  ASSERT_TRUE(fs::exists(machine_path(expected.machine)));
  const Inventory inventory = probe(probe_inputs(machine_path(expected.machine)));
  const Host& host = inventory.host;
  EXPECT_EQ(host.cpu_model, expected.cpu_model);
  EXPECT_EQ(host.logical_cpus, expected.logical_cpus);
  EXPECT_EQ(host.effective_cpus, expected.effective_cpus);
  EXPECT_EQ(host.memory_bytes, expected.memory_bytes);
  EXPECT_EQ(host.os, expected.os);
  EXPECT_EQ(host.kernel, expected.kernel);
  EXPECT_EQ(host.virtualization, expected.virtualization);
  EXPECT_EQ(host.container, expected.container);

  const CpuFacts& cpu = inventory.cpu;
  EXPECT_EQ(cpu.allowed_cpus, expected.allowed_cpus);
  EXPECT_EQ(cpu.threads, expected.threads);
  EXPECT_EQ(cpu.has_avx2, expected.avx2);
  EXPECT_EQ(cpu.has_avx512, expected.avx512);
  EXPECT_EQ(cpu.has_bf16, expected.bf16);
  EXPECT_EQ(cpu.has_vnni, expected.vnni);
  EXPECT_EQ(cpu.l1d_bytes, expected.l1d_bytes);
  EXPECT_EQ(cpu.l2_bytes, expected.l2_bytes);
  EXPECT_EQ(cpu.l3_bytes, expected.l3_bytes);
  EXPECT_EQ(inventory.uptime_s, expected.uptime_s);

  EXPECT_EQ(inventory.platform.provider, "unknown");
  ASSERT_EQ(inventory.devices.size(), 1U);
  EXPECT_EQ(inventory.devices[0].kind, DeviceKind::cpu);
  EXPECT_EQ(inventory.devices[0].name, expected.cpu_model.value_or("CPU"));
  EXPECT_EQ(inventory.devices[0].memory_bytes, expected.memory_bytes);
  expect_sane(inventory);
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<fs::path> files_below(const fs::path& root) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// A copy of `text` with every 7th byte after `start` replaced, always by the same bytes.
std::string corrupted(std::string text, std::size_t start) {
  unsigned state = 12345;
  for (std::size_t at = start; at < text.size(); at += 7) {
    state = state * 1103515245U + 12345U;
    text[at] = static_cast<char>(state >> 16);
  }
  return text;
}

TEST_P(ProbeOnRecorded, SurvivesCutOffAndCorruptedFiles) {
  const test::ScratchRoot scratch;
  scratch.copy_from(machine_path(GetParam().machine));
  for (const fs::path& file : files_below(scratch.path())) {
    const std::string name = "/" + fs::relative(file, scratch.path()).string();
    const std::string whole = read_file(file);
    // Single values are cut once in the middle, tables and lists at many places.
    const std::size_t step = std::max<std::size_t>(1, whole.size() / (whole.size() < 16 ? 2 : 10));
    for (std::size_t size = 0; size < whole.size(); size += step) {
      SCOPED_TRACE(name + " cut off at byte " + std::to_string(size));
      scratch.write(name, whole.substr(0, size));
      expect_sane(probe(probe_inputs(scratch.path())));
    }
    for (const std::size_t start : {0U, 3U}) {
      SCOPED_TRACE(name + " corrupted from byte " + std::to_string(start));
      scratch.write(name, corrupted(whole, start));
      expect_sane(probe(probe_inputs(scratch.path())));
    }
    scratch.write(name, whole);
  }
}

TEST_P(ProbeOnRecorded, SurvivesMissingFiles) {
  const test::ScratchRoot scratch;
  scratch.copy_from(machine_path(GetParam().machine));
  for (const fs::path& file : files_below(scratch.path())) {
    fs::remove(file);
    expect_sane(probe(probe_inputs(scratch.path())));
  }
}

INSTANTIATE_TEST_SUITE_P(Machines, ProbeOnRecorded, testing::ValuesIn(test::recorded_machines()),
                         [](const auto& instance) { return instance.param.machine; });

TEST(Probe, EveryRecordedMachineHasExpectations) {
  std::set<std::string> recorded;
  for (const auto& entry : fs::directory_iterator(machine_path(""))) recorded.insert(entry.path().filename().string());
  std::set<std::string> expected;
  for (const RecordedMachine& machine : test::recorded_machines()) expected.insert(machine.machine);
  EXPECT_EQ(recorded, expected);
}

TEST(Probe, AnEmptyRootGivesNothingButReasons) {
  const test::ScratchRoot scratch;
  const Inventory inventory = probe(probe_inputs(scratch.path()));
  expect_sane(inventory);
  EXPECT_FALSE(inventory.host.effective_cpus.has_value());
  EXPECT_TRUE(inventory.cpu.allowed_cpus.empty());
  EXPECT_EQ(inventory.cpu.threads, 1);
  EXPECT_EQ(inventory.devices[0].name, "CPU");
  EXPECT_EQ(inventory.unknown.size(), absent_facts(inventory).size());
}

TEST(Probe, GivenAffinityReplacesTheRecordedOne) {
  const Inventory inventory = probe({SystemRoot(machine_path("kvm_vm")), Ids{1}});
  EXPECT_EQ(inventory.cpu.allowed_cpus, Ids{1});
  EXPECT_EQ(inventory.host.effective_cpus, 1.0);
  EXPECT_EQ(inventory.host.logical_cpus, 2);
}

TEST(Probe, NothingOfProcessOneIsPublishedButTheKindOfContainer) {
  const Inventory inventory = probe(probe_inputs(machine_path("hostile")));
  EXPECT_EQ(inventory.host.container, "unknown");
  for (const Unknown& unknown : inventory.unknown) EXPECT_EQ(unknown.reason.find("SECRET"), std::string::npos);
}

TEST(Probe, ThisMachineIsPlausible) {
  const ProbeInputs inputs = probe_inputs();
  ASSERT_TRUE(inputs.root.is_machine());
  ASSERT_TRUE(inputs.affinity.has_value());
  const Inventory inventory = probe(inputs);
  expect_sane(inventory);
  EXPECT_GE(inventory.host.logical_cpus.value_or(0), 1);
  EXPECT_GT(inventory.host.effective_cpus.value_or(0), 0);
  EXPECT_LE(inventory.host.effective_cpus.value_or(1e9), static_cast<double>(inputs.affinity->size()));
  EXPECT_LE(inventory.cpu.threads, static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  EXPECT_GT(inventory.host.memory_bytes.value_or(0), 64 * 1024 * 1024);
  EXPECT_TRUE(inventory.host.kernel.has_value());
  EXPECT_GT(inventory.uptime_s.value_or(0), 0);
}

}  // namespace
}  // namespace gpuassay
