// What is behind a descriptor of cuDNN's backend API: the attributes that were set, and what finalizing made of them.
#pragma once

#include <cstddef>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "tests/support/fake_gpu/convolution_engines.h"
#include "tests/support/fake_gpu/cudnn_records.h"

namespace gpuassay::fake {

struct BackendRecord {
  int type = 0;
  bool finalized = false;
  std::map<int, std::vector<std::byte>> values;  ///< by attribute, all but descriptors
  /// Copies: the originals may be destroyed.
  std::map<int, std::vector<std::shared_ptr<const BackendRecord>>> parts;

  // by type, once finalized
  Tensor4 tensor;
  std::int64_t id = 0;
  Convolution how;
  ConvolutionProblem problem;  ///< of an operation, and of all that is made from it
  std::int64_t x_id = 0, w_id = 0, y_id = 0;
  std::vector<ConvolutionEngine> engines;  ///< what a heuristic names
  ConvolutionEngine engine;                ///< of a configuration, its engine and its plan
  EngineKnob knob;

  /// The element `index` of an attribute that was set; zero when it was not.
  template <class T>
  [[nodiscard]] T value(int attribute, std::size_t index = 0) const {
    T result{};
    const auto found = values.find(attribute);
    if (found != values.end() && found->second.size() >= (index + 1) * sizeof(T)) {
      std::memcpy(static_cast<void*>(&result), found->second.data() + index * sizeof(T), sizeof(T));
    }
    return result;
  }
  [[nodiscard]] const BackendRecord& part(int attribute) const { return *parts.at(attribute).front(); }

  /// What is made from a descriptor is about the same problem.
  void inherit(const BackendRecord& from) {
    problem = from.problem;
    x_id = from.x_id;
    w_id = from.w_id;
    y_id = from.y_id;
    engine = from.engine;
  }
};

/// Throws bad_param unless an attribute of that descriptor may be set to `count` elements of `element_type`.
void check_attribute(int type, int attribute, int element_type, std::int64_t count);
std::size_t element_bytes(int element_type);
/// Checks what was set and derives what the descriptor stands for. Throws what the library answers.
void finalize(Machine& machine, BackendRecord& record);

}  // namespace gpuassay::fake
