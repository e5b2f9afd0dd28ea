#include "tests/support/fake_gpu/convolution.h"

#include <algorithm>

namespace gpuassay::fake {

using kernels::ElementFormat;

std::uint64_t Tensor4::index(int in, int ic, int ih, int iw) const {
  const auto size = [](int value) { return static_cast<std::uint64_t>(value); };
  if (channels_last) return ((size(in) * size(h) + size(ih)) * size(w) + size(iw)) * size(c) + size(ic);
  return ((size(in) * size(c) + size(ic)) * size(h) + size(ih)) * size(w) + size(iw);
}

std::uint64_t Tensor4::count() const {
  return static_cast<std::uint64_t>(n) * static_cast<std::uint64_t>(c) * static_cast<std::uint64_t>(h) *
         static_cast<std::uint64_t>(w);
}

std::uint64_t Tensor4::bytes() const { return count() * tensor_element_bytes(data_type); }

ElementFormat tensor_format(int data_type) {
  switch (data_type) {
    case cudnn::kDouble: return ElementFormat::fp64;
    case cudnn::kHalf: return ElementFormat::fp16;
    case cudnn::kBfloat16: return ElementFormat::bf16;
    default: return ElementFormat::fp32;
  }
}

unsigned tensor_element_bytes(int data_type) { return kernels::bits_of(tensor_format(data_type)) / 8; }

double ConvolutionProblem::operations() const { return 2.0 * static_cast<double>(y.count()) * w.c * w.h * w.w; }

std::string dtype_of(const ConvolutionProblem& problem, const GpuProfile& gpu) {
  switch (problem.x.data_type) {
    case cudnn::kDouble: return "fp64";
    case cudnn::kHalf: return "fp16";
    case cudnn::kBfloat16: return "bf16";
    default: break;
  }
  const bool tensor_cores = problem.how.math_type != cudnn::kFmaMath && gpu.capability() >= 80;
  return tensor_cores ? "tf32" : "fp32";
}

int output_size(int size, int filter, int pad, int stride, int dilation) {
  return (size + 2 * pad - (dilation * (filter - 1) + 1)) / stride + 1;
}

bool shapes_agree(const ConvolutionProblem& problem) {
  const Convolution& how = problem.how;
  const Tensor4& x = problem.x;
  const Tensor4& w = problem.w;
  const Tensor4& y = problem.y;
  if (x.data_type != w.data_type || x.data_type != y.data_type || how.stride_h < 1 || how.stride_w < 1) return false;
  return x.c == w.c && y.n == x.n && y.c == w.n && x.count() > 0 && w.count() > 0 &&
         y.h == output_size(x.h, w.h, how.pad_h, how.stride_h, how.dilation_h) &&
         y.w == output_size(x.w, w.w, how.pad_w, how.stride_w, how.dilation_w);
}

bool types_supported(const ConvolutionProblem& problem, const GpuProfile& gpu) {
  constexpr int kHalfArithmetic = 53, kBfloat16 = 80;
  switch (problem.x.data_type) {
    case cudnn::kHalf: return gpu.capability() >= kHalfArithmetic;
    case cudnn::kBfloat16: return gpu.capability() >= kBfloat16;
    case cudnn::kFloat:
    case cudnn::kDouble: return true;
    default: return false;
  }
}

namespace {

/// Elements of the result: sums in binary64, rounded once.
class Convolved final : public ElementRecipe {
 public:
  Convolved(Machine& machine, const ConvolutionProblem& problem, bool tf32)
      : ElementRecipe(tensor_element_bytes(problem.x.data_type)), p_(problem) {
    const ElementFormat format = tensor_format(problem.x.data_type);
    const auto read = [&](std::uint64_t address, const Tensor4& tensor) {
      return Elements(machine.view(address, tensor.bytes()), format, tf32);
    };
    if (problem.direction != Direction::backward_data) x_ = read(problem.x_address, problem.x);
    if (problem.direction != Direction::backward_filter) w_ = read(problem.w_address, problem.w);
    if (problem.direction != Direction::forward) y_ = read(problem.y_address, problem.y);
    if (problem.beta == 0) return;
    const auto before = [&](std::uint64_t address, const Tensor4& tensor) {
      before_ = Elements(machine.view(address, tensor.bytes()), format);
    };
    if (problem.direction == Direction::forward) before(problem.y_address, problem.y);
    if (problem.direction == Direction::backward_data) before(problem.x_address, problem.x);
    if (problem.direction == Direction::backward_filter) before(problem.w_address, problem.w);
  }

