// Names of GPUs, providers and machine sizes in price lists: the rules of docs/PRICES.md under "Names".
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/gpu_aliases.h"
#include "core/gpu_names.h"
#include "core/gpu_specs.h"
#include "core/machine_sizes.h"
#include "core/price_text.h"
#include "core/provider_names.h"

namespace gpuassay {
namespace {

constexpr Micros kGib = 1'000'000;

std::string model_of(std::string_view name, std::optional<Micros> memory = {}) {
  const auto gpu = find_gpu_name(name, memory);
  return gpu ? gpu->model : "?";
}

TEST(GpuAliases, CatalogueShortNamesCloudNamesAndDriverNamesAreOne) {
  for (const char* name : {"RTX A6000", "A6000", "RTXA6000", "NVIDIA RTX A6000", "rtx a 6000"})
    EXPECT_EQ(model_of(name), "RTX A6000") << name;
  for (const char* name : {"T4", "nvidia-tesla-t4", "Tesla T4", "TESLA_T4"})
    EXPECT_EQ(model_of(name), "Tesla T4") << name;
  for (const char* name : {"V100", "Tesla V100-SXM2-16GB", "V100-32GB", "V100SXM2"})
    EXPECT_EQ(model_of(name), "Tesla V100") << name;
  EXPECT_EQ(model_of("QRTX6000"), "Quadro RTX 6000");
  EXPECT_EQ(model_of("Q RTX 8000"), "Quadro RTX 8000");
  EXPECT_EQ(model_of("NVIDIA GeForce RTX 4090"), "RTX 4090");
  EXPECT_EQ(model_of("RTX6000Ada"), "RTX 6000 Ada Generation");
  EXPECT_EQ(model_of("NVIDIA RTX PRO 6000 Blackwell Server Edition"), "RTX PRO 6000 Blackwell");
}

TEST(GpuAliases, MemoryInTheNameBecomesMemoryAndFormBecomesVariant) {
  const GpuName a100 = resolve_gpu_name("A100-SXM4-80GB");
  EXPECT_EQ(a100.model, "A100");
  EXPECT_EQ(a100.variant, "SXM4");
  EXPECT_EQ(a100.memory_gib, 80 * kGib);
  EXPECT_EQ(resolve_gpu_name("A100 (40 GB SXM4)").memory_gib, 40 * kGib);
  EXPECT_EQ(resolve_gpu_name("NVIDIA A100 80GB PCIe").variant, "PCIe");
  EXPECT_EQ(resolve_gpu_name("H100 SXM").variant, "SXM5");
  EXPECT_EQ(resolve_gpu_name("A100 SXM").variant, "SXM4");
  EXPECT_EQ(resolve_gpu_name("V100 SXM").variant, "SXM2");
  EXPECT_EQ(resolve_gpu_name("H100 NVL").variant, "NVL");
  EXPECT_EQ(resolve_gpu_name("L4").variant, std::nullopt);
}

TEST(GpuAliases, BareRtx6000NeedsItsMemory) {
  EXPECT_EQ(model_of("RTX 6000"), "?");
  EXPECT_EQ(model_of("RTX 6000", 24 * kGib), "Quadro RTX 6000");
  EXPECT_EQ(model_of("RTX 6000", 48 * kGib), "RTX 6000 Ada Generation");
  EXPECT_EQ(model_of("RTX 6000", 96 * kGib), "RTX PRO 6000 Blackwell");
  EXPECT_EQ(model_of("RTX 6000 (24 GB)"), "Quadro RTX 6000");
  EXPECT_EQ(model_of("RTX 6000", 64 * kGib), "?") << "none of them has as much";
  EXPECT_EQ(model_of("RTX 6000", 23'650'000), "Quadro RTX 6000") << "what the driver leaves of it";
}

TEST(GpuAliases, UnknownNamesAreErrorsThatNameThem) {
  try {
    resolve_gpu_name("Q9000");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'Q9000' is not known"), std::string::npos);
  }
  for (const char* name : {"", "80GB", "SXM4", "tpu-v3-8", "A1000000"}) EXPECT_EQ(model_of(name), "?") << name;
}

TEST(GpuAliases, TheAgentsTableOfGpusAndThisOneAgree) {
  for (const GpuSpec& spec : gpu_specs()) {
    for (const std::string& name : spec.nvml_names) {
      const auto gpu = find_gpu_name(name, static_cast<Micros>(spec.memory_gib * 1e6));
      ASSERT_TRUE(gpu) << name;
      EXPECT_EQ(gpu->model, spec.model) << name;
      if (gpu->variant && spec.variant) {
        EXPECT_EQ(*gpu->variant, *spec.variant) << name;
      }
    }
  }
}

TEST(GpuAliases, TheAgentNamesGpusThatItsOwnTableLacks) {
  const GpuMatch match = find_gpu_spec({"NVIDIA L40", std::int64_t{48} << 30U});
  EXPECT_EQ(match.spec, nullptr);
  EXPECT_EQ(match.model, "L40");
}

TEST(Providers, AliasesAndOtherSlugs) {
  EXPECT_EQ(provider_slug("OCI"), "oracle");
  EXPECT_EQ(provider_slug("LambdaLabs"), "lambda");
  EXPECT_EQ(provider_slug("vast.ai"), "vastai");
  EXPECT_EQ(provider_slug("AWS"), "aws");
  EXPECT_EQ(provider_slug("some-cloud"), "some-cloud");
  EXPECT_THROW(provider_slug("two words"), Error);
  EXPECT_THROW(provider_slug(""), Error);
}

TEST(InstanceTypes, AreComparedWithoutCaseSpacesDashesAndStandard) {
  EXPECT_EQ(instance_key("Standard_NC6s_v3"), instance_key("nc6s v3"));
  EXPECT_EQ(instance_key("a2-highgpu-1g"), "a2highgpu1g");
  EXPECT_NE(instance_key("p3.2xlarge"), instance_key("p3.8xlarge"));
}

TEST(MachineSizes, ByTypeAndByFamily) {
  EXPECT_EQ(find_machine_size("azure", "Standard_NV6ads_A10_v5")->gpu_count, 166'667);
  EXPECT_EQ(find_machine_size("aws", "p3.2xlarge")->gpu_model, "Tesla V100");
  EXPECT_EQ(find_machine_size("gcp", "a2-megagpu-16g")->gpu_count, 16'000'000);
  EXPECT_EQ(find_machine_size("aws", "m5.large"), nullptr);
}

TEST(PriceText, NumbersWithExponentsBecomePlainDigits) {
  EXPECT_EQ(plain_digits("4.7E-2"), "0.047");
  EXPECT_EQ(plain_digits("1e+3"), "1000");
  EXPECT_EQ(plain_digits("1.25e1"), "12.5");
  EXPECT_EQ(plain_digits("0.5"), "0.5");
  EXPECT_EQ(plain_digits("1e999"), "1e999");
  EXPECT_EQ(plain_digits("-1e3"), "-1e3");
}

}  // namespace
}  // namespace gpuassay
