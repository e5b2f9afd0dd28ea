#include "tests/support/fake_gpu/device.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "agent/dynlib/nvml.h"
#include "kernels/random_normal.h"

namespace gpuassay::fake {
namespace {

/// Memory never reaches its pin bandwidth: refresh and turnarounds.
constexpr double kMemoryEfficiency = 0.9;
/// L2 of every generation since Kepler delivers a few times what device memory does.
constexpr double kL2Speedup = 3.5;
/// A kernel that does nothing still occupies the device that long.
constexpr double kSmallestKernelNs = 1200;
constexpr double kLoadTimeConstantNs = 50e6;
constexpr double kWarmingTimeConstantNs = 20e9;
constexpr double kIdlePowerShare = 0.12;
/// Under the faults `throttle` and `overheat` the clock falls after that much work.
constexpr double kThrottleAfterNs = 200e6, kOverheatAfterNs = 20e9;

/// So many seconds after with_fake_gpu began.
std::chrono::system_clock::time_point seconds_since_start(double seconds) {
  using Clock = std::chrono::system_clock;
  const char* const started = std::getenv("GPUASSAY_FAKE_STARTED");
  const double since_1970_s = (started == nullptr ? 0 : std::strtod(started, nullptr)) + seconds;
  return Clock::time_point(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(since_1970_s)));
}

}  // namespace

Device::Device(int ordinal, const GpuProfile& profile, const Setup& setup) : ordinal_(ordinal), profile_(profile) {
  constexpr double kHalf = 0.5, kThrottledClock = 0.6, kSlowLater = 0.6;
  if (const Fault* slow = setup.fault("slow", ordinal)) slow_factor_ = slow->number(kHalf);
  if (const Fault* later = setup.fault("slow_after", ordinal)) {
    slow_factor_ = kSlowLater;
    slow_from_ = seconds_since_start(later->number(0));
  }
  if (const Fault* throttle = setup.fault("throttle", ordinal)) throttle_factor_ = throttle->number(kThrottledClock);
  if (const Fault* heat = setup.fault("overheat", ordinal)) {
    throttle_factor_ = heat->number(kThrottledClock);
    throttle_after_ns_ = kOverheatAfterNs;
  } else {
    throttle_after_ns_ = kThrottleAfterNs;
  }
  constexpr double kTwice = 2;
  if (const Fault* neighbour = setup.fault("neighbour", ordinal)) neighbour_factor_ = neighbour->number(kTwice);
  if (const Fault* cap = setup.fault("power_cap", ordinal)) power_cap_ = cap->number(kHalf);
}

std::array<unsigned char, 16> Device::uuid() const {
  constexpr std::uint64_t kSeed = 0x6770757573;
  std::array<unsigned char, 16> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<unsigned char>(kernels::hash(kSeed, static_cast<std::uint64_t>(ordinal_) * 16 + i) & 0xffU);
  }
  return bytes;
}

double Device::slow_factor() const { return std::chrono::system_clock::now() < slow_from_ ? 1 : slow_factor_; }

bool Device::throttled() const { return throttle_factor_ > 0 && busy_ns_ > throttle_after_ns_; }

double Device::clock_factor() const {
  if (throttled()) return throttle_factor_;
  // Dynamic power goes with frequency times voltage squared: about the cube of the clock.
  if (power_cap_ > 0) return std::cbrt(power_cap_);
  return 1.0 - 0.01 * warmth_;
}

/// Under the fault `neighbour` another tenant computes in every second time slice.
double Device::taken_by_neighbour() const {
  if (neighbour_factor_ <= 1) return 1;
  constexpr double kSliceNs = 20e6;
  return static_cast<std::uint64_t>(busy_ns_ / kSliceNs) % 2 == 0 ? 1 : neighbour_factor_;
}

double Device::noise() {
  constexpr double kSpread = 0.003;
  return taken_by_neighbour() *
         (1.0 + kSpread * std::abs(kernels::normal_double(static_cast<std::uint64_t>(ordinal_) + 1, noise_counter_++)));
}

