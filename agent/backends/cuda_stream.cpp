// Device memory and L2 through our own kernels: STREAM's four, reading alone, writing alone, and gathering blocks.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "agent/backends/cuda_operation.h"
#include "agent/backends/cuda_tensor.h"
#include "agent/workloads/output_check.h"
#include "agent/workloads/stream_reference.h"
#include "agent/workloads/tile_sums.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {
namespace {

using kernels::ElementFormat;

constexpr std::int64_t kWordBytes = 8;
/// 16 tokens of 128 half-precision numbers: a block of one head in a paged key-value cache (16 is vLLM's default).
constexpr unsigned kGatherBlockLog2 = 12;

std::int64_t tiles_of(std::int64_t size_bytes) { return blocks_for(size_bytes, kernels::kTileBytes); }

/// Words are right or wrong; how far apart the bits are says nothing.
void compare_words(OutputCheck& check, std::uint64_t got, std::uint64_t want) {
  check.compare(got == want ? 0 : 1, ReferenceValue{});
}

Verification with_method(OutputCheck& check, const char* method) {
  Verification verification = check.result();
  verification.method = method;
  return verification;
}

constexpr OutputRule kExact{0, 0, true};

/// copy, mul, add, triad on arrays of doubles.
class CudaStreamKernel final : public CudaOperation {
 public:
  CudaStreamKernel(std::shared_ptr<CudaContext> shared, const BandwidthParams& params)
      : CudaOperation(std::move(shared)), params_(params), count_(params.array_bytes / 16 * 2) {
    for (CudaTensor& array : arrays_) array = filled_tensor(context(), ElementFormat::fp64, count_);
    poison();
  }

  Verification verify() override {
    OutputCheck check(kExact);
    const std::vector<std::int64_t> positions = sampled_positions(count_, {0, count_ - 1});
    const std::vector<std::uint64_t> bits = context().sample(arrays_[output()].buffer, kWordBytes, positions);
    for (std::size_t i = 0; i < positions.size(); ++i) {
      const auto position = static_cast<std::size_t>(positions[i]);
      compare_words(check, bits[i], kernels::bits_of_double(expected(position)));
    }
    poison();
    return with_method(check, "exact_recomputation");
  }

 protected:
  void enqueue() override {
    kernels::StreamArguments arguments{};
    arguments.a = arrays_[0].buffer.address();
    arguments.b = arrays_[1].buffer.address();
    arguments.c = arrays_[2].buffer.address();
    arguments.count = static_cast<std::uint64_t>(count_);
    arguments.scalar = scalar_ = stream_scalar(++runs_);
    context().launch(kernel_name(), blocks_for(count_ * kWordBytes, kernels::kStreamTileBytes), arguments);
  }

 private:
  [[nodiscard]] const char* kernel_name() const {
    switch (params_.kernel) {
      case BandwidthKernel::copy: return kernels::kStreamCopy;
      case BandwidthKernel::mul: return kernels::kStreamMul;
      case BandwidthKernel::add: return kernels::kStreamAdd;
      default: return kernels::kStreamTriad;
    }
  }
  /// Which of a, b, c is written.
  [[nodiscard]] std::size_t output() const {
    if (params_.kernel == BandwidthKernel::triad) return 0;
    return params_.kernel == BandwidthKernel::mul ? 1 : 2;
  }
  [[nodiscard]] double expected(std::size_t position) const {
    const auto value = [&](std::size_t array) { return arrays_[array].generated({})[position]; };
    switch (params_.kernel) {
      case BandwidthKernel::copy: return value(0);
      case BandwidthKernel::mul: return scalar_ * value(2);
      case BandwidthKernel::add: return value(0) + value(1);
      default: break;
    }
    // Rounded twice, as the kernel does; volatile keeps the compiler from fusing.
    const volatile double product = scalar_ * value(2);
    return value(1) + product;
  }
  void poison() { context().fill_words(arrays_[output()].buffer, kPoison); }

  BandwidthParams params_;
  std::int64_t count_;
  CudaTensor arrays_[3];
  double scalar_ = 0;
  std::uint64_t runs_ = 0;
};

/// Block sums of a grid, for the kernels that read.
class BlockSums {
 public:
  BlockSums(CudaContext& context, std::int64_t blocks)
      : context_(context), blocks_(blocks), buffer_(context.allocate(static_cast<std::size_t>(blocks * kWordBytes))) {
    poison();
  }
  [[nodiscard]] cuda::DevicePointer address() const { return buffer_.address(); }
  [[nodiscard]] std::int64_t blocks() const { return blocks_; }

  Verification verify(TileSums& expected, std::int64_t passes) {
    OutputCheck check(kExact);
    const std::vector<std::int64_t> sampled = sampled_positions(blocks_, {0, blocks_ - 1});
    const std::vector<std::uint64_t> bits = context_.sample(buffer_, kWordBytes, sampled);
    for (std::size_t i = 0; i < sampled.size(); ++i) {
      compare_words(check, bits[i], expected.block_sum(sampled[i], passes));
    }
    poison();
    return with_method(check, "exact_recomputation");
  }

 private:
  void poison() { context_.fill_words(buffer_, kPoison); }
  CudaContext& context_;
  std::int64_t blocks_;
  DeviceBuffer buffer_;
};

/// Reads an array; several passes are one launch, so that a small array shows L2 and not the launching.
class Read final : public CudaOperation {
 public:
  Read(std::shared_ptr<CudaContext> shared, const BandwidthParams& params)
      : CudaOperation(std::move(shared)),
        in_cache_(params.level != MemoryLevel::dram),
        words_(params.array_bytes / 16 * 2),
        source_(filled_tensor(context(), ElementFormat::fp64, words_)),
        sums_(context(), tiles_of(words_ * kWordBytes)) {}

