// Which CPUs does a kernel CPU list ("0-3,8,10-11") name?
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace gpuassay {

/// Largest CPU id taken seriously; Linux is built for at most 8192 CPUs.
inline constexpr int kMaxCpuId = 65535;

/// Ids ascending and without repetition. Empty optional for an empty, malformed or not ascending list and for ids
/// above kMaxCpuId: such a file is not to be believed in part. Source of the format: cpuset(7), "List format",
/// including strides such as "0-31:2/4".
std::optional<std::vector<int>> parse_cpu_list(std::string_view text);

/// Ids in both lists, which are ascending.
std::vector<int> intersect(const std::vector<int>& a, const std::vector<int>& b);

}  // namespace gpuassay
