// How is an upload changed so that it gets further than its first comma? Most changes of bytes break the JSON; these
// change a value of it, and put the request together again.
#pragma once

#include <cstddef>

namespace gpuassay::fuzz {

/// A custom mutator of libFuzzer: changes one value of the JSON body (packed in gzip or not) of a request, or bytes.
std::size_t mutate_request(unsigned char* data, std::size_t size, std::size_t most, unsigned int seed);

}  // namespace gpuassay::fuzz
