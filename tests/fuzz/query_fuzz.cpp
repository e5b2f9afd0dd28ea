// Whatever address, filter or cursor a reader asks for.
#include "tests/fuzz/fuzzed_collector.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static gpuassay::fuzz::FuzzedCollector& collector = *[] {
    static gpuassay::fuzz::FuzzedCollector filled;
    filled.fill();
    return &filled;
  }();
  collector.get({reinterpret_cast<const char*>(data), size});
  return 0;
}
