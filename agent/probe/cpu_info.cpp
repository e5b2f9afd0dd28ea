#include "agent/probe/cpu_info.h"

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "agent/probe/text_fields.h"

namespace gpuassay {
namespace {

using Flags = std::vector<std::string_view>;

bool has_all(const Flags& flags, std::initializer_list<std::string_view> wanted) {
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](std::string_view flag) { return std::find(flags.begin(), flags.end(), flag) != flags.end(); });
}

bool has_any(const Flags& flags, std::initializer_list<std::string_view> wanted) {
  return std::any_of(wanted.begin(), wanted.end(),
                     [&](std::string_view flag) { return std::find(flags.begin(), flags.end(), flag) != flags.end(); });
}

int count_processors(std::string_view cpuinfo) {
  int count = 0;
  for (const std::string_view line : split(cpuinfo, '\n')) {
    const auto pair = split_key_value(line, ':');
    // "Processor : ARMv7 ..." of old ARM kernels is a name, not a number.
    if (pair && pair->first == "processor" && parse_integer(pair->second)) ++count;
  }
  return count;
}

}  // namespace

CpuInfo parse_cpu_info(std::string_view cpuinfo) {
  CpuInfo info;
  if (const auto name = value_of_key(cpuinfo, "model name", ':')) info.model_name = clean_text(*name);
  if (const auto vendor = value_of_key(cpuinfo, "vendor_id", ':')) info.vendor_id = clean_text(*vendor);
  if (const auto size = value_of_key(cpuinfo, "cache size", ':')) info.cache_size_bytes = parse_size_bytes(*size);
  info.processors = count_processors(cpuinfo);

  const auto x86_flags = value_of_key(cpuinfo, "flags", ':');
  const auto arm_features = value_of_key(cpuinfo, "Features", ':');
  info.lists_flags = x86_flags && !x86_flags->empty();
  const Flags flags = split_fields(x86_flags ? *x86_flags : arm_features.value_or(""));
  info.hypervisor_flag = has_all(flags, {"hypervisor"});
  info.has_avx2 = has_all(flags, {"avx2"});
  info.has_avx512 = has_all(flags, {"avx512f", "avx512bw", "avx512vl", "avx512dq"});
  info.has_bf16 = has_any(flags, {"avx512_bf16", "amx_bf16", "bf16"});
  info.has_vnni = has_any(flags, {"avx512_vnni", "avx_vnni"});
  return info;
}

CpuInfo read_cpu_info(const SystemRoot& root) { return parse_cpu_info(root.read_text("/proc/cpuinfo").value_or("")); }

}  // namespace gpuassay
