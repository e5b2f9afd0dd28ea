#include "agent/backends/cudnn_descriptor.h"

#include <algorithm>

namespace gpuassay::cudnn {
namespace {

BackendDescriptor created(const Api& api, BackendType type) {
  BackendDescriptor raw = nullptr;
  check(api, api.cudnnBackendCreateDescriptor(type, &raw), "cudnnBackendCreateDescriptor");
  return raw;
}

}  // namespace

BackendObject::BackendObject(const Api& api, BackendType type)
    : api_(&api), owned_(created(api, type), api.cudnnBackendDestroyDescriptor) {}

void BackendObject::set(Attribute attribute, AttributeType type, std::int64_t count, const void* values) {
  check(*api_, api_->cudnnBackendSetAttribute(raw(), attribute, type, count, values), "cudnnBackendSetAttribute");
}

void BackendObject::set_int64(Attribute attribute, std::initializer_list<std::int64_t> values) {
  set(attribute, kInt64Element, std::ssize(values), std::data(values));
}

void BackendObject::set_enum(Attribute attribute, AttributeType type, int value) { set(attribute, type, 1, &value); }

void BackendObject::set_float(Attribute attribute, float value) { set(attribute, kFloatElement, 1, &value); }

void BackendObject::set_pointers(Attribute attribute, AttributeType type, std::initializer_list<void*> values) {
  set(attribute, type, std::ssize(values), static_cast<const void*>(std::data(values)));
}

void BackendObject::finalize() { check(*api_, api_->cudnnBackendFinalize(raw()), "cudnnBackendFinalize"); }

std::int64_t BackendObject::get(Attribute attribute, AttributeType type, std::int64_t requested, void* values) const {
  std::int64_t count = 0;
  check(*api_, api_->cudnnBackendGetAttribute(raw(), attribute, type, requested, &count, values),
        "cudnnBackendGetAttribute");
  return count;
}

std::int64_t BackendObject::int64(Attribute attribute) const {
  std::int64_t value = 0;
  get(attribute, kInt64Element, 1, &value);
  return value;
}

std::vector<int> BackendObject::enums(Attribute attribute, AttributeType type, std::int64_t most) const {
  std::vector<int> values(static_cast<std::size_t>(most));
  values.resize(static_cast<std::size_t>(std::clamp<std::int64_t>(get(attribute, type, most, values.data()), 0, most)));
  return values;
}

std::int64_t BackendObject::count(Attribute attribute) const { return get(attribute, kDescriptorElement, 0, nullptr); }

std::vector<BackendObject> BackendObject::objects(Attribute attribute, BackendType type, std::int64_t most) const {
  // cuDNN fills descriptors that the caller made.
  std::vector<BackendObject> made;
  std::vector<BackendDescriptor> raw_ones;
  raw_ones.reserve(static_cast<std::size_t>(most));
  for (std::int64_t i = 0; i < most; ++i) raw_ones.push_back(made.emplace_back(*api_, type).raw());
  const std::int64_t filled =
      std::clamp<std::int64_t>(get(attribute, kDescriptorElement, most, static_cast<void*>(raw_ones.data())), 0, most);
  made.erase(made.begin() + filled, made.end());
  return made;
}

}  // namespace gpuassay::cudnn
