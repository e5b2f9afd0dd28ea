// Which processor is this and what can it do, as /proc/cpuinfo tells?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/system_root.h"

namespace gpuassay {

/// What the first processor of cpuinfo says (all of a machine's processors run the same code paths).
struct CpuInfo {
  std::optional<std::string> model_name;         ///< fit to be published; absent on most ARM machines
  std::optional<std::string> vendor_id;          ///< "GenuineIntel", "AuthenticAMD", ...
  std::optional<std::int64_t> cache_size_bytes;  ///< "cache size": the last level on Intel, L2 on AMD
  int processors = 0;                            ///< processors listed, 0 when none
  bool lists_flags = false;                      ///< an x86 "flags" line is there
  bool hypervisor_flag = false;
  bool has_avx2 = false;
  bool has_avx512 = false;  ///< F, BW, VL and DQ together: what oneDNN asks for
  bool has_bf16 = false;    ///< avx512_bf16, amx_bf16, or "bf16" of ARM
  bool has_vnni = false;    ///< avx512_vnni or avx_vnni
};

/// Facts from the text of /proc/cpuinfo; whatever is missing keeps its default.
CpuInfo parse_cpu_info(std::string_view cpuinfo);

/// parse_cpu_info of the file below `root`.
CpuInfo read_cpu_info(const SystemRoot& root);

}  // namespace gpuassay
