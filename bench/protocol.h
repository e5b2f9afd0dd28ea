// How does compare_peers talk to the programs it compares? One command per line on stdin, one answer on stdout:
//   prepare gemm DTYPE M N K BATCH | prepare conv DTYPE DIRECTION N C H W K R S STRIDE PAD | prepare stream KERNEL
//   BYTES
//                 -> "ok IMPLEMENTATION" or "error WHY"
//   run SECONDS   -> nanoseconds of one operation, the fastest of many samples
//   verify        -> "passed" or "failed", or "unknown" where the program does not verify
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <limits>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace gpuassay::bench {

/// A prepared operation of one of the compared programs.
struct Prepared {
  std::function<std::int64_t(std::int64_t iterations)> run_ns;  ///< time of that many operations back to back
  std::function<std::string()> verify;
  std::string implementation;
  std::shared_ptr<void> owner;  ///< keeps what the functions refer to
};

/// What follows `prepare` on the line.
struct Request {
  std::string workload, dtype, direction;
  std::vector<std::int64_t> numbers;
};

inline Request parse_request(std::istringstream& words) {
  Request request;
  words >> request.workload >> request.dtype;  // for stream: the kernel
  if (request.workload == "conv") words >> request.direction;
  for (std::int64_t number = 0; words >> number;) request.numbers.push_back(number);
  const std::size_t wanted = request.workload == "gemm" ? 4 : request.workload == "conv" ? 9 : 1;
  if (request.numbers.size() != wanted) throw std::runtime_error("the request has a wrong number of fields");
  return request;
}

/// Fastest sample, as STREAM reports; each is about 2 ms long (at least one operation), taken until `seconds` have
/// passed, at least five. On a busy machine medians would compare the neighbours, not the programs.
inline double best_ns(const Prepared& prepared, double seconds) {
  const std::int64_t warm_ns = std::max<std::int64_t>(1, prepared.run_ns(1));
  const std::int64_t iterations = std::max<std::int64_t>(1, 2'000'000 / warm_ns);
  double best = std::numeric_limits<double>::infinity();
  const auto begin = std::chrono::steady_clock::now();
  for (int samples = 0;
       samples < 5 || std::chrono::steady_clock::now() - begin < std::chrono::duration<double>(seconds); ++samples) {
    best = std::min(best, static_cast<double>(prepared.run_ns(iterations)) / static_cast<double>(iterations));
  }
  return best;
}

/// Serves commands until stdin ends; 0 is the exit code.
inline int serve(const std::function<Prepared(const Request&)>& prepare) {
  Prepared prepared;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    try {
      if (command == "prepare") {
        prepared = {};  // its memory first
        prepared = prepare(parse_request(words));
        std::cout << "ok " << prepared.implementation << std::endl;
      } else if (command == "run") {
        double seconds = 0;
        words >> seconds;
        std::cout << best_ns(prepared, seconds) << std::endl;
      } else {
        std::cout << (prepared.verify ? prepared.verify() : "unknown") << std::endl;
      }
    } catch (const std::exception& error) {
      std::cout << "error " << error.what() << std::endl;
    }
  }
  return 0;
}

}  // namespace gpuassay::bench
