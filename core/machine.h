// What a machine consists of, as far as probing tells: host, devices and what lies between them, libraries, platform.
// Field names are those of the result document; an empty optional is written as null and explained (see Unknown).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/operation_params.h"

namespace gpuassay {

struct Host {
  std::optional<std::string> cpu_model;
  std::optional<int> logical_cpus;            ///< online CPUs of the machine
  std::optional<double> effective_cpus;       ///< what cgroup quota, cpuset and affinity leave to us; may be fractional
  std::optional<std::int64_t> memory_bytes;   ///< usable: the smaller of RAM and cgroup limit
  std::optional<std::string> os;              ///< e.g. "Debian GNU/Linux 12 (bookworm)"
  std::optional<std::string> kernel;          ///< e.g. "6.1.0-18-amd64"
  std::optional<std::string> virtualization;  ///< "none" (bare metal), "kvm", "xen", "vmware", "microsoft", ...
  std::optional<std::string> container;       ///< "none", "docker", "lxc", "podman", "kubernetes", ...
};

enum class DeviceKind { cuda, cpu };

struct Pci {
  std::optional<int> generation, width, max_generation, max_width;
};

/// What the device is allowed to do; all but the first are left out of the document when unknown.
struct DeviceLimits {
  std::optional<double> power_limit_w;          ///< enforced
  std::optional<double> default_power_limit_w;  ///< what the board came with
  std::optional<double> max_sm_clock_mhz, max_memory_clock_mhz;
};

/// Datasheet or computed peaks: dense TFLOP/s per dtype, memory bandwidth in GB/s.
struct TheoreticalPeak {
  std::map<DType, double> tflop_per_s;  ///< of the fastest unit for that dtype, tensor cores included
  std::optional<double> bandwidth_gb_per_s;
  std::map<DType, double> fma_tflop_per_s = {};  ///< of the multiply-add lanes alone; left out when empty
};

/// What NVML and the kernel's log count of what breaks. Empty parts are left out of the document: nobody told.
struct DeviceHealth {
  /// Memory errors since the driver was loaded, before and after the run.
  std::optional<std::int64_t> ecc_corrected_before = {}, ecc_corrected_after = {};
  std::optional<std::int64_t> ecc_uncorrected_before = {}, ecc_uncorrected_after = {};
  /// Numbers of the Xid errors that the driver logged during the run; empty when it logged none.
  std::optional<std::vector<int>> xids = {};
};

struct Device {
  int index = 0;
  DeviceKind kind = DeviceKind::cpu;
  bool simulated = false;
  std::string name;
  std::optional<std::string> model, variant;
  std::optional<std::int64_t> memory_bytes;
  std::optional<std::string> compute_capability;
  std::optional<int> sm_count;
  std::optional<std::string> driver_version, vbios, uuid_hash;
  std::optional<Pci> pci;
  std::optional<bool> ecc;
  std::optional<std::string> mig, vgpu;
  std::optional<DeviceLimits> limits;
  std::optional<TheoreticalPeak> theoretical;
  std::optional<DeviceHealth> health;  ///< left out of the document where nothing was told
  std::optional<int> numa_node = {};   ///< whose memory and processors are near; left out where unknown, and of a CPU
};

/// What the PCIe paths of two GPUs have in common, nearest first: one board, a switch, several switches, a host bridge,
/// the host bridges of a NUMA node, or only the processors' own link.
enum class PcieAncestor { internal, single_switch, multiple_switches, host_bridge, node, system };
/// Whether the driver lets two GPUs reach each other's memory, and else what does not allow it.
enum class PeerAccess {
  ok,
  chipset_not_supported,
  gpu_not_supported,
  topology_not_supported,
  disabled_by_regkey,
  not_supported
};

/// What lies between two GPUs, as NVML tells. `path` of the document follows from it (core/link_path.h).
struct DeviceLink {
  int device = 0, peer = 0;    ///< indices, device < peer
  std::optional<int> nvlinks;  ///< active ones between the two, straight or through NVSwitches
  std::optional<PcieAncestor> pcie;
  std::optional<PeerAccess> peer_access;
};

struct Library {
  std::string name;
  std::optional<std::string> version;
  std::string path_kind;  ///< "override", "system", "cuda", "python", "conda", "torch", "absent": never the path itself
  std::optional<std::string> chosen_for;
  std::optional<std::string> rejected_reason;
};

struct Platform {
  std::string provider = "unknown";
  std::optional<std::string> instance_type, region, zone, pricing_model, instance_id_hash, underlying;
  std::vector<std::string> host_layer;
  std::map<std::string, std::string> source;  ///< field -> where it came from ("flag", "metadata", ...)
};

/// CPU facts the plan and the CPU backend need; not part of the result document.
struct CpuFacts {
  std::vector<int> allowed_cpus;  ///< CPU ids of the affinity mask, ascending
  int threads = 1;                ///< worker threads: floor of effective CPUs, at least 1
  bool has_avx2 = false, has_avx512 = false, has_bf16 = false, has_vnni = false;
  std::int64_t l1d_bytes = 0, l2_bytes = 0, l3_bytes = 0;  ///< per core, per core, per socket; 0 = unknown
};

/// A null field of the result and why it is null. `path` is a JSON pointer; it covers everything below it.
struct Unknown {
  std::string path;
  std::string reason;
};

/// Everything probe learned about the machine.
struct Inventory {
  Host host;
  CpuFacts cpu;
  std::vector<Device> devices;
  std::vector<DeviceLink> links;  ///< of every pair of GPUs among them; left out of the document when empty
  std::vector<Library> libraries;
  Platform platform;
  std::optional<double> uptime_s;
  std::vector<Unknown> unknown;
  /// Free memory of CUDA devices by device index, where the driver told it; not part of the result document.
  std::map<int, std::int64_t> free_memory_bytes = {};
};

}  // namespace gpuassay
