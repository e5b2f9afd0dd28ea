#include "agent/dynlib/nvrtc.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "agent/dynlib/open_candidate.h"

namespace gpuassay::nvrtc {
namespace {

struct Soname {
  int cuda_major;
  std::string_view name;
};

constexpr std::array<Soname, 3> kSonames{{{13, "libnvrtc.so.13"}, {12, "libnvrtc.so.12"}, {11, "libnvrtc.so.11.2"}}};

/// "libnvrtc-builtins.so.12.4": named after the minor version, which only the folder tells.
std::vector<std::string> builtins_beside(const LibraryCandidate& candidate) {
  constexpr std::string_view kPrefix = "libnvrtc-builtins.so.";
  std::vector<std::string> names;
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::path(candidate.path).parent_path();
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::string name = at->path().filename().string();
    if (name.starts_with(kPrefix)) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

std::vector<std::string> sonames() {
  std::vector<std::string> names;
  names.reserve(kSonames.size());
  for (const Soname& soname : kSonames) names.emplace_back(soname.name);
  return names;
}

std::optional<LibraryCandidate> companion_of(const VersionedLibrary& cudnn,
                                             const std::vector<LibraryCandidate>& found) {
  const auto wanted = std::find_if(kSonames.begin(), kSonames.end(),
                                   [&](const Soname& soname) { return soname.cuda_major == cudnn.cuda_major; });
  if (wanted == kSonames.end()) return std::nullopt;
  std::optional<LibraryCandidate> best;
  for (const LibraryCandidate& candidate : found) {
    if (candidate.soname != wanted->name) continue;
    if (candidate.path_kind == cudnn.file.path_kind) return candidate;
    if (!best) best = candidate;
  }
  return best;
}

void preload(const LibraryCandidate& candidate) {
  for (const std::string& name : builtins_beside(candidate)) (void)open_beside(candidate, name, Visibility::global);
  (void)open_beside(candidate, candidate.soname, Visibility::global);
}

}  // namespace gpuassay::nvrtc
