#include "agent/backends/cpu_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace gpuassay {
namespace {

/// Below this many elements waking the team costs more than it saves.
constexpr std::size_t kParallelFrom = 65536;

/// One OpenMP place per CPU, "{0},{1},...": understood by the runtimes of GCC, LLVM and Intel alike.
std::string places_of(const std::vector<int>& cpus) {
  std::string places;
  for (const int cpu : cpus) places += fmt::format("{}{{{}}}", places.empty() ? "" : ",", cpu);
  return places;
}

/// The OpenMP runtime reads these once, when it is loaded; it is loaded with oneDNN.
void set_openmp_environment(const std::vector<int>& cpus) {
  setenv("OMP_NUM_THREADS", std::to_string(cpus.size()).c_str(), 1);
  setenv("OMP_DYNAMIC", "false", 1);
  // Anything the user has set for other programs would override or contradict the places.
  for (const char* name : {"GOMP_CPU_AFFINITY", "KMP_AFFINITY", "OMP_THREAD_LIMIT", "OMP_MAX_ACTIVE_LEVELS",
                           "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_PLACES", "OMP_PROC_BIND"}) {
    unsetenv(name);
  }
  if (std::find(cpus.begin(), cpus.end(), -1) != cpus.end()) return;
  setenv("OMP_PLACES", places_of(cpus).c_str(), 1);
  setenv("OMP_PROC_BIND", "close", 1);
}

onednn::LoadedLibrary load_with_threads(const std::vector<int>& cpus) {
  set_openmp_environment(cpus);
  onednn::LoadedLibrary library = onednn::load(LibrarySearch::from_environment());
  const onednn::Api& api = library.api;
  const int threads = static_cast<int>(cpus.size());
  // Only when something loaded the runtime earlier does it disagree.
  if (api.omp_get_max_threads != nullptr && api.omp_set_num_threads != nullptr &&
      api.omp_get_max_threads() != threads) {
    api.omp_set_num_threads(threads);
  }
  // DNNL_VERBOSE would write to stdout, which belongs to the report.
  if (api.dnnl_set_verbose != nullptr) (void)api.dnnl_set_verbose(0);
  return library;
}

}  // namespace

std::vector<int> measuring_cpus(const CpuFacts& facts) {
  std::vector<int> cpus = facts.allowed_cpus;
  const auto threads = static_cast<std::size_t>(std::max(1, facts.threads));
  // Without a known mask threads stay unbound: -1 is no CPU.
  cpus.resize(threads, -1);
  return cpus;
}

CpuContext::CpuContext(const CpuFacts& facts)
    : facts_(facts),
      library_(load_with_threads(measuring_cpus(facts))),
      session_(library_),
      threads_(measuring_cpus(facts)) {}

const RandomInputs& CpuContext::inputs() {
  if (!inputs_) inputs_ = std::make_unique<RandomInputs>(parallel_for());
  return *inputs_;
}

ParallelFor CpuContext::parallel_for() {
  return [this](std::size_t count, const std::function<void(std::size_t, std::size_t)>& body) {
    if (count < kParallelFrom) return body(0, count);
    const auto members = static_cast<std::size_t>(threads_.size());
    threads_.run([&](int member) {
      const auto index = static_cast<std::size_t>(member);
      body(count * index / members, count * (index + 1) / members);
    });
  };
}

}  // namespace gpuassay
