// The fake libcudnn.so.N: the functions of the backend API.
#include <algorithm>

#include "tests/support/fake_gpu/cudnn_backend_records.h"
#include "tests/support/fake_gpu/cudnn_exports.h"

namespace gpuassay::cudnn {

using fake::BackendRecord;
using fake::ConvolutionProblem;
using fake::cudnn_call;
using fake::CudnnFailure;
using fake::CudnnStatus;
using fake::Machine;

namespace {

BackendRecord& record_of(const Machine& machine, BackendDescriptor descriptor) {
  return machine.checked(static_cast<BackendRecord*>(descriptor));
}

const BackendRecord& finalized(const Machine& machine, BackendDescriptor descriptor, int type) {
  const BackendRecord& record = record_of(machine, descriptor);
  if (!record.finalized || record.type != type) throw CudnnFailure{CudnnStatus::bad_param};
  return record;
}

/// Where an attribute's elements go.
struct Answer {
  int element_type;
  std::int64_t requested;
  std::int64_t* count;
  void* elements;

  /// Writes as many as are wanted and tells how many there are.
  template <class T>
  void give(int type, const std::vector<T>& values) const {
    if (element_type != type || (requested > 0 && elements == nullptr)) throw CudnnFailure{CudnnStatus::bad_param};
    if (count != nullptr) *count = std::ssize(values);
    std::copy_n(values.begin(), std::min(requested, std::ssize(values)), static_cast<T*>(elements));
  }

