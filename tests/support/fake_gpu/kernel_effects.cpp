#include "tests/support/fake_gpu/kernel_effects.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "kernels/arguments.h"
#include "kernels/fma_recurrence.h"
#include "tests/support/fake_gpu/compute_results.h"
#include "tests/support/fake_gpu/floor_effects.h"
#include "tests/support/fake_gpu/word_sums.h"

namespace gpuassay::fake {
namespace {

using kernels::ElementFormat;

template <class Arguments>
Arguments arguments_of(const Launch& launch) {
  Arguments arguments{};
  std::memcpy(&arguments, launch.arguments, sizeof(arguments));
  return arguments;
}

void require_aligned(std::uint64_t address, std::uint64_t alignment) {
  if (address % alignment != 0) throw Failure{cuda::kMisalignedAddress};
}

/// Whether arrays of that many bytes stay in L2 from one pass to the next.
bool fits_l2(const Device& device, double bytes) {
  return bytes <= 0.7 * static_cast<double>(device.profile().l2_bytes);
}

Operation moving(double bytes_per_pass, double passes, double share_of_bandwidth = 1) {
  Operation operation;
  operation.duration_ns = [=](Device& device) {
    Work work;
    work.bytes = bytes_per_pass * passes / share_of_bandwidth;
    work.in_l2 = fits_l2(device, bytes_per_pass);
    return device.duration_ns(work);
  };
  return operation;
}

/// to[i] = function of first[i] and second[i], as STREAM's kernels do.
class StreamResult final : public ElementRecipe {
 public:
  enum class Kind { mul, add, triad };
  StreamResult(Kind kind, Elements first, Elements second, double scalar)
      : ElementRecipe(8), kind_(kind), first_(std::move(first)), second_(std::move(second)), scalar_(scalar) {}
  [[nodiscard]] std::uint64_t element(std::uint64_t index) const override {
    return kernels::bits_of_double(value(index));
  }
  [[nodiscard]] int depth() const override { return std::max(first_.depth(), second_.depth()) + 1; }

 private:
  [[nodiscard]] double value(std::uint64_t index) const {
    if (kind_ == Kind::mul) return scalar_ * first_.at(index);
    if (kind_ == Kind::add) return first_.at(index) + second_.at(index);
    const double product = scalar_ * second_.at(index);
    return first_.at(index) + product;
  }

