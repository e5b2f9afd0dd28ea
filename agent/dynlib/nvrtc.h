// Which run-time compiler does cuDNN find? Its engines open libnvrtc by soname, and that opens its built-ins by name:
// on images with wheels alone no loader path leads to either.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/dynlib/library_candidates.h"
#include "agent/dynlib/library_support.h"

namespace gpuassay::nvrtc {

/// One soname per CUDA major that gpuassay knows, newest first. From 11.2 on a major has one.
std::vector<std::string> sonames();

/// The copy among `found` that this cuDNN asks for: of its own CUDA major, one of the same place preferred. Empty when
/// there is none or cuDNN does not tell its CUDA.
std::optional<LibraryCandidate> companion_of(const VersionedLibrary& cudnn, const std::vector<LibraryCandidate>& found);

/// Opens the built-ins beside it and itself, so that whoever asks by name finds them. Never throws: what is missing
/// costs the engines that need it, and cuDNN then says so.
void preload(const LibraryCandidate& candidate);

}  // namespace gpuassay::nvrtc
