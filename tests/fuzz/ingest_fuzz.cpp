// Whatever bytes a client sends: HTTP, content coding, limits on JSON, schema, policy, signature, recomputation,
// plausibility, store, and what is read back of it.
#include "tests/fuzz/fuzzed_collector.h"
#include "tests/fuzz/request_mutator.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static gpuassay::fuzz::FuzzedCollector collector;  // reading the schema takes longer than most inputs
  collector.answer_bytes({reinterpret_cast<const char*>(data), size});
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(unsigned char* data, std::size_t size, std::size_t most,
                                               unsigned int seed) {
  return gpuassay::fuzz::mutate_request(data, size, most, seed);
}
