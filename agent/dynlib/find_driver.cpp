#include "agent/dynlib/find_driver.h"

#include <fmt/format.h>

#include <sstream>
#include <string>
#include <utility>

#include "agent/dynlib/cuda_driver.h"
#include "agent/dynlib/in_child.h"

namespace gpuassay {
namespace {

using Outcome = DriverSight::Outcome;

/// "<version> <result> <devices> <simulated>". Runs in the child; throws only when the library does not load.
std::string start(const LibraryCandidate& candidate) {
  const cuda::LoadedLibrary driver = cuda::load(candidate);
  int version = 0, count = 0;
  if (driver.api.cuDriverGetVersion(&version) != cuda::kSuccess) version = 0;
  int result = driver.api.cuInit(0);
  if (result == cuda::kSuccess) result = driver.api.cuDeviceGetCount(&count);
  return fmt::format("{} {} {} {}", version, result, count, driver.simulated ? 1 : 0);
}

}  // namespace

DriverSight look_at_driver(const LibraryCandidate& candidate, std::chrono::milliseconds limit) {
  const ChildAnswer answer = run_in_child(limit, [&] { return start(candidate); });
  DriverSight sight;
  sight.compat = candidate.compat;
  switch (answer.end) {
    case ChildEnd::answered: {
      std::istringstream words(answer.text);
      const bool whole(words >> sight.cuda_version >> sight.init_result >> sight.device_count >> sight.simulated);
      sight.outcome = whole ? Outcome::answered : Outcome::crashed;
      if (!whole) sight.detail = "unreadable answer";
      return sight;
    }
    case ChildEnd::refused: sight.outcome = Outcome::does_not_load; break;
    case ChildEnd::crashed: sight.outcome = Outcome::crashed; break;
    case ChildEnd::hung: sight.outcome = Outcome::hung; break;
  }
  sight.detail = answer.text;
  // The loader alone was asked, and it knows no such file.
  const bool by_name = candidate.path == candidate.soname;
  if (by_name && sight.detail.find("cannot open shared object file: No such file") != std::string::npos) {
    sight.outcome = Outcome::absent;
  }
  return sight;
}

DriverSearch find_driver(const std::vector<LibraryCandidate>& candidates,
                         const std::function<DriverSight(const LibraryCandidate&)>& look) {
  DriverSearch search;
  search.problem = problem_of(search.sight);  // nothing was found
  bool first = true;
  for (const LibraryCandidate& candidate : candidates) {
    DriverSight sight = look ? look(candidate) : look_at_driver(candidate);
    auto problem = problem_of(sight);
    if (!problem) return {candidate, std::move(sight), std::nullopt};
    const bool hung = sight.outcome == Outcome::hung;
    if (first || problem->rank > search.problem->rank) {
      search.problem = std::move(problem);
      search.sight = std::move(sight);
    }
    first = false;
    // Others would most likely hang as long on the same kernel module.
    if (hung) break;
  }
  return search;
}

}  // namespace gpuassay
