#include "agent/chosen_library.h"

#include <algorithm>

namespace gpuassay {

const Library* chosen_library(const std::vector<Library>& libraries, std::string_view name, const Device& device) {
  const std::string of_one_kind = "cuda " + device.compute_capability.value_or("");
  const auto found = std::find_if(libraries.begin(), libraries.end(), [&](const Library& library) {
    return library.name == name && (library.chosen_for == "cuda" || library.chosen_for == of_one_kind);
  });
  return found == libraries.end() ? nullptr : &*found;
}

}  // namespace gpuassay
