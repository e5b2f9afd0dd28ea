#include "core/price_question.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "core/gpu_aliases.h"
#include "core/price_sources/exact_json.h"
#include "core/price_text.h"
#include "core/provider_names.h"
#include "core/result_json.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

using nlohmann::json;

constexpr Micros kOne = 1'000'000;

Micros gib_of_bytes(std::int64_t bytes) {
  const Ratio gib = Ratio(Decimal{static_cast<std::uint64_t>(bytes), 0}).over(Ratio(Decimal{1U << 30U, 0}));
  return gib.micros();
}

[[noreturn]] void refuse(std::string_view field, std::string_view problem) {
  throw Error(ErrorCode::unreadable_input, fmt::format("the measurement's field {}: {}", field, problem));
}

/// The field as text; empty for null and absence.
std::optional<std::string> field_text(const json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || found->is_null()) return std::nullopt;
  if (!found->is_string()) refuse(field, "must be a text, a number or null");
  const auto text = found->get<std::string>();
  return text.empty() ? std::nullopt : std::optional(text);
}

template <class Parse>
auto field(const json& object, const char* name,
           const Parse& parse) -> std::optional<decltype(parse(std::string_view()))> {
  const auto text = field_text(object, name);
  if (!text) return std::nullopt;
  try {
    return parse(std::string_view(*text));
  } catch (const Error& error) {
    refuse(name, error.what());
  }
}

/// A size of the machine; absurd ones are misread, and would not fit what is computed of them.
std::optional<Micros> size_field(const json& object, const char* name) {
  const auto size = field(object, name, parse_micros);
  constexpr Micros kMost = 100'000'000 * kOne;
  if (size && *size > kMost) refuse(name, "is larger than any machine's");
  return size;
}

void require_known_fields(const json& object) {
  constexpr std::array<std::string_view, 14> kFields{"provider",
                                                     "instance_type",
                                                     "region",
                                                     "gpu_model",
                                                     "gpu_variant",
                                                     "gpu_count",
                                                     "gpus_used",
                                                     "gpu_memory_gib_total",
                                                     "vcpus",
                                                     "memory_gib",
                                                     "measured_at",
                                                     "pricing_model",
                                                     "commitment_months",
                                                     "score"};
  for (const auto& [name, value] : object.items()) {
    if (std::find(kFields.begin(), kFields.end(), name) == kFields.end())
      refuse(name.substr(0, 60), "is not known; see docs/PRICES.md");
  }
}

std::optional<double> read_score(const json& object) {
  const auto text = field_text(object, "score");
  if (!text) return std::nullopt;
  char* end = nullptr;
  const double score = std::strtod(text->c_str(), &end);
  if (end == text->c_str() || *end != '\0' || !std::isfinite(score) || score < 0)
    refuse("score", "must be a number that is not negative");
  return score;
}

PriceQuestion read_measurement(const json& object) {
  require_known_fields(object);
  PriceQuestion question;
  question.provider = field(object, "provider", provider_slug);
  question.instance_type = field_text(object, "instance_type");
  question.region = field_text(object, "region");
  const auto count = field(object, "gpu_count", parse_micros);
  if (!count || *count <= 0 || *count > kMostGpus) refuse("gpu_count", "must be above zero and at most 10000");
  question.gpu_count = *count;
  question.gpus_used = field(object, "gpus_used", parse_micros);
  if (question.gpus_used && (*question.gpus_used <= 0 || *question.gpus_used > *count))
    refuse("gpus_used", "must be above zero and at most gpu_count");
  question.gpu_memory_gib_total = size_field(object, "gpu_memory_gib_total");
  question.vcpus = size_field(object, "vcpus");
  question.memory_gib = size_field(object, "memory_gib");
  std::optional<Micros> each;
  if (question.gpu_memory_gib_total)
    each = Ratio(Decimal{static_cast<std::uint64_t>(*question.gpu_memory_gib_total), 6})
               .over(Ratio(Decimal{static_cast<std::uint64_t>(*count), 6}))
               .micros();
  const std::string variant = field_text(object, "gpu_variant").value_or("");
  const auto gpu =
      field(object, "gpu_model", [&](std::string_view name) { return resolve_gpu_name(name, each, variant); });
  if (!gpu) refuse("gpu_model", "is missing");
  question.gpu_model = gpu->model;
  question.gpu_variant = gpu->variant;
  const auto measured = field(object, "measured_at", read_as_of);
  if (!measured) refuse("measured_at", "is missing; write an instant such as 2026-01-31T12:00:00Z");
  question.measured_at_ms = measured->first_ms;
  question.pricing_model = field(object, "pricing_model", read_pricing_model);
  question.commitment_months = field(object, "commitment_months", read_months);
  question.score = read_score(object);
  return question;
}

}  // namespace

bool is_part_of_machine(const Result& result) {
  return std::any_of(result.unknown.begin(), result.unknown.end(), [](const Unknown& entry) {
    return entry.path == "/devices" && entry.reason.starts_with(kPartOfMachine);
  });
}

PriceQuestion price_question(const Result& result) {
  PriceQuestion question;
  question.provider = result.platform.provider;
  question.instance_type = result.platform.instance_type;
  question.region = result.platform.region;
  question.pricing_model = result.platform.pricing_model;
  question.measured_at_ms = parse_rfc3339_ms(result.started_at);
  question.score = result.score.value;
  if (result.host.memory_bytes) question.memory_gib = gib_of_bytes(*result.host.memory_bytes);
  if (result.host.logical_cpus) question.vcpus = Micros{*result.host.logical_cpus} * kOne;
  const Device* first = nullptr;
  bool mixed = false;
  for (const Device& device : result.devices) {
    if (device.kind != DeviceKind::cuda) continue;
    question.gpu_count += kOne;
    if (first == nullptr) first = &device;
    mixed = mixed || device.model != first->model || device.memory_bytes != first->memory_bytes;
  }
  if (first == nullptr || mixed || is_part_of_machine(result)) return question;
  question.gpu_model = first->model;
  question.gpu_variant = first->variant;
  // More than any machine has would not fit what is computed of it.
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 50U;
  if (first->memory_bytes && *first->memory_bytes >= 0 && *first->memory_bytes <= kMostBytes)
    question.gpu_memory_gib_total = gib_of_bytes(*first->memory_bytes) * (question.gpu_count / kOne);
  return question;
}

PriceQuestion read_price_question(std::string_view json_text) {
  ByteSource source = ByteSource::from_text(json_text);
  const json document = read_exact_json(source);
  if (!document.is_object()) throw Error(ErrorCode::unreadable_input, "a measurement is a JSON object");
  return document.contains("schema_version") ? price_question(parse_result(json_text)) : read_measurement(document);
}

}  // namespace gpuassay
