// How is one oneDNN operation timed? The loop that GEMM and convolution share.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/backends/backend.h"
#include "agent/backends/cpu_context.h"

namespace gpuassay {

/// One way of computing an operation: `execute` queues it once, `implementation` names it.
struct Candidate {
  std::function<void()> execute;
  std::string implementation;
};

/// Index of the candidate with the fastest single run, after several turns in which all run one after the other, so
/// that a disturbance does not meet one alone. A single candidate is not run at all.
std::size_t fastest_candidate(const std::vector<Candidate>& candidates, const onednn::Session& session);

/// Nanoseconds for `iterations` executions back to back, until the last one is complete.
std::int64_t time_executions_ns(const Candidate& candidate, const onednn::Session& session, std::int64_t iterations);

/// Fills with bytes that are NaN as fp32 and bf16 and -1 as an integer: an output that nothing wrote never passes.
void poison(const AlignedBuffer& buffer, const ParallelFor& parallel_for);

/// In the files named after them. Throw Error{unsupported, out_of_memory, library_failed}.
std::unique_ptr<Operation> prepare_onednn_gemm(std::shared_ptr<CpuContext> context, const GemmParams& params);
std::unique_ptr<Operation> prepare_onednn_conv(std::shared_ptr<CpuContext> context, const ConvParams& params);

}  // namespace gpuassay
