#include "agent/instance_explanation.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/enums.h"
#include "core/instance_workloads.h"
#include "core/operations.h"
#include "core/stats.h"

namespace gpuassay {
namespace {

constexpr int kShownDigits = 6;

double shown(double value) { return round_significant(value, kShownDigits); }
double shown_ms(double ns) { return shown(ns / 1e6); }

nlohmann::json explain_step(const InstanceStep& step, std::int64_t gpus) {
  const GradientExchange& exchange = *step.exchange;
  const double exchange_ns = exchange.before_last_ns + exchange.last_ns;
  const auto bytes = static_cast<double>(exchange.buckets.total_bytes());
  return {{"batch", step.workload->samples},
          {"slowest_device", step.slowest_device},
          {"slowest_alone_ms", shown_ms(step.slowest_alone_ns)},
          {"slowest_under_load_ms", shown_ms(step.slowest_ns)},
          {"gradient_bytes", exchange.buckets.total_bytes()},
          {"first_bucket_bytes", exchange.buckets.first_bytes},
          {"full_buckets", exchange.buckets.full_count},
          {"last_bucket_bytes", exchange.buckets.last_bytes},
          {"busbw_gb_per_s", shown(bytes / exchange_ns * busbw_factor(CollectiveKind::all_reduce, gpus))},
          {"buckets_before_last_ms", shown_ms(exchange.before_last_ns)},
          {"last_bucket_ms", shown_ms(exchange.last_ns)},
          {"backward_ms", shown_ms(exchange.backward_ns)},
          {"exposed_ms", shown_ms(exchange.exposed_ns)},
          {"step_ms", shown_ms(step.step_ns)}};
}

std::string step_text(const nlohmann::json& row) {
  const nlohmann::json& step = row.at("step");
  const auto number = [&](const char* name) { return step.at(name).get<double>(); };
  constexpr double kMebibyte = 1 << 20U;
  return fmt::format("    slowest step     {:.6g} ms of device {} under load (alone {:.6g})\n",
                     number("slowest_under_load_ms"), step.at("slowest_device").get<int>(),
                     number("slowest_alone_ms")) +
         fmt::format(
             "    gradients        {} bytes in buckets of {:.4g} MiB, {} x 25 MiB, {:.4g} MiB; busbw {:.4g} GB/s\n",
             step.at("gradient_bytes").dump(), number("first_bucket_bytes") / kMebibyte, step.at("full_buckets").dump(),
             number("last_bucket_bytes") / kMebibyte, number("busbw_gb_per_s")) +
         fmt::format(
             "    exposed          max(0, {:.6g} - {:.6g} of backward) + {:.6g} of the last bucket = {:.6g} ms\n",
             number("buckets_before_last_ms"), number("backward_ms"), number("last_bucket_ms"), number("exposed_ms")) +
         fmt::format("    together         {} x {} / ({:.6g} + {:.6g} = {:.6g} ms)\n", row.at("gpus").dump(),
                     step.at("batch").dump(), number("slowest_under_load_ms"), number("exposed_ms"), number("step_ms"));
}

}  // namespace

nlohmann::json explain_instance(const Result& result, const std::vector<Measurement>& measurements) {
  nlohmann::json list = nlohmann::json::array();
  const auto gpus = static_cast<std::int64_t>(result.devices.size());
  for (const InstanceStep& step : instance_steps(result.devices, measurements)) {
    const DType dtype = step.precision == WorkloadPrecision::mixed ? step.types.half : step.types.fp32;
    nlohmann::json row{{"name", step.workload->id},
                       {"class", to_name(step.workload->workload_class)},
                       {"dtype", to_name(dtype)},
                       {"unit", step.workload->unit},
                       {"gpus", gpus},
                       {"reason", nullptr}};
    if (!step.known()) {
      row["reason"] = step.unknown_because;
    } else {
      row.update({{"samples_per_s", shown(step.samples_per_s)},
                  {"low", shown(step.low)},
                  {"high", shown(step.high)},
                  {"alone_samples_per_s", shown(step.alone_samples_per_s)},
                  {"scaling_efficiency", shown(step.samples_per_s / step.alone_samples_per_s)}});
      if (step.exchange) row["step"] = explain_step(step, gpus);
    }
    list.push_back(std::move(row));
  }
  return list;
}

std::string instance_text(const nlohmann::json& list) {
  if (list.empty()) return {};
  std::string text = "all GPUs together, under sustained load; training is data-parallel\n";
  for (const nlohmann::json& row : list) {
    const auto word = [&](const char* name) { return row.at(name).get<std::string>(); };
    text += fmt::format("  {:<16} {:<5} ", word("name"), word("dtype"));
    if (!row.at("reason").is_null()) {
      text += fmt::format("unknown: {}\n", word("reason"));
      continue;
    }
    const auto number = [&](const char* name) { return row.at(name).get<double>(); };
    text += fmt::format("{:>9.4g} {} ({:.4g} to {:.4g}), {:.1f} % of {:.4g}, what each does alone added up\n",
                        number("samples_per_s"), word("unit"), number("low"), number("high"),
                        100 * number("scaling_efficiency"), number("alone_samples_per_s"));
    if (row.contains("step")) text += step_text(row);
  }
  return text;
}

}  // namespace gpuassay