  [[nodiscard]] std::uint64_t element(std::uint64_t index) const override {
    double value = p_.alpha * sum(index);
    if (p_.beta != 0) value += p_.beta * before_.at(index);
    return bits_from_double(tensor_format(p_.x.data_type), value);
  }
  [[nodiscard]] int depth() const override { return 1; }

 private:
  struct Place {
    int n, c, h, w;
  };
  static Place place(const Tensor4& tensor, std::uint64_t index) {
    const auto take = [&index](int size) {
      const auto digit = static_cast<int>(index % static_cast<std::uint64_t>(size));
      index /= static_cast<std::uint64_t>(size);
      return digit;
    };
    Place at{};
    if (tensor.channels_last) at.c = take(tensor.c);
    at.w = take(tensor.w);
    at.h = take(tensor.h);
    if (!tensor.channels_last) at.c = take(tensor.c);
    at.n = static_cast<int>(index);
    return at;
  }

  [[nodiscard]] double sum(std::uint64_t index) const {
    switch (p_.direction) {
      case Direction::forward: return forward(place(p_.y, index));
      case Direction::backward_data: return backward_data(place(p_.x, index));
      case Direction::backward_filter: return backward_filter(place(p_.w, index));
    }
    return 0;
  }

  [[nodiscard]] double forward(const Place& at) const {
    double total = 0;
    for (int c = 0; c < p_.w.c; ++c) {
      for (int r = 0; r < p_.w.h; ++r) {
        for (int s = 0; s < p_.w.w; ++s) {
          const int h = at.h * p_.how.stride_h - p_.how.pad_h + r * p_.how.dilation_h;
          const int w = at.w * p_.how.stride_w - p_.how.pad_w + s * p_.how.dilation_w;
          total += x(at.n, c, h, w) * weight(at.c, c, r, s);
        }
      }
    }
    return total;
  }

  [[nodiscard]] double backward_data(const Place& at) const {
    double total = 0;
    for (int r = 0; r < p_.w.h; ++r) {
      for (int s = 0; s < p_.w.w; ++s) {
        const int h = at.h + p_.how.pad_h - r * p_.how.dilation_h;
        const int w = at.w + p_.how.pad_w - s * p_.how.dilation_w;
        if (h < 0 || w < 0 || h % p_.how.stride_h != 0 || w % p_.how.stride_w != 0) continue;
        for (int k = 0; k < p_.w.n; ++k) {
          total += y(at.n, k, h / p_.how.stride_h, w / p_.how.stride_w) * weight(k, at.c, r, s);
        }
      }
    }
    return total;
  }