  /// Finalizes the caller's own descriptors, which are of `type`: fill(record, index) says what each is.
  template <class Fill>
  void give_descriptors(const Machine& machine, int type, std::int64_t there_are, Fill fill) const {
    const bool none_wanted = requested == 0;
    if (element_type != kDescriptorElement || (!none_wanted && elements == nullptr)) {
      throw CudnnFailure{CudnnStatus::bad_param};
    }
    if (count != nullptr) *count = there_are;
    for (std::int64_t i = 0; i < std::min(requested, there_are); ++i) {
      BackendRecord& record = record_of(machine, static_cast<BackendDescriptor*>(elements)[i]);
      if (record.type != type || record.finalized) throw CudnnFailure{CudnnStatus::bad_param};
      fill(record, static_cast<std::size_t>(i));
      record.finalized = true;
    }
  }
};

void get_attribute(const Machine& machine, const BackendRecord& from, int attribute, const Answer& answer) {
  const auto is = [&](int type, int name) { return from.type == type && attribute == name; };
  if (is(kHeuristicType, kHeuristicResults)) {
    answer.give_descriptors(machine, kEngineConfigType, std::ssize(from.engines),
                            [&](BackendRecord& made, std::size_t i) {
                              made.inherit(from);
                              made.engine = from.engines[i];
                            });
  } else if (is(kEngineConfigType, kConfigEngine)) {
    answer.give_descriptors(machine, kEngineType, 1, [&](BackendRecord& made, std::size_t) { made.inherit(from); });
  } else if (is(kEngineConfigType, kConfigKnobChoices)) {
    answer.give_descriptors(machine, kKnobChoiceType, std::ssize(from.engine.knobs),
                            [&](BackendRecord& made, std::size_t i) { made.knob = from.engine.knobs[i]; });
  } else if (is(kKnobChoiceType, kKnobType)) {
    answer.give<int>(kKnobTypeElement, {from.knob.type});
  } else if (is(kKnobChoiceType, kKnobValue)) {
    answer.give<std::int64_t>(kInt64Element, {from.knob.value});
  } else if (is(kEngineType, kEngineIndex)) {
    answer.give<std::int64_t>(kInt64Element, {from.engine.index});
  } else if (is(kEngineType, kEngineNumericalNotes)) {
    answer.give(kNumericalNoteElement, from.engine.numerical_notes);
  } else if (is(kEngineType, kEngineBehaviorNotes)) {
    answer.give(kBehaviorNoteElement, from.engine.behavior_notes);
  } else if (is(kPlanType, kPlanWorkspaceSize)) {
    answer.give<std::int64_t>(kInt64Element, {static_cast<std::int64_t>(from.engine.workspace_bytes)});
  } else {
    throw CudnnFailure{CudnnStatus::bad_param};
  }
}

std::uint64_t address_of(const BackendRecord& pack, std::int64_t id) {
  const std::size_t ids = pack.values.at(kPackIds).size() / sizeof(std::int64_t);
  for (std::size_t i = 0; i < ids; ++i) {
    if (pack.value<std::int64_t>(kPackIds, i) == id) return pack.value<std::uint64_t>(kPackPointers, i);
  }
  throw CudnnFailure{CudnnStatus::bad_param};
}

}  // namespace

int cudnnBackendCreateDescriptor(int type, BackendDescriptor* descriptor) {
  return cudnn_call([&](Machine& machine) {
    if (descriptor == nullptr) throw CudnnFailure{CudnnStatus::bad_param};
    auto record = std::make_unique<BackendRecord>();
    record->type = type;
    *descriptor = machine.adopt(std::move(record));
  });
}

int cudnnBackendDestroyDescriptor(BackendDescriptor descriptor) {
  return cudnn_call([&](Machine& machine) { machine.release(descriptor); });
}

int cudnnBackendSetAttribute(BackendDescriptor descriptor, int attribute, int element_type, std::int64_t count,
                             const void* elements) {
  return cudnn_call([&](Machine& machine) {
    BackendRecord& record = record_of(machine, descriptor);
    if (record.finalized || elements == nullptr) throw CudnnFailure{CudnnStatus::bad_param};
    fake::check_attribute(record.type, attribute, element_type, count);
    if (element_type != kDescriptorElement) {
      const auto* const bytes = static_cast<const std::byte*>(elements);
      record.values[attribute].assign(bytes,
                                      bytes + static_cast<std::size_t>(count) * fake::element_bytes(element_type));
      return;
    }
    auto& parts = record.parts[attribute];
    parts.clear();
    for (std::int64_t i = 0; i < count; ++i) {
      const BackendRecord& part = record_of(machine, static_cast<const BackendDescriptor*>(elements)[i]);
      if (!part.finalized) throw CudnnFailure{CudnnStatus::bad_param};
      parts.push_back(std::make_shared<const BackendRecord>(part));
    }
  });
}

int cudnnBackendGetAttribute(BackendDescriptor descriptor, int attribute, int element_type, std::int64_t requested,
                             std::int64_t* count, void* elements) {
  return cudnn_call([&](Machine& machine) {
    const BackendRecord& record = record_of(machine, descriptor);
    if (!record.finalized || requested < 0) throw CudnnFailure{CudnnStatus::bad_param};
    get_attribute(machine, record, attribute, {element_type, requested, count, elements});
  });
}

int cudnnBackendFinalize(BackendDescriptor descriptor) {
  return cudnn_call([&](Machine& machine) { fake::finalize(machine, record_of(machine, descriptor)); });
}

int cudnnBackendExecute(Handle handle, BackendDescriptor plan_descriptor, BackendDescriptor variant_pack) {
  return cudnn_call([&](Machine& machine) {
    cuda::StreamRecord& stream = machine.stream(machine.checked(handle).stream);
    const BackendRecord& plan = finalized(machine, plan_descriptor, kPlanType);
    const BackendRecord& pack = finalized(machine, variant_pack, kVariantPackType);
    ConvolutionProblem problem = plan.problem;
    problem.x_address = address_of(pack, plan.x_id);
    problem.w_address = address_of(pack, plan.w_id);
    problem.y_address = address_of(pack, plan.y_id);
    // How exact the sums are: the engine decides, not the descriptors.
    problem.how.math_type = plan.engine.has_note(kNoteTensorCore) ? kTensorOpMath : kFmaMath;
    fake::check_problem(machine, problem);
    if (plan.engine.workspace_bytes > 0) {
      machine.range(pack.value<std::uint64_t>(kPackWorkspace), plan.engine.workspace_bytes, cuda::kInvalidValue);
    }
    fake::ConvolutionAlgo algo;
    algo.supported = true;
    algo.speed = plan.engine.speed;
    algo.workspace_bytes = plan.engine.workspace_bytes;
    fake::submit_convolution(machine, stream, problem, algo);
  });
}

}  // namespace gpuassay::cudnn
