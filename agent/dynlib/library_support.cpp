#include "agent/dynlib/library_support.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace gpuassay {
namespace {

/// Higher than any compute capability: this version's successors keep adding new ones.
constexpr int kOpen = 999;

// An image for one capability runs on the same major and an equal or higher minor (sm_80 code runs on 8.9), so
// `highest` is the last minor of the last major that has kernels. Sources: release notes and support matrices of the
// versions named; "measured" is a look at the machine code inside the library; see docs/LIBRARIES.md.
constexpr std::array kTable{
    LibrarySupport{LibraryKind::cublas, {11, 0, 0}, 35, 89, "CUDA 11.0: first sm_80; Kepler 3.5 kept (11.11 measured)"},
    LibrarySupport{LibraryKind::cublas, {11, 11, 0}, 35, 90, "CUDA 11.8: first sm_89 and sm_90"},
    LibrarySupport{LibraryKind::cublas, {12, 0, 0}, 50, 90, "CUDA 12.0: Kepler removed"},
    LibrarySupport{LibraryKind::cublas, {12, 8, 0}, 50, kOpen, "CUDA 12.8: first sm_100 and sm_120"},
    LibrarySupport{LibraryKind::cublas, {13, 0, 0}, 75, kOpen, "CUDA 13.0: Maxwell, Pascal, Volta removed (measured)"},

    // cuBLASLt refuses Kepler: its code is there but unproven; cuBLAS itself serves it.
    LibrarySupport{LibraryKind::cublaslt, {11, 0, 0}, 50, 89, "CUDA 11.0; Kepler unproven"},
    LibrarySupport{LibraryKind::cublaslt, {11, 11, 0}, 50, 90, "CUDA 11.8: first sm_89 and sm_90"},
    LibrarySupport{LibraryKind::cublaslt, {12, 0, 0}, 50, 90, "CUDA 12.0"},
    LibrarySupport{LibraryKind::cublaslt, {12, 8, 0}, 50, kOpen, "CUDA 12.8: first sm_100 and sm_120"},
    LibrarySupport{LibraryKind::cublaslt, {13, 0, 0}, 75, kOpen, "CUDA 13.0: Maxwell, Pascal, Volta removed"},

    LibrarySupport{LibraryKind::cudnn, {8, 0, 0}, 35, 89, "cuDNN 8.0 with CUDA 11.0: 3.5 to 8.0; matrix 8.5.0 has 3.5"},
    LibrarySupport{LibraryKind::cudnn, {8, 6, 0}, 35, 90, "cuDNN 8.6: first Hopper and Ada"},
    LibrarySupport{LibraryKind::cudnn, {8, 8, 0}, 50, 90, "Kepler worked in 8.7 by report, gone from matrix 8.9.1"},
    LibrarySupport{LibraryKind::cudnn, {9, 0, 0}, 50, 90, "cuDNN 9.0"},
    LibrarySupport{LibraryKind::cudnn, {9, 7, 0}, 50, kOpen, "cuDNN 9.7: first Blackwell"},
    LibrarySupport{LibraryKind::cudnn, {9, 11, 0}, 75, kOpen, "matrix 9.10.2 is the last with Maxwell to Volta"},

    // NCCL's kernels are plain copies and sums that its builds carry for every GPU of their CUDA; which CUDA that is
    // it does not tell, so the confirming operation decides.
    LibrarySupport{LibraryKind::nccl, {2, 2, 0}, 35, kOpen, "the basic calls exist since 2.2"},
};

/// The row in force for a version; null when it is older than the first.
const LibrarySupport* row_for(LibraryKind kind, const LibraryVersion& version) {
  const LibrarySupport* found = nullptr;
  for (const LibrarySupport& row : kTable) {
    if (row.kind == kind && row.first <= version) found = &row;
  }
  return found;
}

std::string capability_text(int capability) { return fmt::format("{}.{}", capability / 10, capability % 10); }

/// Lowest cuDriverGetVersion for libraries of one CUDA generation: from 11 on, minor versions of one major work with
/// every driver of that major.
int lowest_driver(int cuda_major) { return cuda_major * 1000; }

/// The driver release that first spoke a CUDA major.
std::string_view driver_release(int cuda_major) {
  switch (cuda_major) {
    case 11: return "450.80";
    case 12: return "525";
    case 13: return "580";
    default: return "a newer";
  }
}

}  // namespace

std::string_view name_of(LibraryKind kind) {
  switch (kind) {
    case LibraryKind::cublas: return "cublas";
    case LibraryKind::cublaslt: return "cublaslt";
    case LibraryKind::cudnn: return "cudnn";
    case LibraryKind::nccl: return "nccl";
  }
  return "?";
}

std::span<const LibrarySupport> library_support_table() { return kTable; }

std::string why_unsuitable(LibraryKind kind, const VersionedLibrary& library, const DeviceNeeds& device) {
  const LibrarySupport* row = row_for(kind, library.version);
  if (row == nullptr) return fmt::format("version {} is older than gpuassay knows", library.version.text());
  if (device.compute_capability < row->lowest_capability || device.compute_capability > row->highest_capability) {
    const bool open = row->highest_capability == kOpen;
    return fmt::format("version {} has no kernels for compute capability {}: it covers {} {}", library.version.text(),
                       capability_text(device.compute_capability), capability_text(row->lowest_capability),
                       open ? "and newer" : "to " + capability_text(row->highest_capability));
  }
  if (library.cuda_major > 0 && device.driver_cuda_version < lowest_driver(library.cuda_major)) {
    return fmt::format("version {} is built with CUDA {}, which needs driver {} or later", library.version.text(),
                       library.cuda_major, driver_release(library.cuda_major));
  }
  return {};
}

LibraryOrder choose(LibraryKind kind, const std::vector<VersionedLibrary>& found, const DeviceNeeds& device) {
  const auto newer = [](const VersionedLibrary& a, const VersionedLibrary& b) { return a.version > b.version; };
  LibraryOrder order;
  for (const VersionedLibrary& library : found) {
    std::string reason = why_unsuitable(kind, library, device);
    if (reason.empty()) {
      order.usable.insert(std::upper_bound(order.usable.begin(), order.usable.end(), library, newer), library);
    } else {
      order.rejected.push_back({library.file, library.version, std::move(reason)});
    }
  }
  return order;
}

}  // namespace gpuassay
