// The fake driver: images, functions and launches.
#include <algorithm>
#include <map>
#include <string>

#include "kernels/arguments.h"
#include "tests/support/fake_gpu/driver_entry.h"
#include "tests/support/fake_gpu/driver_exports.h"
#include "tests/support/fake_gpu/image.h"
#include "tests/support/fake_gpu/kernel_effects.h"

namespace gpuassay::cuda {

struct FunctionRecord {
  ModuleRecord* module = nullptr;
  std::string name;
};

struct ModuleRecord {
  int device = 0;
  gpuassay::fake::Image image;
  std::map<std::string, Function> functions;
};

using fake::driver_call;
using fake::Failure;
using fake::Lock;
using fake::Machine;
using fake::output;

namespace {

constexpr unsigned kMaxThreads = 1024, kMaxGridX = 0x7fffffff, kMaxSharedBytes = 49152;

void check_launch(const FunctionRecord& function, const unsigned (&grid)[3], const unsigned (&block)[3],
                  unsigned shared) {
  for (int i = 0; i < 3; ++i) {
    if (grid[i] == 0 || block[i] == 0) throw Failure{kInvalidValue};
  }
  const std::uint64_t threads = std::uint64_t{block[0]} * block[1] * block[2];
  if (grid[0] > kMaxGridX || grid[1] > 65535 || grid[2] > 65535 || threads > kMaxThreads) throw Failure{kInvalidValue};
  if (shared > kMaxSharedBytes) throw Failure{kInvalidValue};
  if (threads > fake::block_limit(function.name)) throw Failure{kLaunchOutOfResources};
  // No kernel of ours uses the other dimensions.
  if (grid[1] * grid[2] * block[1] * block[2] != 1) throw Failure{kInvalidValue};
}

}  // namespace

int cuModuleLoadData(Module* module, const void* image) {
  return driver_call([&](Machine& machine, Lock&) {
    const fake::Device& here = machine.current();
    auto record = std::make_unique<ModuleRecord>();
    record->device = here.ordinal();
    record->image = fake::accept_image(image, here.profile(), machine.setup.driver);
    output(module) = machine.adopt(std::move(record));
  });
}

int cuModuleLoadDataEx(Module* module, const void* image, unsigned /*option_count*/, int* /*options*/,
                       void** /*values*/) {
  return cuModuleLoadData(module, image);
}

int cuModuleUnload(Module module) {
  return driver_call([&](Machine& machine, Lock&) {
    for (const auto& [name, function] : machine.checked(module).functions) machine.release(function);
    machine.release(module);
  });
}

int cuModuleGetFunction(Function* function, Module module, const char* name) {
  return driver_call([&](Machine& machine, Lock&) {
    ModuleRecord& in = machine.checked(module);
    if (name == nullptr) throw Failure{kInvalidValue};
    const auto& names = in.image.kernels;
    if (std::find(names.begin(), names.end(), name) == names.end()) throw Failure{kNotFound};
    Function& known = in.functions[name];
    if (known == nullptr) {
      auto record = std::make_unique<FunctionRecord>();
      record->module = &in;
      record->name = name;
      known = machine.adopt(std::move(record));
    }
    output(function) = known;
  });
}

int cuFuncGetAttribute(int* value, int attribute, Function function) {
  return driver_call([&](Machine& machine, Lock&) {
    const FunctionRecord& of = machine.checked(function);
    constexpr int kRegisters = 40;
    const fake::Image& image = of.module->image;
    const int compiled_for = image.is_ptx ? machine.device(of.module->device).profile().capability() : image.target;
    switch (attribute) {
      case kFunctionMaxThreadsPerBlock: output(value) = static_cast<int>(fake::block_limit(of.name)); break;
      case kFunctionRegisters: output(value) = kRegisters; break;
      case kFunctionPtxVersion: output(value) = image.target; break;
      case kFunctionBinaryVersion: output(value) = compiled_for; break;
      default: output(value) = 0; break;
    }
  });
}

int cuFuncSetAttribute(Function function, int /*attribute*/, int /*value*/) {
  return driver_call([&](Machine& machine, Lock&) { machine.checked(function); });
}

int cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Function function, int block_size,
                                                std::size_t /*dynamic_shared_bytes*/) {
  return driver_call([&](Machine& machine, Lock&) {
    machine.checked(function);
    if (block_size < 1) throw Failure{kInvalidValue};
    constexpr int kThreads = 1024, kMostBlocks = 16;
    output(blocks) = std::clamp(kThreads / block_size, 1, kMostBlocks);
  });
}

int cuLaunchKernel(Function function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                   unsigned block_y, unsigned block_z, unsigned shared_bytes, Stream stream, void** parameters,
                   void** extra) {
  return driver_call([&](Machine& machine, Lock&) {
    const FunctionRecord& kernel = machine.checked(function);
    StreamRecord& on = machine.stream(stream);
    if (kernel.module->device != on.device) throw Failure{kInvalidHandle};
    check_launch(kernel, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes);
    const bool takes_arguments = kernel.name != kernels::kEmpty;
    if (extra != nullptr || (takes_arguments && (parameters == nullptr || parameters[0] == nullptr))) {
      throw Failure{kInvalidValue};
    }
    const fake::Launch launch{grid_x, block_x, takes_arguments ? parameters[0] : nullptr, kernel.module->image.target};
    machine.submit(on, fake::operation_of(machine, kernel.name, launch));
  });
}

}  // namespace gpuassay::cuda
