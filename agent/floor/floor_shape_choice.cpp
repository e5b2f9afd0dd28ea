#include "agent/floor/floor_shape_choice.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "core/floor/check.h"

namespace gpuassay {
namespace {

constexpr std::int64_t kFirstSide = 256, kLastSide = 65'536, kFirstDepth = 1'024, kLastDepth = 262'144;
/// To stay below 5 % with costs that were measured once, before the device was warm.
constexpr double kMostShare = 0.045;
/// A step is to be long beside the half microsecond of an event and the launches, and there are to be dozens in a run:
/// drawn ones are computed anew, up to 64 of them.
constexpr double kShortestNs = 2e6, kLongestNs = 250e6;
constexpr double kMemoryShare = 0.8;

struct Option {
  FloorShape shape;
  double share = 0;  ///< of what comes on top, in the product's time
  double step_ns = 0;
};

double bytes_needed(const FloorShape& shape, std::int64_t operand_bytes) {
  constexpr double kResultBytes = 4, kDigestBytes = 32;
  const double operands = static_cast<double>((shape.m + shape.n) * shape.k * operand_bytes);
  return operands + static_cast<double>(shape.m * shape.n) * kResultBytes +
         2 * static_cast<double>(floor_tiles(shape)) * kDigestBytes;
}

/// Libraries compute the result in squares of about 128 by 128: below four for each multiprocessor the last round of
/// them leaves many idle. And each element that is loaded is to be used a thousand times: the fastest GPUs compute 500
/// operations in the time in which memory gives one of two bytes.
bool fills_device(const FloorShape& shape, const FloorBounds& bounds) {
  constexpr std::int64_t kSquare = std::int64_t{128} * 128, kRounds = 4, kLeastSide = 1'024;
  return std::min(shape.m, shape.n) >= kLeastSide && shape.m * shape.n >= kSquare * kRounds * bounds.multiprocessors;
}

bool is_within(const FloorShape& shape, const FloorBounds& bounds) {
  return bytes_needed(shape, bounds.operand_bytes) <= kMemoryShare * static_cast<double>(bounds.free_bytes) &&
         floor_flop(shape) <= bounds.most_flop && can_be_checked(bounds.devices, shape.k);
}

std::vector<Option> options(const FloorCosts& costs, const FloorBounds& bounds) {
  std::vector<Option> all;
  for (std::int64_t k = kFirstDepth; k <= kLastDepth; k *= 2) {
    for (std::int64_t m = kFirstSide; m <= kLastSide; m *= 2) {
      for (std::int64_t n = kFirstSide; n <= kLastSide; n *= 2) {
        const FloorShape shape{m, n, k, largest_floor_integer(k)};
        if (!is_within(shape, bounds)) continue;
        const double gemm_ns = floor_gemm_ns(costs, shape), extra_ns = floor_extra_ns(costs, shape);
        all.push_back({shape, extra_ns / gemm_ns, gemm_ns + extra_ns});
      }
    }
  }
  return all;
}

/// Those that are as long as they should be, and occupy the device; all of them where there is none.
std::vector<Option> preferred(const std::vector<Option>& all, const FloorBounds& bounds) {
  std::vector<Option> good;
  std::copy_if(all.begin(), all.end(), std::back_inserter(good), [&](const Option& option) {
    return option.step_ns >= kShortestNs && option.step_ns <= kLongestNs && fills_device(option.shape, bounds);
  });
  return good.empty() ? all : good;
}

double provable(const Option& option, const FloorBounds& bounds) {
  return proven_share(draws_of_device(bounds.devices, option.shape.k)) / (1 + option.share);
}

}  // namespace

double floor_gemm_ns(const FloorCosts& costs, const FloorShape& shape) {
  constexpr double kFlopPerNsOfTflopPerS = 1e3;
  return floor_flop(shape) / (costs.gemm_tflop_per_s * kFlopPerNsOfTflopPerS);
}

double floor_extra_ns(const FloorCosts& costs, const FloorShape& shape) {
  return static_cast<double>(shape.m * shape.k) * costs.generate_ns +
         static_cast<double>(shape.m * shape.n) * costs.hash_ns + costs.step_ns;
}

FloorShape choose_floor_shape(const FloorCosts& costs, const FloorBounds& bounds) {
  const std::vector<Option> candidates = preferred(options(costs, bounds), bounds);
  // What needs less memory than 3 MB is not tried: the allocation will say that there is none.
  if (candidates.empty()) return {kFirstSide, kFirstSide, kFirstDepth, largest_floor_integer(kFirstDepth)};
  const auto cheapest = std::min_element(candidates.begin(), candidates.end(), [](const Option& a, const Option& b) {
    const auto rank = [](const Option& option) {
      return std::tuple(option.share >= kMostShare, option.shape.k, option.step_ns);
    };
    return rank(a) < rank(b);
  });
  if (cheapest->share < kMostShare) return cheapest->shape;
  return std::max_element(candidates.begin(), candidates.end(),
                          [&](const Option& a, const Option& b) { return provable(a, bounds) < provable(b, bounds); })
      ->shape;
}

}  // namespace gpuassay
