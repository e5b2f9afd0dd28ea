#include "agent/explanation.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "core/enums.h"
#include "core/fits.h"
#include "core/framework_costs.h"
#include "core/operation_times.h"
#include "core/score.h"
#include "core/stats.h"
#include "core/workload_reader.h"

namespace gpuassay {

std::string index_text(const Score& score) {
  std::string text;
  for (const auto& [workload_class, figure] : {std::pair{WorkloadClass::train, score.classes.train},
                                               {WorkloadClass::prefill, score.classes.prefill},
                                               {WorkloadClass::decode, score.classes.decode}}) {
    std::string parts;
    for (const WorkloadScore* const each : mixed_workloads(score)) {
      const WorkloadScore& workload = *each;
      if (workload.workload_class != workload_class) continue;
      const std::string ratio = workload.vs_reference ? fmt::format("{:.4g}", *workload.vs_reference) : "unknown";
      parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", workload.name, ratio);
    }
    text += fmt::format("  {:<8} {} = 100 x geometric mean of the reference's share in {}\n", to_name(workload_class),
                        figure ? fmt::format("{:.4g}", *figure) : "unknown", parts);
  }
  return text + "  value = geometric mean of the three\n";
}

nlohmann::json explain_predictions(const Result& result, const std::vector<Measurement>& measurements) {
  nlohmann::json list = nlohmann::json::array();
  for (const Device& device : result.devices) {
    for (const WorkloadPrediction& each : predictions_of(device, result.devices, measurements)) {
      if (!each.step) continue;
      constexpr int kDigits = 6;
      const auto per_s = [&](double step_ns) { return round_significant(each.samples_per_s(step_ns), kDigits); };
      const auto ms = [](double ns) { return round_significant(ns / 1e6, kDigits); };
      list.push_back(
          {{"device", device.index},
           {"name", each.workload->id},
           {"precision", to_name(each.precision)},
           {"dtype", to_name(each.precision == WorkloadPrecision::mixed ? each.types.half : each.types.fp32)},
           {"unit", each.workload->unit},
           {"samples_per_s", per_s(each.step->step_ns)},
           {"low", per_s(each.step->high_ns)},
           {"high", per_s(each.step->low_ns)},
           {"covered_share", round_significant(each.step->covered_share, kDigits)},
           {"operations_ms", ms(each.step->operations_ns)},
           {"attention_ms", ms(each.step->attention_ns)},
           {"other_kernels_ms", ms(each.step->traffic_ns)},
           {"pauses_ms", ms(each.step->pauses_ns)}});
    }
  }
  return list;
}

nlohmann::json explain_large(const Result& result, const std::vector<Measurement>& measurements) {
  constexpr double kHalfBytes = 2, kFp8Bytes = 1;
  nlohmann::json list = nlohmann::json::array();
  for (const Device& device : result.devices) {
    const OperationTimes times(device.index, measurements);
    for (const auto& [dtype, bytes] :
         {std::pair{preferred_types(device).half, kHalfBytes}, {DType::fp8_e4m3, kFp8Bytes}}) {
      for (const TracedWorkload& workload : large_workloads()) {
        const auto step = predict_step(workload, WorkloadPrecision::mixed, {dtype, DType::fp32}, times,
                                       multiprocessors_of(device), framework_costs(device.kind));
        if (!step) continue;
        const auto needed = devices_needed(workload, bytes, device);
        const WorkloadPrediction prediction{&workload, WorkloadPrecision::mixed, {dtype, DType::fp32}, step};
        const bool fits = needed == 1;
        list.push_back(
            {{"device", device.index},
             {"name", workload.id},
             {"dtype", to_name(dtype)},
             {"unit", workload.unit},
             {"fits", fits},
             {"gpus_needed", needed ? nlohmann::json(*needed) : nlohmann::json()},
             {"samples_per_s", fits ? nlohmann::json(round_significant(prediction.samples_per_s(step->step_ns), 4))
                                    : nlohmann::json()}});
      }
    }
  }
  return list;
}

std::string large_text(const nlohmann::json& list) {
  std::string text = list.empty() ? "" : "networks that few cards hold, predicted without a comparison with PyTorch\n";
  for (const nlohmann::json& each : list) {
    const std::string what = each.at("fits").get<bool>()
                                 ? fmt::format("{:.4g} {} a second", each.at("samples_per_s").get<double>(),
                                               each.at("unit").get<std::string>())
                                 : fmt::format("does not fit, needs {} GPUs", each.at("gpus_needed").dump());
    text += fmt::format("  device {} {:<20} {:<8} {}\n", each.at("device").get<int>(),
                        each.at("name").get<std::string>(), each.at("dtype").get<std::string>(), what);
  }
  return text;
}

std::string predictions_text(const nlohmann::json& list) {
  std::string text = "samples per second, and the milliseconds of a step\n";
  for (const nlohmann::json& each : list) {
    const auto number = [&](const char* name) { return each.at(name).get<double>(); };
    text += fmt::format(
        "  device {} {:<16} {:<5} {:>9.4g} {} ({:.4g} to {:.4g}; {:.0f} % of the FLOPs measured): operations {:.4g}, "
        "attention {:.4g}, other kernels {:.4g}, pauses {:.4g}\n",
        each.at("device").get<int>(), each.at("name").get<std::string>(), each.at("precision").get<std::string>(),
        number("samples_per_s"), each.at("unit").get<std::string>(), number("low"), number("high"),
        100 * number("covered_share"), number("operations_ms"), number("attention_ms"), number("other_kernels_ms"),
        number("pauses_ms"));
  }
  return text;
}

}  // namespace gpuassay
