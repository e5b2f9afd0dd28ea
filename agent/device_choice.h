// What does `--device` ask for?
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuassay {

struct DeviceChoice {
  enum class Kind {
    automatic,  ///< GPUs where there are any, else the CPU; never the CPU in the place of a GPU that does not work
    cpu,
    cuda,  ///< every GPU that CUDA shows
    some,  ///< the GPUs in `indices`
  };
  Kind kind = Kind::automatic;
  std::vector<int> indices;  ///< ascending, without repeats
};

/// Empty for anything but "auto", "cpu", "cuda" and a list of numbers below 1000 such as "0,1".
std::optional<DeviceChoice> parse_device_choice(std::string_view text);

}  // namespace gpuassay
