// What does a convolution of cuDNN compute, with which algorithms, and how long does it take?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/dynlib/cudnn.h"
#include "tests/support/fake_gpu/library.h"
#include "tests/support/fake_gpu/machine.h"

namespace gpuassay::fake {

enum class Direction { forward, backward_data, backward_filter };

/// A 4-dimensional tensor: n c h w of data, k c r s of a filter.
struct Tensor4 {
  int data_type = cudnn::kFloat;
  bool channels_last = false;
  int n = 0, c = 0, h = 0, w = 0;

  [[nodiscard]] std::uint64_t index(int in, int ic, int ih, int iw) const;
  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] std::uint64_t bytes() const;
};

struct Convolution {
  int pad_h = 0, pad_w = 0, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int compute_type = cudnn::kFloat;
  int math_type = cudnn::kDefaultMath;
  int groups = 1;
};

/// x is the input, w the filter, y the output; of these the direction's result is written.
struct ConvolutionProblem {
  Direction direction = Direction::forward;
  Tensor4 x, w, y;
  Convolution how;
  std::uint64_t x_address = 0, w_address = 0, y_address = 0;
  double alpha = 1, beta = 0;

  [[nodiscard]] double operations() const;
};

/// One algorithm for one problem.
struct ConvolutionAlgo {
  int algo = 0;
  bool supported = false;
  double speed = 0;  ///< 1 for a good direct one; Winograd's can be more, counted in direct operations
  std::uint64_t workspace_bytes = 0;
  bool deterministic = true;
};

kernels::ElementFormat tensor_format(int data_type);
unsigned tensor_element_bytes(int data_type);
/// The contract's name of what is computed with on this GPU.
std::string dtype_of(const ConvolutionProblem& problem, const GpuProfile& gpu);
/// Height or width that comes out.
int output_size(int size, int filter, int pad, int stride, int dilation);
bool shapes_agree(const ConvolutionProblem& problem);
/// Whether the GPU has arithmetic for the types.
bool types_supported(const ConvolutionProblem& problem, const GpuProfile& gpu);
/// Every algorithm of the direction, by number.
std::vector<ConvolutionAlgo> algorithms(const ConvolutionProblem& problem);
double duration_ns(const ConvolutionProblem& problem, const ConvolutionAlgo& algo, Device& device);
/// Queues it.
void submit_convolution(Machine& machine, cuda::StreamRecord& stream, const ConvolutionProblem& problem,
                        const ConvolutionAlgo& algo);

}  // namespace gpuassay::fake
