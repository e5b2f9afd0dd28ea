// The field table of every type in the result document: names as in the contract, in its order.
// Private to core/result_json.cpp.
#pragma once

#include "core/json_fields.h"
#include "core/link_path.h"
#include "core/model.h"

namespace gpuassay {

template <>
struct Fields<GemmParams> {
  static void visit(auto& ar, auto& v) {
    ar("dtype", v.dtype), ar("m", v.m), ar("n", v.n), ar("k", v.k), ar("batch", v.batch);
  }
};
template <>
struct Fields<ConvParams> {
  static void visit(auto& ar, auto& v) {
    ar("dtype", v.dtype), ar("direction", v.direction);
    ar("n", v.n), ar("c", v.c), ar("h", v.h), ar("w", v.w), ar("k", v.k), ar("r", v.r), ar("s", v.s);
    ar("stride", v.stride), ar("pad", v.pad);
    ar.derived("p", [&v] { return v.p(); }), ar.derived("q", [&v] { return v.q(); });
  }
};
template <>
struct Fields<BandwidthParams> {
  static void visit(auto& ar, auto& v) {
    ar("kernel", v.kernel), ar("level", v.level), ar("array_bytes", v.array_bytes);
    ar.omitted_when_empty("peer", v.peer);
  }
};
template <>
struct Fields<ComputeParams> {
  static void visit(auto& ar, auto& v) { ar("dtype", v.dtype), ar("unit", v.unit), ar("flops", v.flops); }
};
template <>
struct Fields<LatencyParams> {
  static void visit(auto& ar, auto& v) { ar("kind", v.kind); }
};
template <>
struct Fields<DiskParams> {
  static void visit(auto& ar, auto& v) { ar("kind", v.kind), ar("bytes", v.bytes), ar("block_bytes", v.block_bytes); }
};
template <>
struct Fields<NetworkParams> {
  static void visit(auto& ar, auto& v) { ar("kind", v.kind), ar("bytes", v.bytes); }
};
template <>
struct Fields<CollectiveParams> {
  static void visit(auto& ar, auto& v) {
    ar("kind", v.kind), ar("dtype", v.dtype), ar("message_bytes", v.message_bytes), ar("ranks", v.ranks);
    ar("mode", v.mode);
  }
};
template <>
struct Fields<Metric> {
  static void visit(auto& ar, auto& v) { ar("name", v.name), ar("value", v.value), ar("unit", v.unit); }
};
template <>
struct Fields<Verification> {
  static void visit(auto& ar, auto& v) {
    ar("method", v.method), ar("error_kind", v.error_kind), ar("positions", v.positions);
    ar("max_error", v.max_error), ar("tolerance", v.tolerance), ar("passed", v.passed);
  }
};
template <>
struct Fields<GpuTelemetry> {
  static void visit(auto& ar, auto& v) {
    ar("sm_clock_mhz", v.sm_clock_mhz), ar("sm_clock_min_mhz", v.sm_clock_min_mhz);
    ar("memory_clock_mhz", v.memory_clock_mhz), ar("power_w", v.power_w), ar("temperature_c", v.temperature_c);
    ar("event_reasons_s", v.event_reasons_s), ar("throttled", v.throttled);
    ar.omitted_when_empty("pcie_generation", v.pcie_generation);
    ar.omitted_when_empty("pcie_width", v.pcie_width);
    ar.omitted_when_empty("energy_j", v.energy_j);
    ar.omitted_when_empty("mean_power_w", v.mean_power_w);
  }
};
template <>
struct Fields<Telemetry> {
  static void visit(auto& ar, auto& v) {
    ar("steal_fraction", v.steal_fraction);
    ar.omitted_when_empty("sm_clock_stamped_mhz", v.sm_clock_stamped_mhz);
    ar.omitted_when_empty("multiprocessors_stamped", v.multiprocessors_stamped);
    ar.omitted_when_empty("gpu", v.gpu);
  }
};

template <>
struct Fields<Measurement> {
  static void visit(auto& ar, auto& v) {
    ar("id", v.id), ar("device", v.device), ar("workload", v.workload);
    visit_params(ar, v.workload, v.params);
    ar("regime", v.regime), ar("status", v.status), ar("reason", v.reason), ar("algorithm", v.algorithm);
    ar("metric", v.metric), ar("fraction_of_peak", v.fraction_of_peak);
    ar("samples_ns", v.samples_ns), ar("median_ns", v.median_ns), ar("noise", v.noise);
    ar.omitted_when_empty("p99_ns", v.p99_ns);
    ar("stop_reason", v.stop_reason), ar("seconds_under_load", v.seconds_under_load);
    ar("steady_reached", v.steady_reached), ar("verification", v.verification), ar("telemetry", v.telemetry);
  }

