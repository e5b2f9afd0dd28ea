// How fast could this GPU be? Dense peaks per numeric format and memory bandwidth, from its datasheet or, for an
// unknown card, from its architecture's rates per multiprocessor. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/gpu_names.h"
#include "core/model.h"

namespace gpuassay {

/// Operations per clock and multiprocessor of one compute capability, a multiply-add counting 2; 0 where the
/// hardware has no such unit. Sources: CUDA C++ Programming Guide, "Throughput of native arithmetic instructions"
/// (lanes per clock, times 2), and NVIDIA's architecture white papers (tensor cores, full-rate boards).
struct SmRates {
  std::string_view compute_capability;
  int fp64, fp32, fp16, bf16, int8_dp4a;      ///< multiply-add lanes
  int fp64_tensor, fp16_tensor, int8_tensor;  ///< fp16 accumulating in fp32; tf32 is half of it, bf16 equal
  int fp8_tensor, fp4_tensor;                 ///< accumulating in fp32; fp4 block-scaled
};

/// The rates of a compute capability such as "7.0"; null where the table has none.
const SmRates* sm_rates(std::string_view compute_capability);

/// True for the boards whose tensor cores accumulate in fp32 at half rate: GeForce, from Turing on.
bool has_half_rate_fp32_accumulate(std::string_view name, std::string_view compute_capability);

/// Numeric formats in which GEMM (and, where cuDNN has it, convolution) can be measured on a compute capability, in the
/// order of docs: fp32 and fp64 everywhere; fp16 from 5.0 (before 5.3 in fp32 arithmetic); fp16_acc16 where the lanes
/// have fp16 at a useful rate (5.3, 6.0, 6.2, 7.0 on); int8 on 6.1 and from 7.0; tf32 and bf16 from 8.0; fp8_e4m3
/// from 8.9; fp4 from 10.0. Empty for text that is no compute capability. An unknown newer one has what the newest
/// known has.
std::vector<DType> dtypes_of(std::string_view compute_capability);

/// 74 for "7.4": comparable compute capabilities; empty for anything else.
std::optional<int> capability_number(std::string_view compute_capability);

/// Peaks of a card of the table. Lanes: its published fp32 figure (else multiprocessors * boost clock * rate), the
/// other formats in proportion to SmRates. Tensor cores: published figures, those not published in proportion to the
/// card's own fp16; none without it. fp16 without tensor cores is computed in fp32 (its peak is that of fp32), fp64
/// with them is the tensor rate.
TheoreticalPeak theoretical_peak(const GpuSpec& spec);

/// The highest clock of its multiprocessors: as the driver tells it, else as advertised, else the one that its fp32
/// peak follows from. Empty where the table has none of them.
std::optional<double> highest_sm_clock_mhz(const GpuSpec& spec);

/// What the driver says about a card that is not in the table.
struct GpuFacts {
  std::string_view name;
  std::string_view compute_capability;
  int sm_count = 0;
  std::optional<double> max_sm_clock_mhz, max_memory_clock_mhz, memory_bus_bits;
};

/// Peaks of an unknown card: multiprocessors * highest SM clock * SmRates, and 2 * memory clock * bus width / 8 (two
/// transfers per clock as NVML counts memory clocks). Empty parts where a fact is missing. Boards that never reach
/// their highest clock under load have a peak that is too high by that share.
TheoreticalPeak derived_peak(const GpuFacts& facts);

/// model, variant, mig, vgpu and theoretical of a CUDA device, from its name, memory, multiprocessors, compute
/// capability and limits, with one entry per field that stays null (paths below /devices/N). `memory_bus_bits` and
/// `pci_device_id` come from the driver where it tells them. A MIG slice has its share of multiprocessors and memory.
std::vector<Unknown> describe_gpu(Device& device, const std::optional<std::string>& pci_device_id,
                                  std::optional<double> memory_bus_bits);

}  // namespace gpuassay
