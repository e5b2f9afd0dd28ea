#include "agent/dynlib/library_candidates.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "agent/dynlib/loader_cache.h"

namespace gpuassay {
namespace {

constexpr std::string_view kDriverSoname = "libcuda.so.1";

/// Folders in which drivers and toolkits put libraries beside the loader's own search.
constexpr std::array<std::string_view, 9> kKnownFolders{
    "/usr/lib/x86_64-linux-gnu",
    "/lib/x86_64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/lib64-nvidia",        // Colab
    "/usr/local/nvidia/lib64",  // Kaggle, GKE
    "/usr/lib/wsl/lib",         // Windows Subsystem for Linux
    "/run/opengl-driver/lib",   // NixOS
    "/usr/lib/x86_64-linux-gnu/nvidia/current",
};

std::string environment_value(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

bool has_component(std::string_view path, std::string_view component) {
  const std::string whole = std::string(path) + "/";
  return whole.find("/" + std::string(component) + "/") != std::string::npos;
}

bool starts_with_folder(std::string_view path, std::string_view folder) {
  return !folder.empty() && path.substr(0, folder.size()) == folder &&
         (path.size() == folder.size() || path[folder.size()] == '/');
}

/// What a result calls the place of `path`, wherever the search met it.
std::string kind_of_place(std::string_view path, const LibraryEnvironment& environment) {
  if (path.find("/torch/lib/") != std::string_view::npos) return "torch";
  if (has_component(path, "site-packages") || has_component(path, "dist-packages")) return "python";
  if (starts_with_folder(path, environment.conda_prefix) || starts_with_folder(path, "/opt/conda") ||
      path.find("conda") != std::string_view::npos || path.find("miniforge") != std::string_view::npos) {
    return "conda";
  }
  if (path.substr(0, 15) == "/usr/local/cuda") return "cuda";
  return "system";
}

/// Collects candidates and leaves out what is there already or must never be used.
class Collector {
 public:
  Collector(const SystemRoot& root, const LibraryEnvironment& environment, const std::vector<std::string>& sonames)
      : root_(&root), environment_(&environment), sonames_(&sonames) {}

  [[nodiscard]] const std::vector<std::string>& sonames() const { return *sonames_; }

  /// The libraries of one folder.
  void add_folder(const std::string& folder, const std::string& kind = {}) {
    for (const std::string& soname : *sonames_) add_file(soname, folder + "/" + soname, kind);
  }

  /// A file below the root.
  void add_file(const std::string& soname, const std::string& path, const std::string& kind = {}) {
    const auto host_path = root_->host_path(path);
    if (host_path) add_host_file(soname, *host_path, kind.empty() ? kind_of_place(path, *environment_) : kind);
  }

  /// A file of this process' own file system.
  void add_host_file(const std::string& soname, const std::string& path, const std::string& kind) {
    std::error_code error;
    const std::string real = std::filesystem::canonical(path, error).string();
    if (error || has_component(path, "stubs") || has_component(real, "stubs")) return;
    const bool compat = has_component(path, "compat") || has_component(real, "compat");
    if (compat && soname != kDriverSoname) return;
    if (!seen_.insert(real).second) return;
    found_.push_back({soname, path, kind, compat});
  }

  [[nodiscard]] bool empty() const { return found_.empty(); }
  [[nodiscard]] bool has(const std::string& soname) const {
    return std::any_of(found_.begin(), found_.end(),
                       [&](const LibraryCandidate& candidate) { return candidate.soname == soname; });
  }

  /// Lets the loader itself decide; for systems whose search it alone knows.
  void add_soname(const std::string& soname) { found_.push_back({soname, soname, "system", false}); }

  std::vector<LibraryCandidate> take() { return std::move(found_); }

 private:
  const SystemRoot* root_;
  const LibraryEnvironment* environment_;
  const std::vector<std::string>* sonames_;
  std::set<std::string> seen_;  ///< real paths
  std::vector<LibraryCandidate> found_;
};

void add_overrides(Collector& collector, const LibrarySearch& search) {
  std::error_code error;
  for (const std::string& folder : search.override_directories) {
    const std::filesystem::path absolute = std::filesystem::absolute(folder, error);
    if (error) continue;
    for (const std::string& soname : collector.sonames()) {
      collector.add_host_file(soname, (absolute / soname).string(), "override");
    }
  }
}

/// What the loader would take: LD_LIBRARY_PATH, then ldconfig's table.
void add_loader_default(Collector& collector, const SystemRoot& root, const LibraryEnvironment& environment) {
  for (const std::string& folder : LibrarySearch::from_list(environment.ld_library_path).override_directories) {
    collector.add_folder(folder);
  }
  const auto cache = root.read_text("/etc/ld.so.cache");
  if (!cache) return;
  for (const std::string& soname : collector.sonames()) {
    for (const std::string& path : paths_in_loader_cache(*cache, soname)) collector.add_file(soname, path);
  }
}

/// Entries of `folder` that start with `prefix`, newest version last by name, so taken from the back.
std::vector<std::string> entries_from_back(const SystemRoot& root, const std::string& folder, std::string_view prefix) {
  std::vector<std::string> entries;
  for (const std::string& name : root.list_directory(folder)) {
    if (name.substr(0, prefix.size()) == prefix) entries.push_back(folder == "/" ? "/" + name : folder + "/" + name);
  }
  std::reverse(entries.begin(), entries.end());
  return entries;
}

/// /usr/local/cuda first: it is the version that the machine's owner chose.
void add_toolkits(Collector& collector, const SystemRoot& root) {
  collector.add_folder("/usr/local/cuda/lib64");
  for (const std::string& toolkit : entries_from_back(root, "/usr/local", "cuda")) {
    collector.add_folder(toolkit + "/lib64");
    collector.add_folder(toolkit + "/targets/x86_64-linux/lib");
  }
}

/// Folders that hold a `lib/python3.N`.
std::vector<std::string> python_prefixes(const SystemRoot& root, const LibraryEnvironment& environment) {
  std::vector<std::string> prefixes{environment.virtual_env, environment.conda_prefix};
  constexpr std::string_view kPrograms = "/bin";
  for (const std::string& folder : LibrarySearch::from_list(environment.path).override_directories) {
    if (folder.starts_with('/') && folder.ends_with(kPrograms))
      prefixes.push_back(folder.substr(0, folder.size() - kPrograms.size()));
  }
  if (!environment.home.empty()) {
    prefixes.push_back(environment.home + "/.local");
    for (const char* name : {"miniconda3", "anaconda3", "miniforge3"})
      prefixes.push_back(environment.home + "/" + name);
  }
  prefixes.insert(prefixes.end(), {"/usr/local", "/usr"});
  for (const std::string& name : root.list_directory("/opt")) prefixes.push_back("/opt/" + name);
  std::erase(prefixes, std::string());
  return prefixes;
}

/// nvidia/*/lib of NVIDIA's wheels, then torch/lib of the older PyTorch wheels, which bundle everything.
void add_site(Collector& collector, const SystemRoot& root, const std::string& site) {
  for (const std::string& package : entries_from_back(root, site + "/nvidia", "")) {
    collector.add_folder(package + "/lib", "python");
  }
  collector.add_folder(site + "/torch/lib", "torch");
}

void add_python(Collector& collector, const SystemRoot& root, const LibraryEnvironment& environment) {
  for (const std::string& prefix : python_prefixes(root, environment)) {
    for (const std::string& version : entries_from_back(root, prefix + "/lib", "python3")) {
      add_site(collector, root, version + "/site-packages");
      add_site(collector, root, version + "/dist-packages");
    }
  }
}

void add_conda(Collector& collector, const LibraryEnvironment& environment) {
  if (!environment.conda_prefix.empty()) collector.add_folder(environment.conda_prefix + "/lib", "conda");
  collector.add_folder("/opt/conda/lib", "conda");
}

}  // namespace

LibraryEnvironment LibraryEnvironment::from_process() {
  return {environment_value("LD_LIBRARY_PATH"), environment_value("VIRTUAL_ENV"), environment_value("CONDA_PREFIX"),
          environment_value("HOME"), environment_value("PATH")};
}

std::vector<LibraryCandidate> find_candidates(const SystemRoot& root, const LibraryEnvironment& environment,
                                              const LibrarySearch& search, const std::vector<std::string>& sonames) {
  Collector collector(root, environment, sonames);
  add_overrides(collector, search);
  if (!collector.empty()) return collector.take();
  add_loader_default(collector, root, environment);
  for (const std::string_view folder : kKnownFolders) collector.add_folder(std::string(folder));
  add_toolkits(collector, root);
  add_conda(collector, environment);
  add_python(collector, root, environment);
  if (root.is_machine()) {
    for (const std::string& soname : sonames) {
      if (!collector.has(soname)) collector.add_soname(soname);
    }
  }
  return collector.take();
}

}  // namespace gpuassay
