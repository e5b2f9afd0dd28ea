#include "agent/workloads/stream_reference.h"

#include <bit>

#include "agent/workloads/random_inputs.h"

namespace gpuassay {

double stream_scalar(std::uint64_t iteration) { return 0.4 + static_cast<double>(iteration % 8) * 0x1p-10; }

double stream_input(BandwidthKernel kernel, StreamArray array, std::uint64_t position, std::uint64_t epoch) {
  const std::uint64_t bits = random_bits(static_cast<std::uint64_t>(array) + (epoch << 8), position);
  if (kernel == BandwidthKernel::read) return static_cast<double>(bits >> 48);
  return std::bit_cast<double>((bits >> 12) | 0x3ff0000000000000ULL);
}

double stream_output(BandwidthKernel kernel, std::uint64_t position, std::uint64_t epoch, double scalar) {
  const auto input = [&](StreamArray array) { return stream_input(kernel, array, position, epoch); };
  switch (kernel) {
    case BandwidthKernel::copy: return input(StreamArray::a);
    case BandwidthKernel::mul: return scalar * input(StreamArray::c);
    case BandwidthKernel::add: return input(StreamArray::a) + input(StreamArray::b);
    case BandwidthKernel::triad: return input(StreamArray::b) + scalar * input(StreamArray::c);
    case BandwidthKernel::read:
    case BandwidthKernel::write:
    case BandwidthKernel::gather:
    case BandwidthKernel::readback:
    case BandwidthKernel::h2d:
    case BandwidthKernel::d2h:
    case BandwidthKernel::bidirectional:
    case BandwidthKernel::p2p_read:
    case BandwidthKernel::p2p_write:
    case BandwidthKernel::p2p_bidirectional: break;  // no such output
  }
  return 0;
}

}  // namespace gpuassay
