#include "agent/backends/cuda_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"

namespace gpuassay {
namespace {

int attribute(const cuda::Api& api, cuda::Device device, int which) {
  int value = 0;
  cuda::check(api, api.cuDeviceGetAttribute(&value, which, device), "cuDeviceGetAttribute");
  return value;
}

CudaFacts facts_of(const cuda::Api& api, cuda::Device device) {
  CudaFacts facts;
  cuda::check(api, api.cuDriverGetVersion(&facts.driver_version), "cuDriverGetVersion");
  facts.compute_capability = 10 * attribute(api, device, cuda::kComputeCapabilityMajor) +
                             attribute(api, device, cuda::kComputeCapabilityMinor);
  facts.sm_count = attribute(api, device, cuda::kMultiprocessorCount);
  facts.l2_bytes = attribute(api, device, cuda::kL2CacheSize);
  facts.async_engines = attribute(api, device, cuda::kAsyncEngineCount);
  return facts;
}

}  // namespace

OwnedStream make_stream(const cuda::Api& api) {
  cuda::Stream stream = nullptr;
  cuda::check(api, api.cuStreamCreate(&stream, cuda::kStreamNonBlocking), "cuStreamCreate");
  return {stream, api.cuStreamDestroy_v2};
}

OwnedEvent make_event(const cuda::Api& api, unsigned flags) {
  cuda::Event event = nullptr;
  cuda::check(api, api.cuEventCreate(&event, flags), "cuEventCreate");
  return {event, api.cuEventDestroy_v2};
}

CudaContext::CudaContext(const LibraryCandidate& driver, int ordinal)
    : driver_(cuda::load(driver)),
      stream_(nullptr, api().cuStreamDestroy_v2),
      begin_(nullptr, api().cuEventDestroy_v2),
      end_(nullptr, api().cuEventDestroy_v2) {
  const cuda::Api& calls = api();
  cuda::check(calls, calls.cuInit(0), "cuInit");
  cuda::check(calls, calls.cuDeviceGet(&device_, ordinal), "cuDeviceGet");
  facts_ = facts_of(calls, device_);
  // Spinning hears of the end of work sooner than an interrupt; refused where the context is in use already.
  if (calls.cuDevicePrimaryCtxSetFlags_v2 != nullptr) {
    (void)calls.cuDevicePrimaryCtxSetFlags_v2(device_, cuda::kScheduleSpin);
  }
  cuda::check(calls, calls.cuDevicePrimaryCtxRetain(&context_, device_), "cuDevicePrimaryCtxRetain");
  make_current();
  stream_ = make_stream(calls);
  begin_ = make_event(calls, cuda::kEventDefault);
  end_ = make_event(calls, cuda::kEventDefault);
  modules_ = std::make_unique<CudaModules>(calls, facts_.compute_capability, facts_.driver_version);
}

// The primary context stays retained: libraries that use it may outlive this object, and the process ends soon.
CudaContext::~CudaContext() = default;

void CudaContext::make_current() const { cuda::check(api(), api().cuCtxSetCurrent(context_), "cuCtxSetCurrent"); }

std::int64_t CudaContext::free_bytes() const {
  std::size_t free = 0, total = 0;
  cuda::check(api(), api().cuMemGetInfo_v2(&free, &total), "cuMemGetInfo_v2");
  return static_cast<std::int64_t>(free);
}

void CudaContext::launch_raw(cuda::Function function, std::int64_t blocks, unsigned threads,
                             const void* arguments) const {
  // The driver takes an array of pointers to the parameters and copies what they point to before it returns.
  void* parameter = const_cast<void*>(arguments);
  void** parameters = arguments == nullptr ? nullptr : &parameter;
  cuda::check(api(),
              api().cuLaunchKernel(function, static_cast<unsigned>(blocks), 1, 1, threads, 1, 1, 0, stream_.get(),
                                   parameters, nullptr),
              "cuLaunchKernel");
}

void CudaContext::synchronize() const {
  cuda::check(api(), api().cuStreamSynchronize(stream_.get()), "cuStreamSynchronize");
}

std::optional<Error> CudaContext::fatal_error() const {
  try {
    make_current();  // another device's may be: it would speak for itself
    cuda::check(api(), api().cuCtxSynchronize(), "cuCtxSynchronize");
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

std::int64_t CudaContext::time_ns(const std::function<void()>& enqueue) const {
  cuda::check(api(), api().cuEventRecord(begin_.get(), stream_.get()), "cuEventRecord");
  enqueue();
  cuda::check(api(), api().cuEventRecord(end_.get(), stream_.get()), "cuEventRecord");
  cuda::check(api(), api().cuEventSynchronize(end_.get()), "cuEventSynchronize");
  float elapsed_ms = 0;
  cuda::check(api(), api().cuEventElapsedTime(&elapsed_ms, begin_.get(), end_.get()), "cuEventElapsedTime");
  constexpr double kNsPerMs = 1e6;
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(elapsed_ms) * kNsPerMs));
}

void CudaContext::fill(const DeviceBuffer& buffer, kernels::ElementFormat format, std::uint64_t seed,
                       std::int64_t count) {
  kernels::FillArguments arguments{};
  arguments.destination = buffer.address();
  arguments.count = static_cast<std::uint64_t>(count);
  arguments.seed = seed;
  arguments.format = static_cast<kernels::UInt32>(format);
  constexpr std::int64_t kElementsPerBlock = std::int64_t{16} * kernels::kBlockThreads;
  launch(kernels::kFill, blocks_for(count, kElementsPerBlock), arguments);
}

void CudaContext::fill_words(const DeviceBuffer& buffer, std::uint32_t pattern) {
  kernels::FillConstantArguments arguments{};
  arguments.destination = buffer.address();
  arguments.size_bytes = buffer.size_bytes() / 4 * 4;
  arguments.pattern = pattern;
  launch(kernels::kFillConstant, blocks_for(static_cast<std::int64_t>(buffer.size_bytes()), kernels::kTileBytes),
         arguments);
}

std::vector<std::uint64_t> CudaContext::sample(const DeviceBuffer& buffer, unsigned element_bytes,
                                               const std::vector<std::int64_t>& positions) {
  const std::size_t count = positions.size();
  const DeviceBuffer places = allocate(count * sizeof(std::int64_t));
  const DeviceBuffer elements = allocate(count * element_bytes);
  write(places, positions.data(), places.size_bytes());
  kernels::SampleArguments arguments{};
  arguments.source = buffer.address();
  arguments.positions = places.address();
  arguments.destination = elements.address();
  arguments.count = count;
  arguments.element_bytes = element_bytes;
  launch(kernels::kSample, blocks_for(static_cast<std::int64_t>(count), kernels::kBlockThreads), arguments);
  std::vector<std::byte> raw(elements.size_bytes());
  read(elements, raw);
  std::vector<std::uint64_t> bits(count, 0);
  for (std::size_t i = 0; i < count; ++i) std::memcpy(&bits[i], raw.data() + i * element_bytes, element_bytes);
  return bits;
}

void CudaContext::write(const DeviceBuffer& buffer, const void* source, std::size_t size_bytes) const {
  // The plain call is ordered with the default stream only and may return before the bytes have arrived. This one
  // stages pageable memory before it returns.
  cuda::check(api(), api().cuMemcpyHtoDAsync_v2(buffer.address(), source, size_bytes, stream_.get()),
              "cuMemcpyHtoDAsync_v2");
}

void CudaContext::read(const DeviceBuffer& buffer, std::span<std::byte> target) const {
  if (target.size() > buffer.size_bytes()) {
    throw Error(ErrorCode::internal,
                fmt::format("{} bytes asked of a buffer of {}", target.size(), buffer.size_bytes()));
  }
  synchronize();  // the copy is not ordered with our stream
  cuda::check(api(), api().cuMemcpyDtoH_v2(target.data(), buffer.address(), target.size()), "cuMemcpyDtoH_v2");
}

std::int64_t blocks_for(std::int64_t count, std::int64_t per_block) {
  constexpr std::int64_t kMaxGrid = 0x7fffffff;
  return std::clamp<std::int64_t>((count + per_block - 1) / per_block, 1, kMaxGrid);
}

}  // namespace gpuassay