  Kind kind_;
  Elements first_, second_;
  double scalar_;
};

/// Reading recurses once per recipe: a chain of operations on operations must end somewhere.
constexpr int kDeepest = 2000;

void stream_effect(Machine& machine, const std::string& name, const kernels::StreamArguments& arguments) {
  const std::uint64_t bytes = arguments.count * sizeof(double);
  for (const std::uint64_t address : {arguments.a, arguments.b, arguments.c}) require_aligned(address, 16);
  const auto read = [&](std::uint64_t address) { return Elements(machine.view(address, bytes), ElementFormat::fp64); };
  if (name == kernels::kStreamCopy) return machine.write(arguments.c, machine.view(arguments.a, bytes));
  std::shared_ptr<const StreamResult> result;
  std::uint64_t to = arguments.b;
  if (name == kernels::kStreamMul) {
    result = std::make_shared<StreamResult>(StreamResult::Kind::mul, read(arguments.c), Elements(), arguments.scalar);
  } else if (name == kernels::kStreamAdd) {
    result =
        std::make_shared<StreamResult>(StreamResult::Kind::add, read(arguments.a), read(arguments.b), arguments.scalar);
    to = arguments.c;
  } else {
    result = std::make_shared<StreamResult>(StreamResult::Kind::triad, read(arguments.b), read(arguments.c),
                                            arguments.scalar);
    to = arguments.a;
  }
  if (result->depth() > kDeepest) throw Failure{cuda::kNotSupported};
  machine.write(to, bytes, with_faults(machine, machine.current(), "stream", result, ElementFormat::fp64));
}

Operation stream(Machine& machine, const std::string& name, const Launch& launch) {
  const auto arguments = arguments_of<kernels::StreamArguments>(launch);
  const double arrays = name == kernels::kStreamCopy || name == kernels::kStreamMul ? 2 : 3;
  Operation operation = moving(static_cast<double>(arguments.count) * sizeof(double) * arrays, 1);
  operation.kind = "stream";
  const int here = machine.current().ordinal();
  for (const std::uint64_t address : {arguments.a, arguments.c}) {
    const int there = name == kernels::kStreamCopy ? machine.device_of(address) : here;
    if (there == here) continue;
    const double bytes = static_cast<double>(arguments.count) * sizeof(double);
    operation.duration_ns = [&machine, bytes, here, there](Device&) { return machine.peer_ns(bytes, here, there); };
  }
  operation.effect = [&machine, name, arguments] { stream_effect(machine, name, arguments); };
  return operation;
}

Operation read(Machine& machine, const std::string& /*name*/, const Launch& launch) {
  const auto arguments = arguments_of<kernels::ReadArguments>(launch);
  Operation operation = moving(static_cast<double>(arguments.size_bytes), arguments.passes);
  operation.kind = "stream";
  operation.effect = [&machine, arguments, grid = launch.grid] {
    require_aligned(arguments.source, 16);
    require_aligned(arguments.block_sums, 8);
    const View view = machine.view(arguments.source, arguments.size_bytes);
    auto sums = std::make_shared<BlockSums>(
        [view](std::uint64_t begin, std::uint64_t end) { return sum_of_words(view, begin, end); }, arguments.size_bytes,
        grid, arguments.passes);
    machine.write(arguments.block_sums, std::uint64_t{grid} * 8,
                  with_faults(machine, machine.current(), "stream", sums, ElementFormat::fp64));
  };
  return operation;
}

Operation write(Machine& machine, const std::string& /*name*/, const Launch& launch) {
  const auto arguments = arguments_of<kernels::WriteArguments>(launch);
  Operation operation = moving(static_cast<double>(arguments.size_bytes), 1);
  operation.kind = "stream";
  operation.effect = [&machine, arguments] {
    require_aligned(arguments.destination, 16);
    const auto words = std::make_shared<CountingWords>(arguments.first_word);
    machine.write(arguments.destination, arguments.size_bytes,
                  with_faults(machine, machine.current(), "stream", words, ElementFormat::fp64));
  };
  return operation;
}

/// Sum of the words of bytes begin to end of the array that the table's blocks make up.
std::uint64_t gathered_sum(const View& pool, const View& table, unsigned log2, std::uint64_t begin, std::uint64_t end) {
  std::uint64_t sum = 0;
  const std::uint64_t block_bytes = std::uint64_t{1} << log2;
  while (begin < end) {
    const std::uint64_t entry = begin >> log2;
    const std::uint64_t stop = std::min(end, (entry + 1) << log2);
    const std::uint64_t base = std::uint64_t{table.value<std::uint32_t>(entry * 4)} << log2;
    sum += sum_of_words(pool, base + begin % block_bytes, base + begin % block_bytes + (stop - begin));
    begin = stop;
  }
  return sum;
}

Operation gather(Machine& machine, const std::string& /*name*/, const Launch& launch) {
  const auto arguments = arguments_of<kernels::GatherArguments>(launch);
  const std::uint64_t bytes = arguments.entries << arguments.block_bytes_log2;
  constexpr double kScattered = 0.85;
  Operation operation = moving(static_cast<double>(bytes), 1, kScattered);
  operation.kind = "stream";
  operation.effect = [&machine, arguments, bytes, grid = launch.grid] {
    require_aligned(arguments.pool, 16);
    const View table = machine.view(arguments.table, arguments.entries * 4);
    std::uint64_t blocks = 0;
    for (std::uint64_t i = 0; i < arguments.entries; ++i) {
      blocks = std::max<std::uint64_t>(blocks, std::uint64_t{table.value<std::uint32_t>(i * 4)} + 1);
    }
    const View pool = machine.view(arguments.pool, blocks << arguments.block_bytes_log2);
    const unsigned log2 = arguments.block_bytes_log2;
    auto sums = std::make_shared<BlockSums>(
        [=](std::uint64_t begin, std::uint64_t end) { return gathered_sum(pool, table, log2, begin, end); }, bytes,
        grid, 1);
    machine.write(arguments.block_sums, std::uint64_t{grid} * 8,
                  with_faults(machine, machine.current(), "stream", sums, ElementFormat::fp64));
  };
  return operation;
}

Operation fill(Machine& machine, const std::string& /*name*/, const Launch& launch) {
  const auto arguments = arguments_of<kernels::FillArguments>(launch);
  const auto format = static_cast<ElementFormat>(arguments.format);
  const std::uint64_t bytes = arguments.count * kernels::bits_of(format) / 8;
  Operation operation = moving(static_cast<double>(bytes), 1);
  operation.effect = [&machine, arguments, format, bytes] {
    require_aligned(arguments.destination, 16);
    machine.write(arguments.destination, bytes, std::make_shared<Fill>(format, arguments.seed, arguments.first_index));
  };
  return operation;
}

Operation fill_constant(Machine& machine, const std::string& /*name*/, const Launch& launch) {
  const auto arguments = arguments_of<kernels::FillConstantArguments>(launch);
  Operation operation = moving(static_cast<double>(arguments.size_bytes), 1);
  operation.effect = [&machine, arguments] {
    require_aligned(arguments.destination, 4);
    machine.write(arguments.destination, arguments.size_bytes / 4 * 4, std::make_shared<Constant>(arguments.pattern));
  };
  return operation;
}

void sample_effect(Machine& machine, const kernels::SampleArguments& arguments) {
  const std::uint64_t size = arguments.element_bytes;
  if (size != 1 && size != 2 && size != 4 && size != 8) return;
  require_aligned(arguments.source, size);
  require_aligned(arguments.destination, size);
  require_aligned(arguments.positions, 8);
  const View positions = machine.view(arguments.positions, arguments.count * 8);
  std::vector<std::byte> gathered(arguments.count * size);
  for (std::uint64_t i = 0; i < arguments.count; ++i) {
    const std::uint64_t at = positions.value<std::uint64_t>(i * 8);
    if (at > UINT64_MAX / 16) throw Failure{cuda::kIllegalAddress};
    machine.view(arguments.source + at * size, size).read(0, std::span(gathered).subspan(i * size, size));
  }
  machine.write(arguments.destination, gathered.size(), std::make_shared<HostBytes>(gathered));
}

Operation sample(Machine& machine, const std::string& /*name*/, const Launch& launch) {
  const auto arguments = arguments_of<kernels::SampleArguments>(launch);
  Operation operation = moving(static_cast<double>(arguments.count) * 32, 1);
  operation.effect = [&machine, arguments] { sample_effect(machine, arguments); };
  return operation;
}

Operation gate(Machine& machine, const std::string& /*name*/, const Launch& launch) {
  const auto arguments = arguments_of<kernels::GateArguments>(launch);
  Operation operation;
  // Only mapped host memory: nothing else changes while the kernel waits.
  const Range flag = machine.range(arguments.flag, 4);
  if (flag.host == nullptr) throw Failure{cuda::kIllegalAddress};
  const double cycles_ns = static_cast<double>(arguments.timeout_cycles) / machine.current().profile().boost_mhz * 1e3;
  operation.gate = Gate{reinterpret_cast<const volatile std::uint32_t*>(flag.host),
                        std::min(static_cast<double>(arguments.timeout_ns), cycles_ns)};
  operation.passed = [&machine, arguments](bool opened) {
    const auto outcome = opened ? kernels::GateOutcome::opened : kernels::GateOutcome::timed_out;
    machine.write(arguments.outcome, 4, std::make_shared<Constant>(static_cast<std::uint32_t>(outcome)));
  };
  return operation;
}

Operation clock(Machine& machine, const std::string& /*name*/, const Launch& launch) {
  const auto arguments = arguments_of<kernels::ClockArguments>(launch);
  Device& device = machine.current();
  const auto stamps = std::min({static_cast<unsigned>(device.profile().sm_count), launch.grid, arguments.limit});
  Operation operation = moving(0, 1);
  operation.effect = [&machine, arguments, stamps] {
    require_aligned(arguments.stamps, 16);
    machine.range(arguments.stamps, stamps * sizeof(kernels::ClockStamp));
  };
  // Cycles are counted from the stamp before: the clock may have changed since.
  operation.completed = [&machine, &device, arguments, stamps](double start_ns, double /*end_ns*/) {
    const kernels::ClockStamp stamp{device.cycles_at(start_ns), static_cast<std::uint64_t>(start_ns)};
    const std::vector<kernels::ClockStamp> all(stamps, stamp);
    machine.write(arguments.stamps, all.size() * sizeof(stamp),
                  std::make_shared<HostBytes>(std::as_bytes(std::span(all))));
  };
  return operation;
}

Operation empty(Machine& /*machine*/, const std::string& /*name*/, const Launch& /*launch*/) { return moving(0, 1); }

/// Arithmetic: fewer blocks than multiprocessors leave some idle.
Operation computing(const Launch& launch, Precision precision, double operations) {
  Operation operation;
  operation.kind = "compute";
  operation.duration_ns = [=, grid = launch.grid](Device& device) {
    constexpr double kReached = 0.97;
    const double busy = std::min(1.0, static_cast<double>(grid) / device.profile().sm_count);
    Work work;
    work.precision = precision;
    work.operations = operations;
    work.efficiency = kReached * busy;
    return device.duration_ns(work);
  };
  return operation;
}

void write_results(Machine& machine, std::uint64_t address, std::uint64_t count,
                   const std::shared_ptr<const ElementRecipe>& results) {
  require_aligned(address, 8);
  machine.write(address, count * 8, with_faults(machine, machine.current(), "compute", results, ElementFormat::fp64));
}

struct FmaKernel {
  std::string_view name;
  FmaKind kind;
  Precision precision;
  std::uint32_t operations_per_instruction;
};
constexpr std::array<FmaKernel, 5> kFmaKernels{{{"gpuassay_fma_fp32", FmaKind::fp32, Precision::fp32, 2},
                                                {"gpuassay_fma_fp64", FmaKind::fp64, Precision::fp64_fma, 2},
                                                {"gpuassay_fma_fp16", FmaKind::fp16, Precision::fp16_fma, 4},
                                                {"gpuassay_fma_bf16", FmaKind::bf16, Precision::bf16_fma, 4},
                                                {"gpuassay_fma_int8", FmaKind::int8, Precision::dp4a, 8}}};

Operation fma(Machine& machine, const FmaKernel& kernel, const Launch& launch) {
  const auto arguments = arguments_of<kernels::ComputeArguments>(launch);
  const std::uint64_t threads = std::uint64_t{launch.grid} * launch.block;
  const auto per_thread =
      static_cast<double>(kernels::fma_operations(kernel.operations_per_instruction)) * arguments.iterations;
  Operation operation = computing(launch, kernel.precision, per_thread * static_cast<double>(threads));
  operation.effect = [&machine, arguments, threads, kind = kernel.kind] {
    write_results(machine, arguments.results, threads, fma_results(kind, arguments.seed, arguments.iterations));
  };
  return operation;
}

Operation mma(Machine& machine, const MmaKernel& kernel, const Launch& launch) {
  const auto arguments = arguments_of<kernels::ComputeArguments>(launch);
  const std::uint64_t warps = std::uint64_t{launch.grid} * launch.block / 32;
  const double per_warp = static_cast<double>(kernels::mma_operations(kernel.shape)) * kernels::kMmaSteps *
                          kernels::kMmaChains * arguments.iterations;
  Operation operation = computing(launch, kernel.precision, per_warp * static_cast<double>(warps));
  const std::uint64_t count = warps * kernel.shape.m * kernel.shape.n * kernel.shape.groups;
  operation.effect = [&machine, arguments, count, shape = kernel.shape] {
    write_results(machine, arguments.results, count, mma_results(shape, arguments.seed, arguments.iterations));
  };
  return operation;
}

using Model = Operation (*)(Machine&, const std::string&, const Launch&);
struct BaseKernel {
  std::string_view name;
  Model model;
};
constexpr std::array<BaseKernel, 13> kBaseKernels{{{kernels::kStreamCopy, stream},
                                                   {kernels::kStreamMul, stream},
                                                   {kernels::kStreamAdd, stream},
                                                   {kernels::kStreamTriad, stream},
                                                   {kernels::kRead, read},
                                                   {kernels::kWrite, write},
                                                   {kernels::kGather, gather},
                                                   {kernels::kFill, fill},
                                                   {kernels::kFillConstant, fill_constant},
                                                   {kernels::kSample, sample},
                                                   {kernels::kGate, gate},
                                                   {kernels::kClock, clock},
                                                   {kernels::kEmpty, empty}}};

const BaseKernel* base_kernel(const std::string& name) {
  for (const BaseKernel& kernel : kBaseKernels) {
    if (kernel.name == name) return &kernel;
  }
  return nullptr;
}

const FmaKernel* fma_kernel(const std::string& name) {
  for (const FmaKernel& kernel : kFmaKernels) {
    if (kernel.name == name) return &kernel;
  }
  return nullptr;
}

}  // namespace

bool is_known_kernel(const std::string& name) {
  return base_kernel(name) != nullptr || is_floor_kernel(name) || fma_kernel(name) != nullptr ||
         mma_kernel(name, 80).has_value();
}

unsigned block_limit(const std::string& name) {
  constexpr unsigned kOfAnyKernel = 1024;
  if (name == kernels::kGate || name == kernels::kClock) return 1;
  return name == kernels::kEmpty ? kOfAnyKernel : kernels::kBlockThreads;
}

Operation operation_of(Machine& machine, const std::string& name, const Launch& launch) {
  if (const BaseKernel* kernel = base_kernel(name)) return kernel->model(machine, name, launch);
  if (is_floor_kernel(name)) return floor_operation(machine, name, launch);
  if (const FmaKernel* kernel = fma_kernel(name)) return fma(machine, *kernel, launch);
  if (const auto kernel = mma_kernel(name, launch.target)) return mma(machine, *kernel, launch);
  throw Failure{cuda::kNotFound};
}

}  // namespace gpuassay::fake
