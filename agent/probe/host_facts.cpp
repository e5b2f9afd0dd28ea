#include "agent/probe/host_facts.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "agent/probe/text_fields.h"
#include "core/ascii.h"

namespace gpuassay {
namespace {

/// 64 TiB of memory is what one Linux page-table layout addresses; 16 times that is certainly not a machine.
constexpr std::int64_t kMaxMemoryBytes = std::int64_t{1} << 50;
/// 100 years: more is not an uptime.
constexpr std::int64_t kMaxUptimeS = 3'153'600'000;

/// Value of a shell-like assignment without its quotes; os-release(5) allows \", \$, \\ and \` inside.
std::string unquote(std::string_view value) {
  if (value.size() < 2 || (value.front() != '"' && value.front() != '\'') || value.back() != value.front()) {
    return std::string(value);
  }
  const bool escapes = value.front() == '"';
  value = value.substr(1, value.size() - 2);
  std::string plain;
  for (std::size_t at = 0; at < value.size(); ++at) {
    if (escapes && value[at] == '\\' && at + 1 < value.size()) ++at;
    plain += value[at];
  }
  return plain;
}

std::optional<std::string> os_name_in(std::string_view os_release) {
  const auto value = [&](std::string_view key) {
    return clean_text(unquote(value_of_key(os_release, key, '=').value_or("")));
  };
  if (auto pretty = value("PRETTY_NAME")) return pretty;
  const auto name = value("NAME");
  const auto version = value("VERSION");
  return name && version ? clean_text(*name + " " + *version) : name;
}

}  // namespace

std::optional<std::int64_t> read_total_memory_bytes(const SystemRoot& root) {
  const std::string meminfo = root.read_text("/proc/meminfo").value_or("");
  const auto total = value_of_key(meminfo, "MemTotal", ':');
  // A line that was cut off before its unit says too little, not fewer bytes.
  if (!total || total->size() < 2 || total->substr(total->size() - 2) != "kB") return std::nullopt;
  const auto total_kib = parse_integer(total->substr(0, total->size() - 2));
  if (!total_kib || *total_kib <= 0 || *total_kib > kMaxMemoryBytes / 1024) return std::nullopt;
  return *total_kib * 1024;
}

std::optional<std::string> read_os_name(const SystemRoot& root) {
  // The first is usually a link to the second, which a recorded root may have alone.
  for (const std::string_view path : {"/etc/os-release", "/usr/lib/os-release"}) {
    if (auto name = os_name_in(root.read_text(path).value_or(""))) return name;
  }
  return std::nullopt;
}

std::optional<std::string> read_kernel_release(const SystemRoot& root) {
  return clean_text(root.read_trimmed("/proc/sys/kernel/osrelease").value_or(""));
}

std::optional<double> read_uptime_s(const SystemRoot& root) {
  const std::string text = root.read_text("/proc/uptime").value_or("");
  // "12345.67 23456.78": seconds with two decimals. Cut by hand because reading a double depends on the locale.
  const std::vector<std::string_view> fields = split_fields(trim(text));
  if (fields.empty()) return std::nullopt;
  const auto parts = split_key_value(fields[0], '.');
  const auto whole_s = parse_integer(parts ? parts->first : fields[0]);
  if (!whole_s || *whole_s < 0 || *whole_s > kMaxUptimeS) return std::nullopt;
  if (!parts) return static_cast<double>(*whole_s);
  const auto hundredths = parts->second.size() == 2 ? parse_integer(parts->second) : std::nullopt;
  if (!hundredths || *hundredths < 0) return std::nullopt;
  return static_cast<double>(*whole_s) + static_cast<double>(*hundredths) / 100.0;
}

bool is_wsl(const SystemRoot& root) {
  return contains(lower_case(root.read_text("/proc/sys/kernel/osrelease").value_or("")), "microsoft");
}

}  // namespace gpuassay