 private:
  static void visit_params(FieldWriter& ar, Workload /*workload*/, const OperationParams& params) {
    std::visit([&ar](const auto& alternative) { ar("params", alternative); }, params);
  }
  static void visit_params(FieldReader& ar, Workload workload, OperationParams& params) {
    if (workload == Workload::gemm) {
      ar("params", params.emplace<GemmParams>());
    } else if (workload == Workload::conv) {
      ar("params", params.emplace<ConvParams>());
    } else if (workload == Workload::bandwidth) {
      ar("params", params.emplace<BandwidthParams>());
    } else if (workload == Workload::compute) {
      ar("params", params.emplace<ComputeParams>());
    } else if (workload == Workload::latency) {
      ar("params", params.emplace<LatencyParams>());
    } else if (workload == Workload::disk) {
      ar("params", params.emplace<DiskParams>());
    } else if (workload == Workload::network) {
      ar("params", params.emplace<NetworkParams>());
    } else if (workload == Workload::collective) {
      ar("params", params.emplace<CollectiveParams>());
    } else {
      json_detail::wrong("/workload", "a workload of measurements (this version knows no others)");
    }
  }
};

template <>
struct Fields<Host> {
  static void visit(auto& ar, auto& v) {
    ar("cpu_model", v.cpu_model), ar("logical_cpus", v.logical_cpus), ar("effective_cpus", v.effective_cpus);
    ar("memory_bytes", v.memory_bytes), ar("os", v.os), ar("kernel", v.kernel);
    ar("virtualization", v.virtualization), ar("container", v.container);
  }
};
template <>
struct Fields<Pci> {
  static void visit(auto& ar, auto& v) {
    ar("generation", v.generation), ar("width", v.width);
    ar("max_generation", v.max_generation), ar("max_width", v.max_width);
  }
};
template <>
struct Fields<DeviceLimits> {
  static void visit(auto& ar, auto& v) {
    ar("power_limit_w", v.power_limit_w);
    ar.omitted_when_empty("default_power_limit_w", v.default_power_limit_w);
    ar.omitted_when_empty("max_sm_clock_mhz", v.max_sm_clock_mhz);
    ar.omitted_when_empty("max_memory_clock_mhz", v.max_memory_clock_mhz);
  }
};
template <>
struct Fields<TheoreticalPeak> {
  static void visit(auto& ar, auto& v) {
    ar("tflop_per_s", v.tflop_per_s), ar("bandwidth_gb_per_s", v.bandwidth_gb_per_s);
    ar.omitted_when_empty("fma_tflop_per_s", v.fma_tflop_per_s);
  }
};
template <>
struct Fields<DeviceHealth> {
  static void visit(auto& ar, auto& v) {
    ar.omitted_when_empty("ecc_corrected_before", v.ecc_corrected_before);
    ar.omitted_when_empty("ecc_corrected_after", v.ecc_corrected_after);
    ar.omitted_when_empty("ecc_uncorrected_before", v.ecc_uncorrected_before);
    ar.omitted_when_empty("ecc_uncorrected_after", v.ecc_uncorrected_after);
    ar.omitted_when_empty("xids", v.xids);
  }
};
template <>
struct Fields<Device> {
  static void visit(auto& ar, auto& v) {
    ar("index", v.index), ar("kind", v.kind), ar("simulated", v.simulated), ar("name", v.name), ar("model", v.model);
    ar("variant", v.variant), ar("memory_bytes", v.memory_bytes), ar("compute_capability", v.compute_capability);
    ar("sm_count", v.sm_count), ar("driver_version", v.driver_version), ar("vbios", v.vbios);
    ar("uuid_hash", v.uuid_hash), ar("pci", v.pci), ar("ecc", v.ecc), ar("mig", v.mig), ar("vgpu", v.vgpu);
    ar("limits", v.limits), ar("theoretical", v.theoretical);
    ar.omitted_when_empty("health", v.health);
    ar.omitted_when_empty("numa_node", v.numa_node);
  }
};
template <>
struct Fields<DeviceLink> {
  static void visit(auto& ar, auto& v) {
    ar("device", v.device), ar("peer", v.peer), ar("nvlinks", v.nvlinks), ar("pcie", v.pcie);
    ar("peer_access", v.peer_access);
    ar.derived("path", [&v] { return link_path(v); });
  }
};
template <>
struct Fields<NodeRank> {
  static void visit(auto& ar, auto& v) {
    ar("rank", v.rank), ar("device", v.device);
    ar.omitted_when_empty("figures", v.figures);
  }
};
template <>
struct Fields<Node> {
  static void visit(auto& ar, auto& v) { ar("host", v.host), ar("ranks", v.ranks); }
};
template <>
struct Fields<Library> {
  static void visit(auto& ar, auto& v) {
    ar("name", v.name), ar("version", v.version), ar("path_kind", v.path_kind);
    ar("chosen_for", v.chosen_for), ar("rejected_reason", v.rejected_reason);
  }
};
template <>
struct Fields<Platform> {
  static void visit(auto& ar, auto& v) {
    ar("provider", v.provider), ar("instance_type", v.instance_type), ar("region", v.region), ar("zone", v.zone);
    ar("pricing_model", v.pricing_model), ar("instance_id_hash", v.instance_id_hash);
    ar("underlying", v.underlying), ar("host_layer", v.host_layer), ar("source", v.source);
  }
};
template <>
struct Fields<Unknown> {
  static void visit(auto& ar, auto& v) { ar("path", v.path), ar("reason", v.reason); }
};
template <>
struct Fields<Reason> {
  static void visit(auto& ar, auto& v) { ar("code", v.code), ar("message", v.message), ar("device", v.device); }
};
template <>
struct Fields<RegimeValues> {
  static void visit(auto& ar, auto& v) { ar("burst", v.burst), ar("sustained", v.sustained); }
};
template <>
struct Fields<InstanceWorkload> {
  static void visit(auto& ar, auto& v) {
    ar("name", v.name), ar("class", v.workload_class), ar("precision", v.precision);
    ar("samples_per_s", v.samples_per_s), ar("low", v.low), ar("high", v.high);
    ar("scaling_efficiency", v.scaling_efficiency);
    ar.omitted_when_empty("exposed_communication_share", v.exposed_communication_share);
    ar.omitted_when_empty("slowest_device", v.slowest_device);
    ar.omitted_when_empty("reason", v.reason);
  }
};
template <>
struct Fields<DeviceSummary> {
  static void visit(auto& ar, auto& v) {
    ar.omitted_when_empty("device", v.device);
    ar("gemm_tflop_per_s", v.gemm_tflop_per_s), ar("conv_tflop_per_s", v.conv_tflop_per_s);
    ar("bandwidth_gb_per_s", v.bandwidth_gb_per_s);
    ar.omitted_when_empty("compute_tflop_per_s", v.compute_tflop_per_s);
    ar.omitted_when_empty("latency_us", v.latency_us);
    ar.omitted_when_empty("host_gb_per_s", v.host_gb_per_s);
    ar.omitted_when_empty("host_tflop_per_s", v.host_tflop_per_s);
    ar.omitted_when_empty("host_latency_us", v.host_latency_us);
    ar.omitted_when_empty("collective_busbw_gb_per_s", v.collective_busbw_gb_per_s);
    ar.omitted_when_empty("collective_latency_us", v.collective_latency_us);
    ar.omitted_when_empty("workloads", v.workloads);
  }
};
template <>
struct Fields<DeviceSpread> {
  static void visit(auto& ar, auto& v) {
    ar("figure", v.figure), ar("min", v.min), ar("median", v.median), ar("max", v.max);
    ar("spread", v.spread), ar("slowest_device", v.slowest_device);
  }
};
template <>
struct Fields<Summary> {
  static void visit(auto& ar, auto& v) {
    ar("instance", v.instance), ar("devices", v.devices);
    ar.omitted_when_empty("across_devices", v.across_devices);
  }
};
template <>
struct Fields<Verdict> {
  static void visit(auto& ar, auto& v) {
    ar("code", v.code), ar("device", v.device), ar("message", v.message), ar("remedy", v.remedy);
  }
};
template <>
struct Fields<WorkloadScore> {
  static void visit(auto& ar, auto& v) {
    ar("name", v.name), ar("class", v.workload_class), ar("precision", v.precision), ar("batch", v.batch);
    ar("samples_per_s", v.samples_per_s), ar("low", v.low), ar("high", v.high);
    ar("vs_reference", v.vs_reference), ar("covered_share", v.covered_share);
  }
};
template <>
struct Fields<DeviceScore> {
  static void visit(auto& ar, auto& v) { ar("device", v.device), ar("value", v.value); }
};
template <>
struct Fields<ClassScores> {
  static void visit(auto& ar, auto& v) { ar("train", v.train), ar("prefill", v.prefill), ar("decode", v.decode); }
};
template <>
struct Fields<Score> {
  static void visit(auto& ar, auto& v) {
    ar("version", v.version), ar("value", v.value), ar("classes", v.classes), ar("per_device", v.per_device);
    ar("dlperf_2022_equivalent", v.dlperf_2022_equivalent), ar("regime", v.regime), ar("workloads", v.workloads);
    ar("expected", v.expected), ar("fraction_of_expected", v.fraction_of_expected);
  }
};
template <>
struct Fields<UnitCost> {
  static void visit(auto& ar, auto& v) {
    ar("name", v.name), ar("precision", v.precision), ar("unit", v.unit), ar("usd", v.usd);
  }
};
template <>
struct Fields<UnitEnergy> {
  static void visit(auto& ar, auto& v) {
    ar("name", v.name), ar("precision", v.precision), ar("unit", v.unit), ar("joules", v.joules);
  }
};
template <>
struct Fields<Fit> {
  static void visit(auto& ar, auto& v) {
    ar("model", v.model), ar("precision", v.precision), ar("context", v.context), ar("fits", v.fits);
    ar("gpus_needed", v.gpus_needed);
  }
};
template <>
struct Fields<PriceMatch> {
  static void visit(auto& ar, auto& v) {
    ar("match_level", v.match_level), ar("reason", v.reason);
    ar("price_instance_hour_usd", v.price_instance_hour_usd), ar("price_gpu_hour_usd", v.price_gpu_hour_usd);
    ar.tells_version("cost_basis", v.has_all_fields);
    const auto later = [&](const char* name, auto& value) { ar.added(name, value, v.has_all_fields); };
    later("price_id", v.price_id);
    later("price_provider", v.price_provider);
    later("source_ref", v.source_ref);
    later("amount", v.amount);
    later("currency", v.currency);
    later("unit", v.unit);
    later("fx_rate", v.fx_rate);
    later("fx_date", v.fx_date);
    later("candidates", v.candidates);
    later("lowest_gpu_hour_usd", v.lowest_gpu_hour_usd);
    later("highest_gpu_hour_usd", v.highest_gpu_hour_usd);
    later("region_match", v.region_match);
    later("memory_check", v.memory_check);
    later("variant_check", v.variant_check);
    later("count_scaled", v.count_scaled);
    later("stale", v.stale);
    later("age_days", v.age_days);
    later("pricing_model_assumed", v.pricing_model_assumed);
    later("as_of_precision", v.as_of_precision);
    later("tax", v.tax);
    later("pricing_model", v.pricing_model);
    later("cost_basis", v.cost_basis);
    later("cost_hour_usd", v.cost_hour_usd);
  }
};
template <>
struct Fields<TimeUse> {
  static void visit(auto& ar, auto& v) {
    ar("measuring_s", v.measuring_s), ar("preparing_s", v.preparing_s);
    ar("non_measuring_fraction", v.non_measuring_fraction);
  }
};
template <>
struct Fields<AgentInfo> {
  static void visit(auto& ar, auto& v) {
    ar("version", v.version), ar("commit", v.commit), ar("profile", v.profile), ar("build", v.build);
  }
};
template <>
struct Fields<Result> {
  static void visit(auto& ar, auto& v) {
    ar("schema_version", v.schema_version), ar("run_id", v.run_id), ar("status", v.status), ar("reasons", v.reasons);
    ar("simulated", v.simulated), ar("started_at", v.started_at), ar("finished_at", v.finished_at);
    ar("duration_s", v.duration_s);
    ar.omitted_when_empty("time_use", v.time_use);
    ar("trigger", v.trigger), ar("boot_to_start_s", v.boot_to_start_s);
    ar("run_cost_usd", v.run_cost_usd), ar("agent", v.agent), ar("host", v.host), ar("platform", v.platform);
    ar("devices", v.devices);
    ar.omitted_when_empty("links", v.links);
    ar.omitted_when_empty("nodes", v.nodes);
    ar("libraries", v.libraries), ar("measurements", v.measurements);
    ar("summary", v.summary), ar("verdicts", v.verdicts), ar("score", v.score), ar("fits", v.fits);
    ar.omitted_when_empty("unit_costs", v.unit_costs);
    ar.omitted_when_empty("unit_energies", v.unit_energies);
    ar("price", v.price), ar("score_per_usd_hour", v.score_per_usd_hour), ar("unknown", v.unknown);
  }
};
template <>
struct Fields<Inventory> {
  static void visit(auto& ar, auto& v) {
    ar("host", v.host), ar("platform", v.platform), ar("devices", v.devices);
    ar.omitted_when_empty("links", v.links);
    ar("libraries", v.libraries), ar("unknown", v.unknown);
  }
};

}  // namespace gpuassay
