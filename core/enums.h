// The names that enum values have in the result document and on the command line.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "core/model.h"

namespace gpuassay {

template <class E>
struct EnumNames;  // one specialisation per enum: `values`, an array of {value, name}

template <>
struct EnumNames<DType> {
  static constexpr std::array<std::pair<DType, std::string_view>, 9> values{{{DType::fp64, "fp64"},
                                                                             {DType::fp32, "fp32"},
                                                                             {DType::tf32, "tf32"},
                                                                             {DType::fp16, "fp16"},
                                                                             {DType::fp16_acc16, "fp16_acc16"},
                                                                             {DType::bf16, "bf16"},
                                                                             {DType::int8, "int8"},
                                                                             {DType::fp8_e4m3, "fp8_e4m3"},
                                                                             {DType::fp4, "fp4"}}};
};
template <>
struct EnumNames<ConvDirection> {
  static constexpr std::array<std::pair<ConvDirection, std::string_view>, 3> values{
      {{ConvDirection::forward, "forward"},
       {ConvDirection::backward_data, "backward_data"},
       {ConvDirection::backward_weights, "backward_weights"}}};
};
template <>
struct EnumNames<BandwidthKernel> {
  static constexpr std::array<std::pair<BandwidthKernel, std::string_view>, 14> values{
      {{BandwidthKernel::copy, "copy"},
       {BandwidthKernel::mul, "mul"},
       {BandwidthKernel::add, "add"},
       {BandwidthKernel::triad, "triad"},
       {BandwidthKernel::read, "read"},
       {BandwidthKernel::write, "write"},
       {BandwidthKernel::gather, "gather"},
       {BandwidthKernel::readback, "readback"},
       {BandwidthKernel::h2d, "h2d"},
       {BandwidthKernel::d2h, "d2h"},
       {BandwidthKernel::bidirectional, "bidirectional"},
       {BandwidthKernel::p2p_read, "p2p_read"},
       {BandwidthKernel::p2p_write, "p2p_write"},
       {BandwidthKernel::p2p_bidirectional, "p2p_bidirectional"}}};
};
template <>
struct EnumNames<MemoryLevel> {
  static constexpr std::array<std::pair<MemoryLevel, std::string_view>, 8> values{{{MemoryLevel::l1, "l1"},
                                                                                   {MemoryLevel::l2, "l2"},
                                                                                   {MemoryLevel::l3, "l3"},
                                                                                   {MemoryLevel::dram, "dram"},
                                                                                   {MemoryLevel::pinned, "pinned"},
                                                                                   {MemoryLevel::pageable, "pageable"},
                                                                                   {MemoryLevel::ce, "ce"},
                                                                                   {MemoryLevel::sm, "sm"}}};
};
template <>
struct EnumNames<ComputeUnit> {
  static constexpr std::array<std::pair<ComputeUnit, std::string_view>, 2> values{
      {{ComputeUnit::fma, "fma"}, {ComputeUnit::mma, "mma"}}};
};
template <>
struct EnumNames<LatencyKind> {
  static constexpr std::array<std::pair<LatencyKind, std::string_view>, 2> values{
      {{LatencyKind::kernel_launch, "kernel_launch"}, {LatencyKind::graph_launch, "graph_launch"}}};
};
template <>
struct EnumNames<DiskKind> {
  static constexpr std::array<std::pair<DiskKind, std::string_view>, 3> values{
      {{DiskKind::sequential_write, "sequential_write"},
       {DiskKind::sequential_read, "sequential_read"},
       {DiskKind::disk_to_device, "disk_to_device"}}};
};
template <>
struct EnumNames<NetworkKind> {
  static constexpr std::array<std::pair<NetworkKind, std::string_view>, 2> values{
      {{NetworkKind::connect, "connect"}, {NetworkKind::download, "download"}}};
};
template <>
struct EnumNames<CollectiveKind> {
  static constexpr std::array<std::pair<CollectiveKind, std::string_view>, 4> values{
      {{CollectiveKind::all_reduce, "all_reduce"},
       {CollectiveKind::all_gather, "all_gather"},
       {CollectiveKind::reduce_scatter, "reduce_scatter"},
       {CollectiveKind::all_to_all, "all_to_all"}}};
};
template <>
struct EnumNames<CollectiveMode> {
  static constexpr std::array<std::pair<CollectiveMode, std::string_view>, 3> values{
      {{CollectiveMode::bandwidth, "bandwidth"}, {CollectiveMode::plain, "plain"}, {CollectiveMode::graph, "graph"}}};
};
template <>
struct EnumNames<Workload> {
  static constexpr std::array<std::pair<Workload, std::string_view>, 8> values{{{Workload::gemm, "gemm"},
                                                                                {Workload::conv, "conv"},
                                                                                {Workload::bandwidth, "bandwidth"},
                                                                                {Workload::compute, "compute"},
                                                                                {Workload::collective, "collective"},
                                                                                {Workload::latency, "latency"},
                                                                                {Workload::disk, "disk"},
                                                                                {Workload::network, "network"}}};
};
template <>
struct EnumNames<Regime> {
  static constexpr std::array<std::pair<Regime, std::string_view>, 2> values{
      {{Regime::burst, "burst"}, {Regime::sustained, "sustained"}}};
};
template <>
struct EnumNames<Profile> {
  static constexpr std::array<std::pair<Profile, std::string_view>, 3> values{
      {{Profile::quick, "quick"}, {Profile::standard, "standard"}, {Profile::full, "full"}}};
};
template <>
struct EnumNames<CaseStatus> {
  static constexpr std::array<std::pair<CaseStatus, std::string_view>, 4> values{
      {{CaseStatus::ok, "ok"},
       {CaseStatus::skipped, "skipped"},
       {CaseStatus::failed, "failed"},
       {CaseStatus::wrong_result, "wrong_result"}}};
};
template <>
struct EnumNames<StopReason> {
  static constexpr std::array<std::pair<StopReason, std::string_view>, 4> values{
      {{StopReason::noise_reached, "noise_reached"},
       {StopReason::noise_stable, "noise_stable"},
       {StopReason::time_limit, "time_limit"},
       {StopReason::sample_limit, "sample_limit"}}};
};
template <>
struct EnumNames<DeviceKind> {
  static constexpr std::array<std::pair<DeviceKind, std::string_view>, 2> values{
      {{DeviceKind::cuda, "cuda"}, {DeviceKind::cpu, "cpu"}}};
};
template <>
struct EnumNames<PcieAncestor> {
  static constexpr std::array<std::pair<PcieAncestor, std::string_view>, 6> values{
      {{PcieAncestor::internal, "internal"},
       {PcieAncestor::single_switch, "single_switch"},
       {PcieAncestor::multiple_switches, "multiple_switches"},
       {PcieAncestor::host_bridge, "host_bridge"},
       {PcieAncestor::node, "node"},
       {PcieAncestor::system, "system"}}};
};
template <>
struct EnumNames<PeerAccess> {
  static constexpr std::array<std::pair<PeerAccess, std::string_view>, 6> values{
      {{PeerAccess::ok, "ok"},
       {PeerAccess::chipset_not_supported, "chipset_not_supported"},
       {PeerAccess::gpu_not_supported, "gpu_not_supported"},
       {PeerAccess::topology_not_supported, "topology_not_supported"},
       {PeerAccess::disabled_by_regkey, "disabled_by_regkey"},
       {PeerAccess::not_supported, "not_supported"}}};
};
template <>
struct EnumNames<WorkloadClass> {
  static constexpr std::array<std::pair<WorkloadClass, std::string_view>, 3> values{
      {{WorkloadClass::train, "train"}, {WorkloadClass::prefill, "prefill"}, {WorkloadClass::decode, "decode"}}};
};
template <>
struct EnumNames<RunStatus> {
  static constexpr std::array<std::pair<RunStatus, std::string_view>, 3> values{
      {{RunStatus::complete, "complete"}, {RunStatus::partial, "partial"}, {RunStatus::failed, "failed"}}};
};
template <>
struct EnumNames<Trigger> {
  static constexpr std::array<std::pair<Trigger, std::string_view>, 4> values{{{Trigger::user, "user"},
                                                                               {Trigger::boot, "boot"},
                                                                               {Trigger::health, "health"},
                                                                               {Trigger::scheduled, "scheduled"}}};
};

/// Name of `value`; every enumerator has one.
template <class E>
constexpr std::string_view to_name(E value) {
  for (const auto& [candidate, name] : EnumNames<E>::values) {
    if (candidate == value) return name;
  }
  return "?";
}

/// The enumerator called `name`, empty when there is none.
template <class E>
constexpr std::optional<E> from_name(std::string_view name) {
  for (const auto& [value, candidate] : EnumNames<E>::values) {
    if (candidate == name) return value;
  }
  return std::nullopt;
}

}  // namespace gpuassay
