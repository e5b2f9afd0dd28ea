#include "agent/backends/gpu_monitor.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>
#include <string_view>
#include <utility>

#include "core/stats.h"

namespace gpuassay {
namespace {

/// Drivers refresh their sensors every 20 to 100 ms; asking costs tens of microseconds of CPU.
constexpr std::chrono::milliseconds kPeriod{20};
constexpr std::chrono::seconds kLongestPeriod{1};
constexpr int kMostReadings = 1000;
constexpr int kDigits = 4;

constexpr std::array<std::pair<std::uint64_t, std::string_view>, 9> kReasonNames{
    {{nvml::kReasonGpuIdle, "gpu_idle"},
     {nvml::kReasonApplicationsClocksSetting, "applications_clocks_setting"},
     {nvml::kReasonSwPowerCap, "sw_power_cap"},
     {nvml::kReasonHwSlowdown, "hw_slowdown"},
     {nvml::kReasonSyncBoost, "sync_boost"},
     {nvml::kReasonSwThermalSlowdown, "sw_thermal_slowdown"},
     {nvml::kReasonHwThermalSlowdown, "hw_thermal_slowdown"},
     {nvml::kReasonHwPowerBrakeSlowdown, "hw_power_brake_slowdown"},
     {nvml::kReasonDisplayClockSetting, "display_clock_setting"}}};

/// What takes speed away. Idle, application clocks and synchronised boost are somebody's choice.
constexpr std::uint64_t kThrottling = nvml::kReasonSwPowerCap | nvml::kReasonHwSlowdown |
                                      nvml::kReasonSwThermalSlowdown | nvml::kReasonHwThermalSlowdown |
                                      nvml::kReasonHwPowerBrakeSlowdown;

template <class Function, class... Arguments>
std::optional<double> number(Function function, double factor, Arguments... arguments) {
  unsigned value = 0;
  if (function == nullptr || function(arguments..., &value) != nvml::kSuccess) return std::nullopt;
  return value * factor;
}

template <class Function>
std::optional<int> whole_number(Function function, unsigned most, nvml::Device device) {
  unsigned value = 0;
  if (function == nullptr || function(device, &value) != nvml::kSuccess || value > most) return std::nullopt;
  return static_cast<int>(value);
}

using Field = std::optional<double> GpuReading::*;

std::vector<double> known(const std::vector<GpuReading>& readings, Field field) {
  std::vector<double> values;
  for (const GpuReading& reading : readings) {
    if (reading.*field) values.push_back(*(reading.*field));
  }
  return values;
}

std::optional<double> median_of(const std::vector<GpuReading>& readings, Field field) {
  const std::vector<double> values = known(readings, field);
  if (values.empty()) return std::nullopt;
  return round_significant(median(values), kDigits);
}

/// Of what a link may be; a zero is no answer.
std::optional<int> highest_of(const std::vector<GpuReading>& readings, std::optional<int> GpuReading::*field) {
  int highest = 0;
  for (const GpuReading& reading : readings) highest = std::max(highest, (reading.*field).value_or(0));
  return highest > 0 ? std::optional(highest) : std::nullopt;
}

/// Seconds with each reason; a reading speaks for the time up to the next one, the last for one period.
std::map<std::string, double> seconds_by_reason(const std::vector<GpuReading>& readings) {
  std::map<std::string, double> seconds;
  for (std::size_t i = 0; i < readings.size(); ++i) {
    const double until_s = i + 1 < readings.size() ? readings[i + 1].at_s
                                                   : readings[i].at_s + std::chrono::duration<double>(kPeriod).count();
    for (const auto& [bit, name] : kReasonNames) {
      if ((readings[i].event_reasons.value_or(0) & bit) != 0) seconds[std::string(name)] += until_s - readings[i].at_s;
    }
  }
  for (auto& [name, value] : seconds) value = round_significant(value, kDigits);
  return seconds;
}

/// What the counter says of the time between the first and the last reading; it is refreshed some ten times a second.
/// One that does not agree with any reading of the power counts something else.
void add_energy(const std::vector<GpuReading>& readings, const std::vector<GpuReading>& busy, GpuTelemetry& telemetry) {
  constexpr double kShortestS = 0.5, kFarOff = 2;
  const std::vector<double> powers_w = known(busy, &GpuReading::power_w);
  const double seconds = readings.back().at_s - readings.front().at_s;
  const auto begin = readings.front().energy_j;
  const auto end = readings.back().energy_j;
  if (begin && end && *end > *begin && seconds >= kShortestS) {
    const double mean_w = (*end - *begin) / seconds;
    const bool believable =
        powers_w.empty() || (mean_w < kFarOff * *std::max_element(powers_w.begin(), powers_w.end()) &&
                             mean_w * kFarOff > *std::min_element(powers_w.begin(), powers_w.end()));
    if (believable) {
      telemetry.energy_j = round_significant(*end - *begin, kDigits);
      telemetry.mean_power_w = round_significant(mean_w, kDigits);
      return;
    }
  }
  if (powers_w.empty()) return;
  const double sum_w = std::accumulate(powers_w.begin(), powers_w.end(), 0.0);
  telemetry.mean_power_w = round_significant(sum_w / static_cast<double>(powers_w.size()), kDigits);
}

bool idle(const GpuReading& reading) { return (reading.event_reasons.value_or(0) & nvml::kReasonGpuIdle) != 0; }

}  // namespace

std::optional<GpuTelemetry> summarize_readings(const std::vector<GpuReading>& readings) {
  if (readings.empty()) return std::nullopt;
  std::vector<GpuReading> busy;
  std::copy_if(readings.begin(), readings.end(), std::back_inserter(busy), [](const auto& r) { return !idle(r); });
  if (busy.empty()) busy = readings;
  GpuTelemetry telemetry;
  telemetry.sm_clock_mhz = median_of(busy, &GpuReading::sm_clock_mhz);
  telemetry.memory_clock_mhz = median_of(busy, &GpuReading::memory_clock_mhz);
  telemetry.power_w = median_of(busy, &GpuReading::power_w);
  const std::vector<double> clocks = known(busy, &GpuReading::sm_clock_mhz);
  if (!clocks.empty()) telemetry.sm_clock_min_mhz = *std::min_element(clocks.begin(), clocks.end());
  const std::vector<double> temperatures = known(readings, &GpuReading::temperature_c);
  if (!temperatures.empty()) telemetry.temperature_c = *std::max_element(temperatures.begin(), temperatures.end());
  add_energy(readings, busy, telemetry);
  telemetry.pcie_generation = highest_of(readings, &GpuReading::pcie_generation);
  telemetry.pcie_width = highest_of(readings, &GpuReading::pcie_width);
  const bool tells = std::any_of(readings.begin(), readings.end(), [](const auto& r) { return r.event_reasons; });
  if (tells) {
    telemetry.event_reasons_s = seconds_by_reason(readings);
    telemetry.throttled = std::any_of(readings.begin(), readings.end(), [](const GpuReading& r) {
      return (r.event_reasons.value_or(0) & kThrottling) != 0;
    });
  }
  return telemetry;
}

NvmlDevice::NvmlDevice(const LibraryCandidate& candidate, const std::string& pci_bus_id)
    : library_(nvml::load(candidate)) {
  const nvml::Api& api = library_.api;
  nvml::check(api, api.nvmlInit_v2(), "nvmlInit_v2");
  nvml::check(api, api.nvmlDeviceGetHandleByPciBusId_v2(pci_bus_id.c_str(), &device_),
              "nvmlDeviceGetHandleByPciBusId_v2");
}

std::optional<double> NvmlDevice::temperature_c() const {
  return number(library_.api.nvmlDeviceGetTemperature, 1, device_, nvml::kTemperatureGpu);
}

GpuReading NvmlDevice::read() const {
  const nvml::Api& api = library_.api;
  GpuReading reading;
  reading.sm_clock_mhz = number(api.nvmlDeviceGetClockInfo, 1, device_, nvml::kClockSm);
  reading.memory_clock_mhz = number(api.nvmlDeviceGetClockInfo, 1, device_, nvml::kClockMemory);
  reading.power_w = number(api.nvmlDeviceGetPowerUsage, 1e-3, device_);
  reading.temperature_c = temperature_c();
  unsigned long long millijoules = 0;
  if (api.nvmlDeviceGetTotalEnergyConsumption != nullptr &&
      api.nvmlDeviceGetTotalEnergyConsumption(device_, &millijoules) == nvml::kSuccess)
    reading.energy_j = static_cast<double>(millijoules) / 1e3;
  constexpr unsigned kMostGeneration = 16, kMostLanes = 64;  // of the document
  reading.pcie_generation = whole_number(api.nvmlDeviceGetCurrPcieLinkGeneration, kMostGeneration, device_);
  reading.pcie_width = whole_number(api.nvmlDeviceGetCurrPcieLinkWidth, kMostLanes, device_);
  // The older name first: drivers from 535 on have both.
  const auto reasons = api.nvmlDeviceGetCurrentClocksThrottleReasons != nullptr
                           ? api.nvmlDeviceGetCurrentClocksThrottleReasons
                           : api.nvmlDeviceGetCurrentClocksEventReasons;
  unsigned long long bits = 0;
  if (reasons != nullptr && reasons(device_, &bits) == nvml::kSuccess) reading.event_reasons = bits;
  return reading;
}

GpuMonitor::GpuMonitor(const NvmlDevice& device) : device_(device), thread_([this] { watch(); }) {}

GpuMonitor::~GpuMonitor() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void GpuMonitor::watch() {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  while (true) {
    const bool last = stopping_;
    GpuReading reading = device_.read();
    reading.at_s = std::chrono::duration<double>(Clock::now() - begin).count();
    readings_.push_back(reading);
    if (last) return;
    // A soak of an hour needs no 180,000 readings.
    const auto unhurried = (Clock::now() - begin) / kMostReadings;
    std::this_thread::sleep_for(std::clamp<Clock::duration>(unhurried, kPeriod, kLongestPeriod));
  }
}

std::optional<double> GpuMonitor::temperature_c() const { return device_.temperature_c(); }

std::optional<GpuTelemetry> GpuMonitor::stop() {
  if (!thread_.joinable()) return std::nullopt;
  stopping_ = true;
  thread_.join();
  return summarize_readings(readings_);
}

}  // namespace gpuassay
