// What should a convolution, or one of its two gradients, have computed? A float64 reference over tensors
// source [n][c][h][w], weights [k][c][r][s], destination [n][k][p][q]; gradients have the shape of their tensor.
// A tensor is anything whose element at a flat position is t[position]: a plain array or a GeneratedTensor.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "agent/workloads/bfloat16.h"
#include "agent/workloads/output_check.h"
#include "core/model.h"

namespace gpuassay {

/// Number of elements of the source, weights and destination tensors.
struct ConvSizes {
  std::int64_t source = 0, weights = 0, destination = 0;
};
ConvSizes conv_sizes(const ConvParams& params);

/// The tensor a direction computes; the other two are its operands.
std::int64_t conv_output_size(const ConvParams& params);

/// Products that one output element adds up; fewer at a border.
std::int64_t conv_terms(const ConvParams& params);

/// Flat output positions compared always: the corners of the first and last plane, where padding matters.
std::vector<std::int64_t> conv_border_positions(const ConvParams& params);

/// Positions of the weight gradient to compare: at least 64 (all when there are fewer) of few filters and channels, the
/// first and last among them. A weight's gradient sums over the whole batch and image; positions that share their two
/// planes share the cost of making them (see PlaneCache).
std::vector<std::int64_t> conv_weight_positions(const ConvParams& params);

/// destination(n,k,p,q) = sum over c,r,s of source(n, c, p*stride - pad + r, q*stride - pad + s) * weights(k,c,r,s).
template <class Source, class Weights>
ReferenceValue conv_forward_at(const ConvParams& v, const Source& source, const Weights& weights,
                               std::int64_t position) {
  const std::int64_t q = position % v.q(), p = position / v.q() % v.p();
  const std::int64_t k = position / (v.q() * v.p()) % v.k, n = position / (v.q() * v.p() * v.k);
  ReferenceValue value;
  for (std::int64_t c = 0; c < v.c; ++c) {
    for (std::int64_t r = 0; r < v.r; ++r) {
      const std::int64_t h = p * v.stride - v.pad + r;
      if (h < 0 || h >= v.h) continue;
      for (std::int64_t s = 0; s < v.s; ++s) {
        const std::int64_t w = q * v.stride - v.pad + s;
        if (w < 0 || w >= v.w) continue;
        value.add(exact_value(source[static_cast<std::size_t>(((n * v.c + c) * v.h + h) * v.w + w)]),
                  exact_value(weights[static_cast<std::size_t>(((k * v.c + c) * v.r + r) * v.s + s)]));
      }
    }
  }
  return value;
}

/// diff_source(n,c,h,w) = sum over k and those r,s whose p = (h + pad - r)/stride and q exist, of
/// diff_destination(n,k,p,q) * weights(k,c,r,s).
template <class Destination, class Weights>
ReferenceValue conv_backward_data_at(const ConvParams& v, const Destination& diff_destination, const Weights& weights,
                                     std::int64_t position) {
  const std::int64_t w = position % v.w, h = position / v.w % v.h;
  const std::int64_t c = position / (v.w * v.h) % v.c, n = position / (v.w * v.h * v.c);
  const std::int64_t p_count = v.p(), q_count = v.q();
  ReferenceValue value;
  for (std::int64_t r = 0; r < v.r; ++r) {
    const std::int64_t p_scaled = h + v.pad - r;
    if (p_scaled < 0 || p_scaled % v.stride != 0 || p_scaled / v.stride >= p_count) continue;
    for (std::int64_t s = 0; s < v.s; ++s) {
      const std::int64_t q_scaled = w + v.pad - s;
      if (q_scaled < 0 || q_scaled % v.stride != 0 || q_scaled / v.stride >= q_count) continue;
      for (std::int64_t k = 0; k < v.k; ++k) {
        const std::int64_t at = ((n * v.k + k) * p_count + p_scaled / v.stride) * q_count + q_scaled / v.stride;
        value.add(exact_value(diff_destination[static_cast<std::size_t>(at)]),
                  exact_value(weights[static_cast<std::size_t>(((k * v.c + c) * v.r + r) * v.s + s)]));
      }
    }
  }
  return value;
}

/// diff_weights(k,c,r,s) = sum over n,p,q of diff_destination(n,k,p,q) * source(n, c, p*stride - pad + r,
/// q*stride - pad + s).
template <class Source, class Destination>
ReferenceValue conv_backward_weights_at(const ConvParams& v, const Source& source, const Destination& diff_destination,
                                        std::int64_t position) {
  const std::int64_t s = position % v.s, r = position / v.s % v.r;
  const std::int64_t c = position / (v.s * v.r) % v.c, k = position / (v.s * v.r * v.c);
  const std::int64_t p_count = v.p(), q_count = v.q();
  ReferenceValue value;
  for (std::int64_t n = 0; n < v.n; ++n) {
    for (std::int64_t p = 0; p < p_count; ++p) {
      const std::int64_t h = p * v.stride - v.pad + r;
      if (h < 0 || h >= v.h) continue;
      for (std::int64_t q = 0; q < q_count; ++q) {
        const std::int64_t w = q * v.stride - v.pad + s;
        if (w < 0 || w >= v.w) continue;
        value.add(exact_value(diff_destination[static_cast<std::size_t>(((n * v.k + k) * p_count + p) * q_count + q)]),
                  exact_value(source[static_cast<std::size_t>(((n * v.c + c) * v.h + h) * v.w + w)]));
      }
    }
  }
  return value;
}

/// The tensors of one convolution as plain arrays; the one the direction computes holds what is checked.
template <class T>
struct ConvTensors {
  std::span<const T> source, weights, destination;
};

/// What the direction of `v` should have written at `position` of its output.
template <class T>
ReferenceValue conv_reference_at(const ConvParams& v, const ConvTensors<T>& tensors, std::int64_t position) {
  switch (v.direction) {
    case ConvDirection::forward: return conv_forward_at(v, tensors.source, tensors.weights, position);
    case ConvDirection::backward_data: return conv_backward_data_at(v, tensors.destination, tensors.weights, position);
    case ConvDirection::backward_weights:
      return conv_backward_weights_at(v, tensors.source, tensors.destination, position);
  }
  return {};
}

/// Compares the output of the direction with the reference at the sampled positions.
template <class T>
Verification verify_conv(const ConvParams& v, const ConvTensors<T>& tensors, const OutputRule& rule) {
  const std::span<const T> output = v.direction == ConvDirection::forward         ? tensors.destination
                                    : v.direction == ConvDirection::backward_data ? tensors.source
                                                                                  : tensors.weights;
  OutputCheck check(rule);
  for (const std::int64_t position : sampled_positions(conv_output_size(v), conv_border_positions(v))) {
    check.compare(exact_value(output[static_cast<std::size_t>(position)]), conv_reference_at(v, tensors, position));
  }
  return check.result();
}

}  // namespace gpuassay
