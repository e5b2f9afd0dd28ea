// Who owns a descriptor of cuDNN's backend API, and how do its attributes travel? A move-only owner with typed access.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <vector>

#include "agent/dynlib/cudnn.h"

namespace gpuassay::cudnn {

/// Every call that cuDNN refuses throws the Error of cudnn::check(). `api` must outlive the object.
class BackendObject {
 public:
  BackendObject(const Api& api, BackendType type);

  [[nodiscard]] BackendDescriptor raw() const { return owned_.get(); }

  void set_int64(Attribute attribute, std::initializer_list<std::int64_t> values);
  /// An attribute whose elements are numbers of one of cuDNN's enums.
  void set_enum(Attribute attribute, AttributeType type, int value);
  void set_float(Attribute attribute, float value);
  /// Handles, pointers to device memory, or descriptors.
  void set_pointers(Attribute attribute, AttributeType type, std::initializer_list<void*> values);
  void finalize();

  [[nodiscard]] std::int64_t int64(Attribute attribute) const;
  /// At most `most` of them.
  [[nodiscard]] std::vector<int> enums(Attribute attribute, AttributeType type, std::int64_t most) const;
  /// How many descriptors there are.
  [[nodiscard]] std::int64_t count(Attribute attribute) const;
  /// Copies of at most `most` of them; all are of `type`.
  [[nodiscard]] std::vector<BackendObject> objects(Attribute attribute, BackendType type, std::int64_t most) const;

 private:
  void set(Attribute attribute, AttributeType type, std::int64_t count, const void* values);
  /// The number of elements there are, which may be more than `requested`.
  std::int64_t get(Attribute attribute, AttributeType type, std::int64_t requested, void* values) const;

  const Api* api_;
  std::unique_ptr<void, int (*)(BackendDescriptor)> owned_;
};

}  // namespace gpuassay::cudnn
