#include "tests/support/fake_gpu/setup.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include "core/error.h"

namespace gpuassay::fake {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// The number a text begins with, 0 without one.
int number_of(const std::string& text) { return static_cast<int>(std::strtol(text.c_str(), nullptr, 10)); }

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= text.size() && !text.empty()) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

/// The first driver branch of each CUDA version, its cuDriverGetVersion number and its PTX ISA (CUDA release notes,
/// PTX ISA release table).
struct Branch {
  int first, cuda, ptx_isa;
};
constexpr std::array<Branch, 17> kBranches{{{590, 13010, 91},
                                            {580, 13000, 90},
                                            {575, 12090, 88},
                                            {570, 12080, 87},
                                            {560, 12060, 85},
                                            {555, 12050, 85},
                                            {550, 12040, 84},
                                            {545, 12030, 83},
                                            {535, 12020, 82},
                                            {530, 12010, 81},
                                            {525, 12000, 80},
                                            {520, 11080, 78},
                                            {510, 11060, 76},
                                            {470, 11040, 74},
                                            {460, 11020, 72},
                                            {450, 11000, 70},
                                            {440, 10020, 65}}};

const Branch& branch_of(int number) {
  for (const Branch& branch : kBranches) {
    if (number >= branch.first) return branch;
  }
  return kBranches.back();
}

/// A slice of `slices` of the card's seven: what one MIG instance is.
void cut_slice(GpuProfile& gpu, int slices) {
  const double share = slices / 7.0;
  gpu.driver_name += " MIG " + std::to_string(slices) + "g";
  gpu.sm_count = gpu.sm_count * slices / 8;  // an instance has whole GPCs' worth: 14 of 108 SMs on A100
  gpu.memory_bytes = static_cast<std::uint64_t>(static_cast<double>(gpu.memory_bytes) * slices / 8);
  gpu.l2_bytes = gpu.l2_bytes * static_cast<std::uint64_t>(slices) / 8;
  for (double* speed : {&gpu.bandwidth_bytes_per_s, &gpu.fp64_tflops, &gpu.fp32_tflops, &gpu.tf32_tflops,
                        &gpu.fp16_tflops, &gpu.bf16_tflops, &gpu.int8_tops, &gpu.fp8_tflops, &gpu.fp16_fma_tflops}) {
    *speed *= share;
  }
}

/// "GRID V100-16C": a virtual GPU with the whole card's memory.
void make_virtual(GpuProfile& gpu) {
  constexpr std::uint64_t kGib = std::uint64_t{1} << 30U;
  const std::string model = gpu.name.substr(0, gpu.name.find('-'));
  gpu.driver_name = "GRID " + model + "-" + std::to_string((gpu.memory_bytes + kGib - 1) / kGib) + "C";
}

void add_gpus(Setup& setup, const std::string& entry) {
  const std::size_t star = entry.rfind('*');
  std::string name = entry.substr(0, star);
  int count = star == std::string::npos ? 1 : std::max(1, number_of(entry.substr(star + 1)));
  if (name == "K80 (board)") {
    name = "K80 (one GK210)";
    count *= 2;
  }
  const auto gpu = find_profile(name, setup.driver.branch >= 465);
  if (!gpu) throw Error(ErrorCode::usage, "GPUASSAY_FAKE_GPU: no GPU '" + name + "' in gpu_specs.csv");
  setup.gpus.insert(setup.gpus.end(), static_cast<std::size_t>(count), *gpu);
}

Fault fault_of(const std::string& entry) {
  const std::vector<std::string> parts = split(entry, ':');
  Fault fault;
  fault.name = parts.at(0);
  if (parts.size() > 1 && !parts[1].empty()) fault.device = number_of(parts[1]);
  if (parts.size() > 2) fault.value = parts[2];
  return fault;
}

}  // namespace

double Fault::number(double absent) const { return value.empty() ? absent : std::strtod(value.c_str(), nullptr); }

bool Fault::concerns(std::string_view kind, double operations) const {
  constexpr double kLarge = 1e8;
  if (!value.empty()) return value == kind;
  return (kind == "gemm" || kind == "conv") && operations >= kLarge;
}

int DriverVersion::cuda() const { return branch_of(branch).cuda; }
int DriverVersion::ptx_isa() const { return branch_of(branch).ptx_isa; }

const Fault* Setup::fault(std::string_view name, int device) const {
  for (const Fault& fault : faults) {
    if (fault.name == name && (device < 0 || fault.device < 0 || fault.device == device)) return &fault;
  }
  return nullptr;
}

Setup Setup::from_environment() {
  Setup setup;
  if (const std::string driver = variable("GPUASSAY_FAKE_DRIVER"); !driver.empty()) setup.driver.text = driver;
  for (const std::string& entry : split(variable("GPUASSAY_FAKE_FAULTS"), ',')) setup.faults.push_back(fault_of(entry));
  if (const Fault* old = setup.fault("old_driver")) {
    setup.driver.text = old->value.empty() ? "440.33.01" : old->value;
  }
  setup.driver.branch = number_of(setup.driver.text);
  for (const std::string& entry : split(variable("GPUASSAY_FAKE_GPU"), ',')) add_gpus(setup, entry);
  for (std::size_t device = 0; device < setup.gpus.size(); ++device) {
    const Fault* mig = setup.fault("mig", static_cast<int>(device));
    if (mig != nullptr) cut_slice(setup.gpus[device], static_cast<int>(mig->number(1)));
    if (setup.fault("vgpu", static_cast<int>(device)) != nullptr) make_virtual(setup.gpus[device]);
  }
  return setup;
}

std::string version_from_environment(const char* name, int major) {
  for (const std::string& version : split(variable(name), ',')) {
    if (number_of(version) == major) return version;
  }
  return "";
}

}  // namespace gpuassay::fake
