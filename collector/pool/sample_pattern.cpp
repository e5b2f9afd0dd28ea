#include "collector/pool/sample_pattern.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "core/stats.h"

namespace gpuassay {
namespace {

/// Fewer samples say too little, and so do those of a clock whose steps can be seen.
constexpr std::size_t kLeastSamples = 5;

/// FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv.
std::uint64_t mixed(std::uint64_t hash, std::string_view bytes) {
  constexpr std::uint64_t kPrime = 0x100000001b3;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * kPrime;
  return hash;
}

/// The signs of the second differences; empty when one of them is none.
std::vector<bool> bends_of(const std::vector<double>& samples) {
  std::vector<bool> bends;
  if (samples.size() < kLeastSamples) return bends;
  bends.reserve(samples.size() - 2);
  for (std::size_t i = 2; i < samples.size(); ++i) {
    const double bend = samples[i] - 2 * samples[i - 1] + samples[i - 2];
    if (bend == 0 || samples[i] == samples[i - 1]) return {};
    bends.push_back(bend > 0);
  }
  return bends;
}

std::map<std::string_view, const Measurement*> measured(const Result& result) {
  std::map<std::string_view, const Measurement*> by_id;
  for (const Measurement& measurement : result.measurements) {
    const std::vector<double>& samples = measurement.samples_ns;
    const bool all_positive = std::all_of(samples.begin(), samples.end(), [](double sample) { return sample > 0; });
    if (measurement.status == CaseStatus::ok && samples.size() >= kLeastSamples && all_positive)
      by_id.emplace(measurement.id, &measurement);
  }
  return by_id;
}

/// Robust standard deviation, of the quartiles.
double spread(std::vector<double> values) {
  constexpr double kLow = 0.25, kHigh = 0.75;
  std::sort(values.begin(), values.end());
  return quantile(values, kHigh) - quantile(values, kLow);
}

std::vector<double> logarithms(const std::vector<double>& samples) {
  std::vector<double> logs;
  logs.reserve(samples.size());
  for (const double sample : samples) logs.push_back(std::log(sample));
  return logs;
}

}  // namespace

std::vector<std::int64_t> sample_patterns(const Result& result) {
  constexpr std::size_t kBits = 32;
  constexpr std::uint64_t kOffset = 0xcbf29ce484222325;
  std::vector<std::int64_t> patterns;
  std::uint64_t hash = kOffset;
  std::size_t bits = 0;
  for (const auto& [id, measurement] : measured(result)) {
    const std::vector<bool> bends = bends_of(measurement->samples_ns);
    if (bends.empty()) continue;
    hash = mixed(hash, id);
    for (const bool bend : bends) hash = mixed(hash, bend ? "+" : "-");
    bits += bends.size();
    if (bits < kBits) continue;
    patterns.push_back(static_cast<std::int64_t>(hash));
    hash = kOffset;
    bits = 0;
  }
  std::sort(patterns.begin(), patterns.end());
  patterns.erase(std::unique(patterns.begin(), patterns.end()), patterns.end());
  return patterns;
}

bool are_copies(const Result& one, const Result& other) {
  constexpr std::size_t kLeastCommon = 5;
  constexpr double kResidue = 0.1, kMostOf = 0.8;
  const auto theirs = measured(other);
  std::size_t common = 0, copied = 0;
  for (const auto& [id, measurement] : measured(one)) {
    const auto found = theirs.find(id);
    if (found == theirs.end() || found->second->samples_ns.size() != measurement->samples_ns.size()) continue;
    std::vector<double> own = logarithms(measurement->samples_ns), ratio = logarithms(found->second->samples_ns);
    for (std::size_t i = 0; i < ratio.size(); ++i) ratio[i] -= own[i];
    const double noise = spread(own);
    if (noise <= 0) continue;
    ++common;
    if (spread(ratio) < kResidue * noise) ++copied;
  }
  return common >= kLeastCommon && static_cast<double>(copied) >= kMostOf * static_cast<double>(common);
}

}  // namespace gpuassay
