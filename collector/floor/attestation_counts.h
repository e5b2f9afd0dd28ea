// How many devices have shown which they are, and how many reports showed nothing? For the operator.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/floor/messages.h"

namespace gpuassay {

/// Safe to use from any thread.
class AttestationCounts {
 public:
  void add(AttestationState state) { ++(state == AttestationState::verified ? verified_ : refused_); }
  [[nodiscard]] std::uint64_t verified() const { return verified_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  std::atomic<std::uint64_t> verified_ = 0, refused_ = 0;
};

}  // namespace gpuassay
