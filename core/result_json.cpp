#include "core/result_json.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "core/json_guard.h"
#include "core/result_fields.h"

namespace gpuassay {
namespace {

constexpr std::string_view kSchemaMajor = "1.";

void check_schema_version(const nlohmann::json& document) {
  const auto version = document.is_object() ? document.find("schema_version") : document.end();
  if (!document.is_object() || version == document.end() || !version->is_string()) {
    throw Error(ErrorCode::unreadable_input,
                "the document is not a gpuassay result: it has no schema_version; give a file from the runs folder");
  }
  const std::string& text = version->get_ref<const std::string&>();
  if (!text.starts_with(kSchemaMajor)) {
    throw Error(ErrorCode::unreadable_input,
                "the result has schema version " + text.substr(0, 20) +
                    ", this gpuassay reads 1.x; use the gpuassay version that wrote it, or a newer one");
  }
}

/// A sample no operation can have taken: shorter than a clock can tell, or longer than a month.
constexpr double kShortestSampleNs = 1e-3;
constexpr double kLongestSampleNs = 2.6e15;

/// Larger dimensions would overflow the operation counts; no device holds such an operand.
constexpr std::int64_t kLargestDimension = std::int64_t{1} << 31;

void check_shape(const Measurement& measurement) {
  const auto fits = [](std::initializer_list<std::int64_t> sizes) {
    return std::all_of(sizes.begin(), sizes.end(), [](std::int64_t n) { return n >= 1 && n <= kLargestDimension; });
  };
  struct Possible {
    decltype(fits) sizes_fit;
    bool operator()(const GemmParams& g) const { return sizes_fit({g.m, g.n, g.k, g.batch}); }
    bool operator()(const ConvParams& c) const {
      return sizes_fit({c.n, c.c, c.h, c.w, c.k, c.r, c.s, c.stride}) && c.pad >= 0 && c.pad <= kLargestDimension;
    }
    bool operator()(const BandwidthParams& b) const {
      const bool host_memory = b.level == MemoryLevel::pinned || b.level == MemoryLevel::pageable;
      const bool engine = b.level == MemoryLevel::ce || b.level == MemoryLevel::sm;
      const bool between_peers = is_peer_copy(b.kernel);
      return b.array_bytes >= 1 && host_memory == is_transfer(b.kernel) && engine == between_peers &&
             b.peer.has_value() == between_peers && b.peer.value_or(0) >= 0;
    }
    bool operator()(const ComputeParams& c) const { return c.flops >= 1; }
    bool operator()(const LatencyParams&) const { return true; }
    bool operator()(const DiskParams& d) const { return d.block_bytes >= 1 && d.bytes >= d.block_bytes; }
    bool operator()(const NetworkParams& n) const { return (n.bytes >= 1) == (n.kind == NetworkKind::download); }
    bool operator()(const CollectiveParams& c) const {
      constexpr std::int64_t kMostRanks = 65536, kMostBytes = std::int64_t{1} << 50;
      return c.ranks >= 2 && c.ranks <= kMostRanks && c.message_bytes >= 1 && c.message_bytes <= kMostBytes;
    }
  };
  const bool possible = std::visit(Possible{fits}, measurement.params);
  if (!possible) throw Error(ErrorCode::unreadable_input, "the shape of " + measurement.id + " is not possible");
}

/// What the figures are computed from must be computable, whoever wrote the document.
void check_raw(const Measurement& measurement) {
  check_shape(measurement);
  for (const double sample_ns : measurement.samples_ns) {
    if (!(sample_ns >= kShortestSampleNs && sample_ns <= kLongestSampleNs)) {
      throw Error(ErrorCode::unreadable_input, "a sample of " + measurement.id + " is not a possible time");
    }
  }
  if (measurement.status == CaseStatus::ok && measurement.samples_ns.empty()) {
    throw Error(ErrorCode::unreadable_input, "the case " + measurement.id + " is ok but has no samples");
  }
  if (const auto p99_ns = measurement.p99_ns; p99_ns && !measurement.samples_ns.empty()) {
    const double least_ns = *std::min_element(measurement.samples_ns.begin(), measurement.samples_ns.end());
    if (!(*p99_ns >= least_ns && *p99_ns <= kLongestSampleNs))
      throw Error(ErrorCode::unreadable_input, "p99_ns of " + measurement.id + " does not go with its samples");
  }
}

void check_measurements(const std::vector<Measurement>& measurements) {
  std::set<std::tuple<std::optional<int>, Regime, std::string>> seen;
  for (const Measurement& measurement : measurements) {
    check_raw(measurement);
    if (measurement.status == CaseStatus::ok && !measurement.median_ns) {
      throw Error(ErrorCode::unreadable_input, "the case " + measurement.id + " is ok but has no median_ns");
    }
    if (!seen.emplace(measurement.device, measurement.regime, measurement.id).second) {
      throw Error(ErrorCode::unreadable_input, "the case " + measurement.id + " stands twice in the document");
    }
  }
}

}  // namespace

nlohmann::json to_json(const Result& result) { return write_value(result); }

Result result_from_json(const nlohmann::json& document) {
  check_schema_version(document);
  Result result;
  read_value(document, "", result);
  check_measurements(result.measurements);
  return result;
}

nlohmann::json to_json(const Measurement& measurement) { return write_value(measurement); }

Measurement measurement_from_json(const nlohmann::json& document) {
  Measurement measurement;
  read_value(document, "", measurement);
  check_raw(measurement);
  return measurement;
}

nlohmann::json to_json(const Node& node) { return write_value(node); }

Node node_from_json(const nlohmann::json& document) {
  Node node;
  read_value(document, "", node);
  return node;
}

nlohmann::json to_json(const Inventory& inventory) { return write_value(inventory); }

std::string canonical_json(const Result& result) { return to_json(result).dump(); }

Result parse_result(std::string_view text) { return result_from_json(parse_untrusted_json(text, JsonLimits{})); }

}  // namespace gpuassay
