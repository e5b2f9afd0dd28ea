#include "tests/support/fake_gpu/machine.h"

#include <utility>

#include "kernels/random_normal.h"

namespace gpuassay::fake {
namespace {

/// The context that is current on this thread.
cuda::ContextRecord*& current_context() {
  thread_local cuda::ContextRecord* context = nullptr;
  return context;
}

}  // namespace

Machine& Machine::instance() {
  static Machine machine;
  return machine;
}

Machine::Machine() { reset(); }

void Machine::reset() {
  setup = Setup::from_environment();
  initialized = false;
  marks.clear();
  host_now_ns = 0;
  devices.clear();
  default_streams_.clear();
  next_address_.clear();
  streams_.clear();
  handles_.clear();
  primary_.assign(setup.gpus.size(), nullptr);
  allocations_.clear();
  host_allocations_.clear();
  copied_in_.clear();
  copied_out_.clear();
  current_context() = nullptr;
  constexpr cuda::DevicePointer kFirstAddress = 0x0b0000000000, kPerDevice = 0x10000000000;
  for (const GpuProfile& gpu : setup.gpus) {
    const auto ordinal = static_cast<int>(devices.size());
    devices.push_back(std::make_unique<Device>(ordinal, gpu, setup));
    if (marks.has("lost", ordinal)) devices.back()->sticky_error = cuda::kUnknownError;
    next_address_.push_back(kFirstAddress + static_cast<cuda::DevicePointer>(ordinal) * kPerDevice);
    default_streams_.push_back(std::make_unique<cuda::StreamRecord>());
    default_streams_.back()->device = ordinal;
    streams_.insert(default_streams_.back().get());
  }
}

Device& Machine::device(int ordinal) {
  if (ordinal < 0 || static_cast<std::size_t>(ordinal) >= devices.size()) throw Failure{cuda::kInvalidDevice};
  return *devices[static_cast<std::size_t>(ordinal)];
}

Device& Machine::current() {
  cuda::ContextRecord* context = current_context();
  if (context == nullptr || !handles_.contains(context)) throw Failure{cuda::kInvalidContext};
  Device& here = device(context->device);
  if (here.sticky_error != 0) throw Failure{here.sticky_error};
  return here;
}

cuda::ContextRecord* Machine::context() const { return current_context(); }

void Machine::set_current(cuda::ContextRecord* context) {
  if (context != nullptr && !handles_.contains(context)) throw Failure{cuda::kInvalidContext};
  current_context() = context;
}

cuda::ContextRecord* Machine::retain_primary(int ordinal) {
  Device& wanted = device(ordinal);
  if (wanted.sticky_error != 0) throw Failure{wanted.sticky_error};
  cuda::ContextRecord*& context = primary_.at(static_cast<std::size_t>(ordinal));
  if (context == nullptr) {
    auto record = std::make_unique<cuda::ContextRecord>();
    record->device = ordinal;
    context = adopt(std::move(record));
  }
  ++wanted.context_uses;
  return context;
}

void Machine::release_primary(int ordinal) {
  Device& wanted = device(ordinal);
  cuda::ContextRecord*& context = primary_.at(static_cast<std::size_t>(ordinal));
  if (context == nullptr) throw Failure{cuda::kInvalidContext};
  if (--wanted.context_uses > 0) return;
  release(context);
  context = nullptr;
}

void Machine::release(void* handle) {
  if (handles_.erase(handle) == 0) throw Failure{cuda::kInvalidHandle};
}

cuda::StreamRecord* Machine::create_stream() {
  auto stream = std::make_unique<cuda::StreamRecord>();
  stream->device = current().ordinal();
  stream->ready_ns = host_now_ns;
  streams_.insert(stream.get());
  return adopt(std::move(stream));
}

void Machine::destroy_stream(cuda::StreamRecord* stream) {
  checked(stream);
  drain(*stream);
  streams_.erase(stream);
  release(stream);
}

cuda::StreamRecord& Machine::stream(cuda::StreamRecord* handle) {
  const Device& here = current();
  if (handle == nullptr) return *default_streams_.at(static_cast<std::size_t>(here.ordinal()));
  return checked(handle);
}

namespace {

/// A recipe of which every fourth element or so is not what it should be: often enough for any sample to show it.
class Corrupted final : public ElementRecipe {
 public:
  Corrupted(std::shared_ptr<const ElementRecipe> right, std::uint64_t flipped, bool replace)
      : ElementRecipe(right->element_bytes()), right_(std::move(right)), pattern_(flipped), replace_(replace) {}
  [[nodiscard]] std::uint64_t element(std::uint64_t index) const override {
    constexpr std::uint64_t kSeed = 77;
    const std::uint64_t right = right_->element(index);
    if (kernels::hash(kSeed, index) % 4 != 0) return right;
    return replace_ ? pattern_ : right ^ pattern_;
  }
  [[nodiscard]] int depth() const override { return right_->depth() + 1; }

 private:
  std::shared_ptr<const ElementRecipe> right_;
  std::uint64_t pattern_;
  bool replace_;
};

}  // namespace

RecipePointer with_faults(const Machine& machine, const Device& device, std::string_view kind,
                          std::shared_ptr<const ElementRecipe> recipe, kernels::ElementFormat format,
                          double operations) {
  const auto concerns = [&](const char* name) {
    const Fault* fault = machine.setup.fault(name, device.ordinal());
    return fault != nullptr && fault->concerns(kind, operations);
  };
  const unsigned bits = kernels::bits_of(format);
  if (concerns("nan")) {
    return std::make_shared<Corrupted>(std::move(recipe), ~std::uint64_t{0} >> (64 - bits), true);
  }
  // The sign turned round: as large an error as the number itself.
  if (concerns("wrong")) {
    return std::make_shared<Corrupted>(std::move(recipe), std::uint64_t{1} << (bits - 1), false);
  }
  return recipe;
}

}  // namespace gpuassay::fake