  std::int64_t run_timed_ns(std::int64_t iterations) override {
    passes_ = in_cache_ ? iterations : 1;
    return CudaOperation::run_timed_ns(in_cache_ ? 1 : iterations);
  }

  Verification verify() override {
    const std::uint64_t seed = source_.seed;
    TileSums expected(words_, sums_.blocks(),
                      [seed](std::uint64_t index) { return kernels::element_bits(ElementFormat::fp64, seed, index); });
    return sums_.verify(expected, passes_);
  }

 protected:
  void enqueue() override {
    kernels::ReadArguments arguments{};
    arguments.source = source_.buffer.address();
    arguments.size_bytes = static_cast<std::uint64_t>(words_ * kWordBytes);
    arguments.block_sums = sums_.address();
    arguments.passes = static_cast<std::uint32_t>(passes_);
    context().launch(kernels::kRead, sums_.blocks(), arguments);
  }

 private:
  bool in_cache_;
  std::int64_t words_;
  CudaTensor source_;
  BlockSums sums_;
  std::int64_t passes_ = 1;
};

class Write final : public CudaOperation {
 public:
  Write(std::shared_ptr<CudaContext> shared, const BandwidthParams& params)
      : CudaOperation(std::move(shared)),
        words_(params.array_bytes / 16 * 2),
        target_(context().allocate(static_cast<std::size_t>(words_ * kWordBytes))) {
    context().fill_words(target_, kPoison);
  }

  Verification verify() override {
    OutputCheck check(kExact);
    const std::vector<std::int64_t> positions = sampled_positions(words_, {0, words_ - 1});
    const std::vector<std::uint64_t> bits = context().sample(target_, kWordBytes, positions);
    for (std::size_t i = 0; i < positions.size(); ++i) {
      compare_words(check, bits[i], first_word_ + static_cast<std::uint64_t>(positions[i]));
    }
    context().fill_words(target_, kPoison);
    return with_method(check, "exact_recomputation");
  }

 protected:
  void enqueue() override {
    kernels::WriteArguments arguments{};
    arguments.destination = target_.address();
    arguments.size_bytes = static_cast<std::uint64_t>(words_ * kWordBytes);
    arguments.first_word = ++first_word_;
    context().launch(kernels::kWrite, tiles_of(words_ * kWordBytes), arguments);
  }

 private:
  std::int64_t words_;
  DeviceBuffer target_;
  std::uint64_t first_word_ = 0;
};

/// Reads every block of a pool once, in an order without pattern.
class Gather final : public CudaOperation {
 public:
  Gather(std::shared_ptr<CudaContext> shared, const BandwidthParams& params)
      : CudaOperation(std::move(shared)),
        table_(shuffled(params.array_bytes >> kGatherBlockLog2)),
        pool_(filled_tensor(context(), ElementFormat::fp64, words())),
        device_table_(context().allocate(table_.size() * sizeof(std::uint32_t))),
        sums_(context(), tiles_of(words() * kWordBytes)) {
    context().write(device_table_, table_.data(), device_table_.size_bytes());
  }

  Verification verify() override {
    constexpr std::uint64_t kBlockWords = (std::uint64_t{1} << kGatherBlockLog2) / kWordBytes;
    TileSums expected(words(), sums_.blocks(), [this](std::uint64_t index) {
      const std::uint64_t block = table_[index / kBlockWords];
      return kernels::element_bits(ElementFormat::fp64, pool_.seed, block * kBlockWords + index % kBlockWords);
    });
    return sums_.verify(expected, 1);
  }

 protected:
  void enqueue() override {
    kernels::GatherArguments arguments{};
    arguments.pool = pool_.buffer.address();
    arguments.table = device_table_.address();
    arguments.block_sums = sums_.address();
    arguments.entries = table_.size();
    arguments.block_bytes_log2 = kGatherBlockLog2;
    context().launch(kernels::kGather, sums_.blocks(), arguments);
  }

 private:
  /// A permutation of 0..count-1 (Fisher-Yates), the same in every run.
  static std::vector<std::uint32_t> shuffled(std::int64_t count) {
    std::vector<std::uint32_t> table(static_cast<std::size_t>(std::max<std::int64_t>(1, count)));
    std::iota(table.begin(), table.end(), 0U);
    for (std::size_t i = table.size(); i-- > 1;) std::swap(table[i], table[kernels::hash(table.size(), i) % (i + 1)]);
    return table;
  }
  [[nodiscard]] std::int64_t words() const {
    return (static_cast<std::int64_t>(table_.size()) << kGatherBlockLog2) / kWordBytes;
  }

  std::vector<std::uint32_t> table_;
  CudaTensor pool_;
  DeviceBuffer device_table_;
  BlockSums sums_;
};

}  // namespace

std::unique_ptr<Operation> prepare_cuda_stream(std::shared_ptr<CudaContext> context, const BandwidthParams& params) {
  switch (params.kernel) {
    case BandwidthKernel::copy:
    case BandwidthKernel::mul:
    case BandwidthKernel::add:
    case BandwidthKernel::triad: return std::make_unique<CudaStreamKernel>(std::move(context), params);
    case BandwidthKernel::read: return std::make_unique<Read>(std::move(context), params);
    case BandwidthKernel::write: return std::make_unique<Write>(std::move(context), params);
    case BandwidthKernel::gather: return std::make_unique<Gather>(std::move(context), params);
    case BandwidthKernel::readback: return prepare_cuda_readback(std::move(context), params);
    default: break;
  }
  throw Error(ErrorCode::internal, fmt::format("{} is not a kernel", to_name(params.kernel)));
}

}  // namespace gpuassay
