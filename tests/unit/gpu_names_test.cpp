#include "core/gpu_names.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace gpuassay {
namespace {

constexpr std::int64_t kMib = std::int64_t{1} << 20;

std::string row_of(const GpuIdentity& identity) {
  const GpuMatch match = find_gpu_spec(identity);
  return match.spec == nullptr ? "none: " + match.reason : match.spec->gpu;
}

TEST(GpuSpecs, EveryRowIsFoundByEverySpellingOfItsDriver) {
  EXPECT_GE(gpu_specs().size(), 56u);
  for (const GpuSpec& spec : gpu_specs()) {
    if (spec.is_board) continue;
    const auto memory_bytes = static_cast<std::int64_t>(spec.nvml_memory_mib.value_or(spec.memory_gib * 1024)) * kMib;
    for (const std::string& name : spec.nvml_names) {
      EXPECT_EQ(row_of({name, memory_bytes, spec.sm_count, spec.compute_capability, {}}), spec.gpu) << name;
      if (name.starts_with("NVIDIA ")) continue;
      EXPECT_EQ(row_of({"NVIDIA " + name, memory_bytes, spec.sm_count, spec.compute_capability, {}}), spec.gpu);
    }
  }
}

TEST(GpuSpecs, ATableWithAWrongFigureNamesTheLine) {
  const std::string header =
      "gpu,nvml_name,nvml_name_alt,compute_capability,sm_count,boost_clock_mhz,memory_gib,memory_bus_bits,"
      "memory_bandwidth_gbs,fp64_tflops,fp32_tflops,tf32_tensor_tflops,fp16_tensor_fp32acc_tflops,fp16_nontensor_"
      "tflops,"
      "bf16_tensor_tflops,int8_tops,fp8_tflops,l2_mib,tdp_w,pci_device_ids,nvsmi_memory_mib,nvsmi_max_sm_mhz,"
      "nvsmi_max_mem_mhz,nvsmi_power_limit_w,model,variant,pcie\n";
  EXPECT_EQ(parse_gpu_specs(header + "X,X,,7.0,80,,16,,,,,,,,,,,,,,,,,,X,,\n").at(0).sm_count, 80);
  EXPECT_EQ(gpu_spec_named("A10")->pcie_generation, 4);
  EXPECT_EQ(gpu_spec_named("A10")->pcie_lanes, 16);
  EXPECT_FALSE(gpu_spec_named("GH200-96GB")->pcie_generation) << "its host is not behind PCIe";
  for (const char* row : {"X,X,,7.0,80,,16,,-1,,,,,,,,,,,,,,,,X,,\n", "X,X,,7.0,,,16,,,,,,,,,,,,,,,,,,X,,\n",
                          "X,X,,7.0,80,fast,16,,,,,,,,,,,,,,,,,,X,,\n"}) {
    EXPECT_THROW(parse_gpu_specs(header + row), Error) << row;
  }
}

TEST(GpuNames, OldAndNewSpellingsAreOneCard) {
  EXPECT_EQ(row_of({"Tesla T4"}), "T4");
  EXPECT_EQ(row_of({"NVIDIA T4"}), "T4");
  EXPECT_EQ(row_of({"nvidia tesla  t4"}), "T4");
  EXPECT_EQ(row_of({"GeForce RTX 2080 Ti"}), "RTX 2080 Ti");
  EXPECT_EQ(row_of({"NVIDIA GeForce RTX 2080 Ti"}), "RTX 2080 Ti");
  EXPECT_EQ(row_of({"A100-SXM4-40GB"}), "A100-SXM4-40GB");
  EXPECT_EQ(row_of({"NVIDIA A100-SXM4-40GB"}), "A100-SXM4-40GB");
  EXPECT_EQ(row_of({"A100-SXM-80GB"}), "A100-SXM4-80GB");
  EXPECT_EQ(row_of({"NVIDIA H100 80GB HBM3"}), "H100-SXM5-80GB");
  EXPECT_EQ(row_of({"Quadro RTX 6000"}), "Quadro RTX 6000");
  EXPECT_EQ(row_of({"RTX A6000"}), "RTX A6000");
}

TEST(GpuNames, ModelAndVariantAreThoseOfThePrices) {
  const GpuMatch v100 = find_gpu_spec({"Tesla V100-SXM2-16GB"});
  EXPECT_EQ(v100.model, "Tesla V100");
  EXPECT_EQ(v100.variant, "SXM2");
  const GpuMatch a100 = find_gpu_spec({"NVIDIA A100 80GB PCIe"});
  EXPECT_EQ(a100.model, "A100");
  EXPECT_EQ(a100.variant, "PCIe");
  const GpuMatch t4 = find_gpu_spec({"Tesla T4"});
  EXPECT_EQ(t4.model, "Tesla T4");
  EXPECT_FALSE(t4.variant);
  EXPECT_EQ(find_gpu_spec({"NVIDIA GeForce RTX 4090"}).model, "RTX 4090");
  EXPECT_EQ(find_gpu_spec({"Tesla K80"}).model, "Tesla K80");
}

TEST(GpuNames, AK80DeviceIsOneDieOfTheBoard) {
  EXPECT_EQ(row_of({"Tesla K80", 11441 * kMib, 13, "3.7"}), "K80 (one GK210)");
  EXPECT_EQ(row_of({"Tesla K80"}), "K80 (one GK210)");
  ASSERT_NE(gpu_spec_named("K80 (board)"), nullptr);
  EXPECT_TRUE(gpu_spec_named("K80 (board)")->is_board);
}

TEST(GpuNames, ACardOfTheSameNameWithOtherProcessorsIsNotThisOne) {
  // The RTX 3080 with 12 GB has 70 multiprocessors and the same name.
  const GpuMatch match = find_gpu_spec({"NVIDIA GeForce RTX 3080", 12288 * kMib, 70, "8.6"});
  EXPECT_EQ(match.spec, nullptr);
  EXPECT_EQ(match.model, "RTX 3080") << "what it is called is known all the same";
  EXPECT_NE(match.reason, "");
  EXPECT_EQ(row_of({"NVIDIA GeForce RTX 3080", 10240 * kMib, 68, "8.6"}), "RTX 3080");
}

TEST(GpuNames, MigSlicesAreCutFromTheirCard) {
  const GpuMatch slice = find_gpu_spec({"NVIDIA A100-SXM4-40GB MIG 1g.5gb", 4864 * kMib, 14, "8.0"});
  ASSERT_NE(slice.spec, nullptr);
  EXPECT_EQ(slice.spec->gpu, "A100-SXM4-40GB");
  EXPECT_EQ(slice.mig, "1g.5gb");
  EXPECT_EQ(find_gpu_spec({"NVIDIA H100 80GB HBM3 MIG 1g.10gb+me"}).mig, "1g.10gb+me");
}

TEST(GpuNames, VgpusAreThePhysicalCard) {
  const GpuMatch v100 = find_gpu_spec({"GRID V100D-8C", 8192 * kMib, 80, "7.0"});
  ASSERT_NE(v100.spec, nullptr);
  EXPECT_EQ(v100.spec->gpu, "V100-PCIE-32GB");
  EXPECT_EQ(v100.vgpu, "V100D-8C");
  EXPECT_EQ(row_of({"NVIDIA A100-40C"}), "A100-PCIE-40GB");
  EXPECT_EQ(row_of({"NVIDIA A100X-4-20C"}), "A100-SXM4-40GB");
  EXPECT_EQ(row_of({"GRID T4-16C"}), "T4");
  EXPECT_EQ(row_of({"GRID RTX6000-24Q"}), "Quadro RTX 6000");
  EXPECT_EQ(row_of({"GRID V100-8C", {}, {}, {}, "10DE:1DB5"}), "V100-SXM2-32GB") << "the id says more than the letters";
}

TEST(GpuNames, AnUnknownNameIsFoundByItsPciIdOrNotAtAll) {
  EXPECT_EQ(row_of({"Graphics Device", 16384 * kMib, 80, "7.0", "10de:1df5"}), "V100-SXM2-16GB");
  const GpuMatch unknown = find_gpu_spec({"NVIDIA RTX 9999", 1024 * kMib, 1, "13.0", "10de:ffff"});
  EXPECT_EQ(unknown.spec, nullptr);
  EXPECT_FALSE(unknown.model);
  EXPECT_NE(unknown.reason, "");
  EXPECT_FALSE(find_gpu_spec({""}).model);
  EXPECT_FALSE(find_gpu_spec({std::string(100'000, '-')}).model) << "and it does not take long";
}

TEST(GpuNames, TwoCardsOfOneNameAreNotGuessed) {
  // Two cards share the id; without the memory nothing tells the M40s apart.
  const GpuMatch m40 = find_gpu_spec({"an M40 of some kind", {}, {}, {}, "10de:17fd"});
  EXPECT_EQ(m40.spec, nullptr);
  EXPECT_EQ(m40.model, "Tesla M40");
  EXPECT_EQ(row_of({"an M40 of some kind", 22945 * kMib, {}, {}, "10de:17fd"}), "M40 24GB");
}

}  // namespace
}  // namespace gpuassay
