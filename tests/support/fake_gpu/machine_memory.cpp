// Device and host memory of the imitated machine.
#include <algorithm>
#include <cstring>

#include "tests/support/fake_gpu/machine.h"

namespace gpuassay::fake {
namespace {

/// Copies from here on are large: they are compared in places instead of being done again.
constexpr std::uint64_t kLargeCopy = std::uint64_t{1} << 20;
constexpr std::uint64_t kProbes = 1024;
constexpr std::uint64_t kProbeBytes = 16;

/// What the context itself takes.
constexpr std::uint64_t kContextBytes = std::uint64_t{300} << 20;
constexpr std::uint64_t kGranularity = 512;

/// Whether the recipe's bytes are those at `host`, judged by kProbes places.
bool looks_equal(const Recipe& recipe, const std::byte* host, std::uint64_t size) {
  std::array<std::byte, kProbeBytes> probe{};
  for (std::uint64_t i = 0; i <= kProbes; ++i) {
    const std::uint64_t at = (size - kProbeBytes) / kProbes * i + (i == kProbes ? (size - kProbeBytes) % kProbes : 0);
    recipe.read(at, probe);
    if (std::memcmp(probe.data(), host + at, kProbeBytes) != 0) return false;
  }
  return true;
}

}  // namespace

std::uint64_t Machine::free_bytes(const Device& device) const {
  const std::uint64_t used = device.allocated_bytes + kContextBytes;
  return device.profile().memory_bytes > used ? device.profile().memory_bytes - used : 0;
}

cuda::DevicePointer Machine::allocate(std::uint64_t bytes) {
  Device& here = current();
  if (bytes == 0) throw Failure{cuda::kInvalidValue};
  const std::uint64_t rounded = (bytes + kGranularity - 1) / kGranularity * kGranularity;
  if (const Fault* oom = setup.fault("oom", here.ordinal())) {
    constexpr double kMib = 1024.0 * 1024.0, kDefaultMib = 64;
    if (static_cast<double>(here.allocated_bytes + rounded) > oom->number(kDefaultMib) * kMib) {
      throw Failure{cuda::kOutOfMemory};
    }
  }
  if (rounded > free_bytes(here)) throw Failure{cuda::kOutOfMemory};
  // A hole after each allocation, so that running off an end never lands in the next one.
  constexpr std::uint64_t kHole = std::uint64_t{2} << 20;
  cuda::DevicePointer& next = next_address_.at(static_cast<std::size_t>(here.ordinal()));
  const cuda::DevicePointer address = next;
  next += (rounded + 2 * kHole) / kHole * kHole;
  here.allocated_bytes += rounded;
  allocations_[address] = {bytes, here.ordinal(), {}};
  return address;
}

void Machine::free(cuda::DevicePointer pointer) {
  if (pointer == 0) return;
  const auto found = allocations_.find(pointer);
  if (found == allocations_.end()) throw Failure{cuda::kInvalidValue};
  device(found->second.device).allocated_bytes -= (found->second.size + kGranularity - 1) / kGranularity * kGranularity;
  allocations_.erase(found);
}

Range Machine::range(cuda::DevicePointer pointer, std::uint64_t bytes, int code) {
  const Device& here = current();
  const auto after = allocations_.upper_bound(pointer);
  if (after != allocations_.begin()) {
    auto& [base, allocation] = *std::prev(after);
    const std::uint64_t offset = pointer - base;
    const bool reached =
        allocation.device == here.ordinal() || reached_peers.contains({here.ordinal(), allocation.device});
    if (offset < allocation.size && bytes <= allocation.size - offset && reached) {
      return {&allocation.contents, nullptr, offset, bytes};
    }
  }
  auto* host = reinterpret_cast<std::byte*>(pointer);
  if (is_pinned(host, bytes)) return {nullptr, host, 0, bytes};
  throw Failure{code};
}

int Machine::device_of(cuda::DevicePointer pointer) {
  const auto after = allocations_.upper_bound(pointer);
  if (after != allocations_.begin()) {
    const auto& [base, allocation] = *std::prev(after);
    if (pointer - base < allocation.size) return allocation.device;
  }
  return current().ordinal();
}

bool Machine::may_reach(int from, int to) {
  const GpuProfile& profile = device(from).profile();
  if (from == to || device(to).profile().name != profile.name || profile.is_geforce()) return false;
  for (const int each : {from, to}) {
    for (const char* fault : {"mig", "vgpu", "no_peer"}) {
      if (setup.fault(fault, each) != nullptr) return false;
    }
  }
  return true;
}

double Machine::peer_ns(double bytes, int from, int to) {
  constexpr double kLinkShare = 0.8, kSetupNs = 2000;
  Device& slower =
      device(from).transfer_ns(bytes, true) > device(to).transfer_ns(bytes, true) ? device(from) : device(to);
  if (!may_reach(from, to)) return 2 * slower.transfer_ns(bytes, true);
  const double one_way = slower.profile().nvlink_gb_per_s / 2 * kLinkShare;
  return one_way > 0 ? bytes / one_way + kSetupNs : slower.transfer_ns(bytes, true);
}

View Machine::view(cuda::DevicePointer pointer, std::uint64_t bytes, int code) {
  if (bytes == 0) return {};
  const Range where = range(pointer, bytes, code);
  if (where.contents != nullptr) return where.contents->view(where.offset, where.size);
  return {{{0, Piece{bytes, host_bytes(where.host, bytes), 0}}}, bytes};
}

/// Under the fault `alias` only a share of the memory is there: what lies beyond is the beginning once more.
void Machine::wrap(Contents& contents, std::uint64_t end) {
  const Device& here = current();
  const Fault* alias = setup.fault("alias", here.ordinal());
  if (alias == nullptr) return;
  constexpr double kHalf = 0.5;
  const auto there =
      static_cast<std::uint64_t>(static_cast<double>(here.profile().memory_bytes) * alias->number(kHalf)) / 4096 * 4096;
  if (end > there) contents.write(0, contents.view(there, end - there));
}

void Machine::write(cuda::DevicePointer pointer, std::uint64_t bytes, const RecipePointer& recipe, int code) {
  if (bytes == 0) return;
  const Range where = range(pointer, bytes, code);
  if (where.contents != nullptr) {
    where.contents->write(where.offset, bytes, recipe);
    wrap(*where.contents, where.offset + bytes);
  } else {
    recipe->read(0, {where.host, bytes});
  }
}

void Machine::write(cuda::DevicePointer pointer, const View& view, int code) {
  if (view.size() == 0) return;
  const Range where = range(pointer, view.size(), code);
  if (where.contents != nullptr) {
    where.contents->write(where.offset, view);
  } else {
    view.read(0, {where.host, view.size()});
  }
}

void* Machine::allocate_host(std::uint64_t bytes) {
  if (bytes == 0) throw Failure{cuda::kInvalidValue};
  // Page-aligned, as the driver's is: a page more, and the start rounded up.
  constexpr std::uint64_t kPage = 4096;
  std::vector<std::byte> memory(bytes + kPage);
  auto address = reinterpret_cast<std::uintptr_t>(memory.data());
  address = (address + kPage - 1) / kPage * kPage;
  auto* pointer = reinterpret_cast<std::byte*>(address);
  host_allocations_[pointer] = std::move(memory);
  return pointer;
}

void Machine::free_host(void* pointer) {
  if (host_allocations_.erase(static_cast<std::byte*>(pointer)) == 0) throw Failure{cuda::kInvalidValue};
  copied_in_.erase(pointer);
  copied_out_.erase(pointer);
}

bool Machine::is_pinned(const void* pointer, std::uint64_t bytes) const {
  constexpr std::uint64_t kPage = 4096;
  const auto* wanted = static_cast<const std::byte*>(pointer);
  const auto after = host_allocations_.upper_bound(wanted);
  if (after == host_allocations_.begin()) return false;
  const auto& [base, memory] = *std::prev(after);
  const auto offset = static_cast<std::uint64_t>(wanted - base);
  return offset + bytes <= memory.size() - kPage;
}

RecipePointer Machine::host_bytes(const void* source, std::uint64_t bytes) {
  const auto* host = static_cast<const std::byte*>(source);
  if (bytes < kLargeCopy) return std::make_shared<HostBytes>(std::span(host, bytes));
  HostCopy& known = copied_in_[source];
  if (const RecipePointer before = known.recipe.lock();
      before != nullptr && known.size == bytes && looks_equal(*before, host, bytes)) {
    return before;
  }
  const auto recipe = std::make_shared<HostBytes>(std::span(host, bytes));
  known = {bytes, recipe};
  return recipe;
}

void Machine::copy_out(void* destination, const View& view) {
  auto* host = static_cast<std::byte*>(destination);
  const Piece* piece = view.single();
  if (view.size() >= kLargeCopy && piece != nullptr && piece->skip == 0) {
    HostCopy& known = copied_out_[destination];
    const bool same = known.size == view.size() && known.recipe.lock() == piece->recipe;
    if (same && looks_equal(*piece->recipe, host, view.size())) return;
    known = {view.size(), piece->recipe};
  }
  view.read(0, {host, view.size()});
}

}  // namespace gpuassay::fake
