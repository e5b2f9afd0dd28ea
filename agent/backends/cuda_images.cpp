#include "agent/backends/cuda_images.h"

#include <fmt/format.h>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/error.h"

namespace gpuassay {
namespace {

constexpr int kAnyLater = 9999;

// Volta's and Turing's tensor-core instructions are theirs alone: later devices have larger ones.
constexpr std::array kModules{
    KernelModule{"base", 0, kAnyLater},  KernelModule{"floor", 0, kAnyLater}, KernelModule{"sm60", 60, kAnyLater},
    KernelModule{"sm61", 61, kAnyLater}, KernelModule{"sm70", 70, 72},        KernelModule{"sm75", 75, 75},
    KernelModule{"sm80", 80, kAnyLater}, KernelModule{"sm89", 89, kAnyLater}, KernelModule{"sm90", 90, kAnyLater}};

struct PtxRelease {
  int cuda;
  int isa;
};

// From CUDA 9 on; 11.x and 12.x count alike, with the exceptions below.
constexpr std::array kPtxReleases{
    PtxRelease{9000, 60},  PtxRelease{9010, 61},  PtxRelease{9020, 62},  PtxRelease{10000, 63}, PtxRelease{10010, 64},
    PtxRelease{10020, 65}, PtxRelease{11000, 70}, PtxRelease{11010, 71}, PtxRelease{11020, 72}, PtxRelease{11030, 73},
    PtxRelease{11040, 74}, PtxRelease{11050, 75}, PtxRelease{11060, 76}, PtxRelease{11070, 77}, PtxRelease{11080, 78},
    PtxRelease{12000, 80}, PtxRelease{12010, 81}, PtxRelease{12020, 82}, PtxRelease{12030, 83}, PtxRelease{12040, 84},
    PtxRelease{12050, 85}, PtxRelease{12070, 86}, PtxRelease{12080, 87}, PtxRelease{12090, 88}, PtxRelease{13000, 90}};

bool fits(const CudaImage& image, int compute_capability, int driver_cuda_version) {
  if (image.kind == ImageKind::ptx) {
    return image.architecture <= compute_capability && image.ptx_isa <= newest_ptx_isa(driver_cuda_version);
  }
  const bool same_family = image.architecture / 10 == compute_capability / 10;
  const bool driver_reads_it = image.toolkit_major < 13 || driver_cuda_version >= 13000;
  return same_family && image.architecture <= compute_capability && driver_reads_it;
}

bool better(const CudaImage* a, const CudaImage* b) {
  if (a->kind != b->kind) return a->kind == ImageKind::cubin;
  if (a->architecture != b->architecture) return a->architecture > b->architecture;
  // Of two builds for one architecture the older format is read by more drivers.
  return a->kind == ImageKind::cubin ? a->toolkit_major < b->toolkit_major : a->ptx_isa > b->ptx_isa;
}

}  // namespace

std::vector<std::byte> unpacked(const CudaImage& image) {
  constexpr std::size_t kSizeBytes = 8, kMostBytes = std::size_t{16} << 20;
  constexpr unsigned kBitsPerByte = 8;
  std::uint64_t size = 0;
  for (std::size_t i = 0; i < kSizeBytes && i < image.packed.size(); ++i) {
    size |= std::to_integer<std::uint64_t>(image.packed[i]) << (kBitsPerByte * i);
  }
  std::vector<std::byte> bytes(std::min<std::size_t>(size, kMostBytes));
  uLongf written = bytes.size();
  const std::span<const std::byte> stream = image.packed.subspan(std::min(kSizeBytes, image.packed.size()));
  const int status = ::uncompress(reinterpret_cast<Bytef*>(bytes.data()), &written,
                                  reinterpret_cast<const Bytef*>(stream.data()), static_cast<uLong>(stream.size()));
  if (status != Z_OK || written != size) {
    throw Error(ErrorCode::internal,
                fmt::format("the kernels {} of this program are damaged; install it again", describe(image)));
  }
  return bytes;
}

std::span<const KernelModule> kernel_modules() { return kModules; }

int newest_ptx_isa(int driver_cuda_version) {
  int newest = 0;
  for (const PtxRelease& release : kPtxReleases) {
    if (release.cuda <= driver_cuda_version) newest = release.isa;
  }
  return newest;
}

std::vector<const CudaImage*> images_to_try(std::string_view module, int compute_capability, int driver_cuda_version,
                                            std::span<const CudaImage> images) {
  std::vector<const CudaImage*> fitting;
  for (const CudaImage& image : images) {
    if (image.module == module && fits(image, compute_capability, driver_cuda_version)) fitting.push_back(&image);
  }
  std::stable_sort(fitting.begin(), fitting.end(), better);
  return fitting;
}

bool is_image_refusal(int cu_result) {
  constexpr std::array kRefusals{200, 209, 218, 221, 222, 223};
  return std::find(kRefusals.begin(), kRefusals.end(), cu_result) != kRefusals.end();
}

std::string describe(const CudaImage& image) {
  if (image.kind == ImageKind::cubin)
    return fmt::format("sm_{} cubin (CUDA {})", image.architecture, image.toolkit_major);
  return fmt::format("PTX {}.{} (sm_{})", image.ptx_isa / 10, image.ptx_isa % 10, image.architecture);
}

}  // namespace gpuassay