  /// The longest sums there are: a row of the output is walked with constant steps in both tensors.
  [[nodiscard]] double backward_filter(const Place& at) const {
    const std::uint64_t x_step =
        static_cast<std::uint64_t>(p_.how.stride_w) * (p_.x.channels_last ? static_cast<std::uint64_t>(p_.x.c) : 1U);
    const std::uint64_t y_step = p_.y.channels_last ? static_cast<std::uint64_t>(p_.y.c) : 1U;
    const int shift = at.w * p_.how.dilation_w - p_.how.pad_w;
    // q * stride + shift lies in 0 .. width - 1.
    const int first = shift >= 0 ? 0 : (-shift + p_.how.stride_w - 1) / p_.how.stride_w;
    const int last = std::min(p_.y.w - 1, (p_.x.w - 1 - shift) / p_.how.stride_w);
    if (p_.x.w - 1 - shift < 0) return 0;
    const int count = last - first + 1;
    double total = 0;
    for (int n = 0; n < p_.y.n; ++n) {
      for (int p = 0; p < p_.y.h; ++p) {
        const int h = p * p_.how.stride_h - p_.how.pad_h + at.h * p_.how.dilation_h;
        if (h < 0 || h >= p_.x.h || first > last) continue;
        total += Elements::dot(y_, {p_.y.index(n, at.n, p, first), y_step}, x_,
                               {p_.x.index(n, at.c, h, first * p_.how.stride_w + shift), x_step},
                               static_cast<std::uint64_t>(count));
      }
    }
    return total;
  }

  static bool inside(const Tensor4& tensor, int h, int w) { return h >= 0 && w >= 0 && h < tensor.h && w < tensor.w; }
  [[nodiscard]] double x(int n, int c, int h, int w) const {
    return inside(p_.x, h, w) ? x_.at(p_.x.index(n, c, h, w)) : 0;
  }
  [[nodiscard]] double y(int n, int k, int p, int q) const {
    return inside(p_.y, p, q) ? y_.at(p_.y.index(n, k, p, q)) : 0;
  }
  [[nodiscard]] double weight(int k, int c, int r, int s) const { return w_.at(p_.w.index(k, c, r, s)); }

  ConvolutionProblem p_;
  Elements x_, w_, y_, before_;
};

Precision precision_of(const std::string& dtype) {
  if (dtype == "fp64") return Precision::fp64;
  if (dtype == "fp16") return Precision::fp16;
  if (dtype == "bf16") return Precision::bf16;
  return dtype == "tf32" ? Precision::tf32 : Precision::fp32;
}

}  // namespace

double duration_ns(const ConvolutionProblem& problem, const ConvolutionAlgo& algo, Device& device) {
  constexpr double kBest = 0.8;
  const GpuProfile& gpu = device.profile();
  Work work;
  work.precision = precision_of(dtype_of(problem, gpu));
  work.operations = problem.operations();
  // Few channels leave most of a tensor core's tile empty.
  const double filled = std::min(1.0, (problem.x.c + 1.0) / 32.0);
  // On tensor cores, NCHW data are transposed first.
  const bool transposes = !problem.x.channels_last && problem.x.data_type != cudnn::kDouble && gpu.capability() >= 70;
  work.efficiency = kBest * algo.speed * std::max(filled, 0.25) * (transposes ? 0.8 : 1);
  work.bytes = static_cast<double>(problem.x.bytes() + problem.w.bytes() + problem.y.bytes());
  work.in_l2 = work.bytes <= 0.5 * static_cast<double>(gpu.l2_bytes);
  return device.duration_ns(work);
}

void submit_convolution(Machine& machine, cuda::StreamRecord& stream, const ConvolutionProblem& problem,
                        const ConvolutionAlgo& algo) {
  Operation operation;
  operation.kind = "conv";
  operation.operations = problem.operations();
  operation.duration_ns = [problem, algo](Device& device) { return duration_ns(problem, algo, device); };
  operation.effect = [&machine, problem] {
    const Device& device = machine.current();
    const bool tf32 = dtype_of(problem, device.profile()) == "tf32";
    const auto result = std::make_shared<Convolved>(machine, problem, tf32);
    const bool forward = problem.direction == Direction::forward;
    const bool data = problem.direction == Direction::backward_data;
    const std::uint64_t address = forward ? problem.y_address : data ? problem.x_address : problem.w_address;
    const Tensor4& tensor = forward ? problem.y : data ? problem.x : problem.w;
    machine.write(address, tensor.bytes(),
                  with_faults(machine, device, "conv", result, tensor_format(tensor.data_type), problem.operations()));
  };
  machine.submit(stream, operation);
}

}  // namespace gpuassay::fake
