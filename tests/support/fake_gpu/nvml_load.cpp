// The fake libnvidia-ml.so.1: clocks, power, temperature and the rest that changes under load.
#include "tests/support/fake_gpu/nvml_entry.h"
#include "tests/support/fake_gpu/nvml_exports.h"

namespace gpuassay::nvml {

using fake::Machine;
using fake::nvml_query;
using fake::NvmlFailure;
using fake::require_support;

namespace {

/// Guests of a virtual GPU see the host's sensors as little as its event reasons.
void require_whole_card(const Machine& machine, const fake::Device& device) {
  require_support(machine.setup.fault("vgpu", device.ordinal()) == nullptr);
}

}  // namespace

int nvmlDeviceGetCurrPcieLinkGeneration(Device device, unsigned* generation) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    require_whole_card(machine, asked);
    // Desktop boards slow the link down when nothing moves.
    const bool asleep = asked.profile().is_geforce() && !asked.loaded();
    *generation = asleep ? 1U : static_cast<unsigned>(asked.profile().pcie_generation);
  });
}

int nvmlDeviceGetCurrPcieLinkWidth(Device device, unsigned* lanes) {
  return nvmlDeviceGetMaxPcieLinkWidth(device, lanes);
}

int nvmlDeviceGetPowerUsage(Device device, unsigned* milliwatts) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    require_whole_card(machine, asked);
    *milliwatts = asked.power_mw();
  });
}

int nvmlDeviceGetEnforcedPowerLimit(Device device, unsigned* milliwatts) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    require_whole_card(machine, asked);
    *milliwatts = asked.power_limit_mw();
  });
}

int nvmlDeviceGetPowerManagementLimit(Device device, unsigned* milliwatts) {
  return nvmlDeviceGetEnforcedPowerLimit(device, milliwatts);
}

int nvmlDeviceGetTotalEnergyConsumption(Device device, unsigned long long* millijoules) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    require_whole_card(machine, asked);
    require_support(asked.profile().major >= 7);
    *millijoules = static_cast<unsigned long long>(asked.energy_mj());
  });
}

int nvmlDeviceGetClockInfo(Device device, int clock_type, unsigned* mhz) {
  return nvml_query(device, [&](Machine&, fake::Device& asked) {
    *mhz = clock_type == kClockMemory ? asked.memory_clock_mhz() : asked.sm_clock_mhz();
  });
}

int nvmlDeviceGetTemperature(Device device, int sensor, unsigned* celsius) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    require_whole_card(machine, asked);
    if (sensor != kTemperatureGpu) throw NvmlFailure{kInvalidArgument};
    *celsius = asked.temperature_c();
  });
}

int nvmlDeviceGetCurrentClocksThrottleReasons(Device device, unsigned long long* reasons) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    require_whole_card(machine, asked);
    *reasons = asked.event_reasons();
  });
}

int nvmlDeviceGetCurrentClocksEventReasons(Device device, unsigned long long* reasons) {
  constexpr int kFirstBranch = 535;
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    if (machine.setup.driver.branch < kFirstBranch) throw NvmlFailure{kFunctionNotFound};
    require_whole_card(machine, asked);
    *reasons = asked.event_reasons();
  });
}

int nvmlDeviceGetComputeRunningProcesses(Device device, unsigned* count, void* /*infos*/) {
  return nvml_query(device, [&](Machine&, fake::Device& asked) {
    // This process alone; without a context nobody.
    const unsigned given = *count;
    *count = asked.context_uses > 0 ? 1 : 0;
    if (*count > given) throw NvmlFailure{kInsufficientSize};
  });
}

int nvmlDeviceGetComputeRunningProcesses_v3(Device device, unsigned* count, void* infos) {
  return nvmlDeviceGetComputeRunningProcesses(device, count, infos);
}

int nvmlDeviceGetUtilizationRates(Device device, Utilization* utilization) {
  return nvml_query(device, [&](Machine&, fake::Device& asked) {
    utilization->gpu = asked.loaded() ? 100 : 0;
    utilization->memory = asked.loaded() ? 40 : 0;
  });
}

}  // namespace gpuassay::nvml
