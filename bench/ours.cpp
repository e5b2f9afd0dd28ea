// compare_peers, our side: the agent's own CPU backend behind the protocol. Usage: bench_ours THREADS
#include <sched.h>

#include <cstdlib>

#include "agent/backends/cpu_backend.h"
#include "bench/protocol.h"
#include "core/enums.h"

namespace gpuassay::bench {
namespace {

CpuFacts facts_here(int threads) {
  CpuFacts facts;
  facts.threads = threads;
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<unsigned>(cpu), &set)) facts.allowed_cpus.push_back(cpu);
  }
  facts.has_bf16 = true;  // compare_peers asks for bf16 only where the CPU has it
  return facts;
}

OperationParams params_of(const Request& request) {
  const auto& v = request.numbers;
  const auto dtype = from_name<DType>(request.dtype).value_or(DType::fp64);
  if (request.workload == "gemm") return GemmParams{dtype, v[0], v[1], v[2], v[3]};
  if (request.workload == "conv") {
    const auto direction = from_name<ConvDirection>(request.direction).value_or(ConvDirection::forward);
    return ConvParams{dtype, direction, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8]};
  }
  return BandwidthParams{from_name<BandwidthKernel>(request.dtype).value_or(BandwidthKernel::triad), MemoryLevel::dram,
                         v[0]};
}

Prepared prepare(Backend& backend, const Request& request) {
  const std::shared_ptr<Operation> operation = backend.prepare(params_of(request));
  Prepared prepared;
  prepared.run_ns = [operation](std::int64_t iterations) { return operation->run_timed_ns(iterations); };
  prepared.verify = [operation] {
    const Verification verification = operation->verify();
    std::ostringstream text;
    text << (verification.passed ? "passed" : "failed") << " max_error " << verification.max_error << " tolerance "
         << verification.tolerance;
    return text.str();
  };
  prepared.implementation = operation->algorithm();
  return prepared;
}

}  // namespace
}  // namespace gpuassay::bench

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  const auto backend = gpuassay::make_cpu_backend(gpuassay::bench::facts_here(threads));
  return gpuassay::bench::serve(
      [&](const gpuassay::bench::Request& request) { return gpuassay::bench::prepare(*backend, request); });
}