double Device::duration_ns(const Work& work) {
  constexpr double kNsPerS = 1e9;
  const double peak = profile_.operations_per_s(work.precision) * clock_factor();
  const double computing = work.operations > 0 && peak > 0 ? work.operations / (peak * work.efficiency) : 0;
  // Memory has its own clock: only L2 slows down with the multiprocessors.
  const double bandwidth =
      profile_.bandwidth_bytes_per_s * kMemoryEfficiency * (work.in_l2 ? kL2Speedup * clock_factor() : 1);
  const double moving = work.bytes / bandwidth;
  return std::max(std::max(computing, moving) * kNsPerS, kSmallestKernelNs) * noise() / slow_factor();
}

double Device::transfer_ns(double bytes, bool pinned) {
  // Payload rate of 16 lanes as measured on common servers: 12.3 GB/s for generation 3, doubling with each. Pageable
  // memory goes through the driver's staging buffer.
  constexpr double kGeneration3 = 12.3, kPageableShare = 0.4, kSetupNs = 1500;
  const double rate = kGeneration3 * std::exp2(profile_.pcie_generation - 3) * profile_.pcie_lanes / 16.0;
  return (bytes / (rate * (pinned ? 1 : kPageableShare)) + kSetupNs) * noise() / slow_factor();
}

std::uint64_t Device::cycles_at(double time_ns) {
  cycles_ += std::max(0.0, time_ns - cycles_at_ns_) * profile_.boost_mhz * clock_factor() / 1e3;
  cycles_at_ns_ = time_ns;
  return static_cast<std::uint64_t>(cycles_);
}

void Device::add_busy_ns(double busy_ns) {
  busy_ns_ += busy_ns;
  load_ = 1 - (1 - load()) * std::exp(-busy_ns / kLoadTimeConstantNs);
  warmth_ = 1 - (1 - warmth_) * std::exp(-busy_ns / kWarmingTimeConstantNs);
}

double Device::load() {
  const auto now = std::chrono::steady_clock::now();
  const double idle_ns = std::chrono::duration<double, std::nano>(now - load_at_).count();
  load_at_ = now;
  // Real time passes more slowly than the modelled clock: what was loaded stays so long enough to be seen.
  constexpr double kFallOffNs = 500e6;
  load_ *= std::exp(-idle_ns / kFallOffNs);
  return load_;
}

unsigned Device::power_limit_mw() const {
  const double share = power_cap_ > 0 ? power_cap_ : 1;
  return static_cast<unsigned>(profile_.power_limit_w * share * 1000);
}

unsigned Device::power_mw() {
  const double idle_mw = profile_.power_limit_w * 1000 * kIdlePowerShare;
  const double full_mw = std::min(profile_.power_limit_w * 950, power_limit_mw() * 0.99) * (throttled() ? 0.6 : 1);
  return static_cast<unsigned>(idle_mw + load() * std::max(0.0, full_mw - idle_mw));
}

/// In real time, as it is the one in which power is read.
double Device::energy_mj() {
  const auto now = std::chrono::steady_clock::now();
  energy_mj_ += power_mw() * std::chrono::duration<double>(now - energy_at_).count();
  energy_at_ = now;
  return energy_mj_;
}

unsigned Device::temperature_c() {
  constexpr double kIdleC = 34, kWarmC = 62, kHotC = 94;
  return static_cast<unsigned>(throttled() ? kHotC : kIdleC + (kWarmC - kIdleC) * warmth_ + 6 * load());
}

unsigned Device::sm_clock_mhz() {
  const double factor = load() > 0.05 ? clock_factor() : 0.35;
  return static_cast<unsigned>(profile_.boost_mhz * factor);
}

unsigned Device::memory_clock_mhz() const { return static_cast<unsigned>(profile_.memory_mhz); }

std::uint64_t Device::event_reasons() {
  if (load() < 0.05) return nvml::kReasonGpuIdle;
  std::uint64_t reasons = 0;
  if (throttled()) reasons |= nvml::kReasonHwThermalSlowdown | nvml::kReasonHwSlowdown;
  if (power_cap_ > 0) reasons |= nvml::kReasonSwPowerCap;
  return reasons;
}

}  // namespace gpuassay::fake
