// compare_peers: STREAM's four kernels as its public definition states them (J. McCalpin), plain loops with OpenMP
// for the compiler to optimise. Threads: OMP_NUM_THREADS.
#include <cstddef>

#include "bench/protocol.h"

namespace gpuassay::bench {
namespace {

struct Arrays {
  explicit Arrays(std::size_t count) : length(count), a(new double[count]), b(new double[count]), c(new double[count]) {
#pragma omp parallel for schedule(static)
    for (std::size_t i = 0; i < length; ++i) {
      a[i] = 1.0;
      b[i] = 2.0;
      c[i] = 0.5;
    }
  }
  std::size_t length;
  std::unique_ptr<double[]> a, b, c;
};

void run_once(Arrays& arrays, const std::string& kernel) {
  double* a = arrays.a.get();
  double* b = arrays.b.get();
  double* c = arrays.c.get();
  const std::size_t n = arrays.length;
  const double scalar = 0.4;
  if (kernel == "copy") {
#pragma omp parallel for schedule(static)
    for (std::size_t i = 0; i < n; ++i) c[i] = a[i];
  } else if (kernel == "mul") {
#pragma omp parallel for schedule(static)
    for (std::size_t i = 0; i < n; ++i) b[i] = scalar * c[i];
  } else if (kernel == "add") {
#pragma omp parallel for schedule(static)
    for (std::size_t i = 0; i < n; ++i) c[i] = a[i] + b[i];
  } else {
#pragma omp parallel for schedule(static)
    for (std::size_t i = 0; i < n; ++i) a[i] = b[i] + scalar * c[i];
  }
}

Prepared prepare(const Request& request) {
  const auto arrays = std::make_shared<Arrays>(static_cast<std::size_t>(request.numbers.at(0)) / sizeof(double));
  Prepared prepared;
  prepared.owner = arrays;
  prepared.implementation = "loops";
  prepared.run_ns = [arrays, kernel = request.dtype](std::int64_t iterations) -> std::int64_t {
    const auto begin = std::chrono::steady_clock::now();
    for (std::int64_t i = 0; i < iterations; ++i) run_once(*arrays, kernel);
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin).count();
  };
  return prepared;
}

}  // namespace
}  // namespace gpuassay::bench

int main() { return gpuassay::bench::serve(gpuassay::bench::prepare); }
