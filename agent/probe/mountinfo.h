// What is mounted where, as /proc/self/mountinfo tells?
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gpuassay {

/// One line of mountinfo, octal escapes decoded. Source of the format: proc_pid_mountinfo(5).
struct Mount {
  std::string root;         ///< directory of the file system that is mounted
  std::string mount_point;  ///< where, as this process sees it
  std::string fs_type;
  std::string super_options;  ///< comma-separated; for cgroup v1 they name the controllers
};

/// The well-formed lines in their order; others, cut-off ones included, are left out.
std::vector<Mount> parse_mountinfo(std::string_view text);

/// Whether a comma-separated option list contains exactly `option`.
bool has_option(std::string_view options, std::string_view option);

}  // namespace gpuassay
