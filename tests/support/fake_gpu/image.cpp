#include "tests/support/fake_gpu/image.h"

#include <elf.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

#include "tests/support/fake_gpu/machine.h"

namespace gpuassay::fake {
namespace {

constexpr unsigned char kOldAbi = 7, kNewAbi = 8;
/// The first driver branch that reads ABI version 8, which CUDA 13 writes.
constexpr int kNewAbiBranch = 580;

template <class Value>
Value at(const unsigned char* bytes, std::size_t offset) {
  Value value{};
  std::memcpy(&value, bytes + offset, sizeof(value));
  return value;
}

/// Where CUDA 13's ptxas and older ones keep the architecture's number, as they write it.
int architecture_of(const Elf64_Ehdr& header) {
  const bool newer = header.e_ident[EI_ABIVERSION] >= kNewAbi;
  return static_cast<int>((newer ? header.e_flags >> 8U : header.e_flags) & 0xffU);
}

std::vector<std::string> kernels_of(const unsigned char* bytes, const Elf64_Ehdr& header) {
  constexpr std::string_view kText = ".text.";
  std::vector<std::string> kernels;
  const auto section = [&](std::size_t index) {
    return at<Elf64_Shdr>(bytes, header.e_shoff + index * header.e_shentsize);
  };
  const Elf64_Shdr names = section(header.e_shstrndx);
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    const std::string_view name(reinterpret_cast<const char*>(bytes + names.sh_offset + section(i).sh_name));
    if (name.substr(0, kText.size()) == kText) kernels.emplace_back(name.substr(kText.size()));
  }
  return kernels;
}

Image accept_cubin(const unsigned char* bytes, const GpuProfile& gpu, const DriverVersion& driver) {
  const auto header = at<Elf64_Ehdr>(bytes, 0);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_CUDA) throw Failure{cuda::kInvalidImage};
  const unsigned char abi = header.e_ident[EI_ABIVERSION];
  if (abi < kOldAbi || abi > kNewAbi) throw Failure{cuda::kInvalidImage};
  if (abi == kNewAbi && driver.branch < kNewAbiBranch) throw Failure{cuda::kInvalidImage};
  Image image;
  image.target = architecture_of(header);
  if (image.target / 10 != gpu.major || image.target % 10 > gpu.minor) throw Failure{cuda::kNoBinaryForGpu};
  image.kernels = kernels_of(bytes, header);
  return image;
}

/// What follows `directive` on its line; empty when there is no such line.
std::string_view directive(std::string_view text, std::string_view name) {
  std::size_t found = text.find(name);
  while (found != std::string_view::npos && found != 0 && text[found - 1] != '\n') found = text.find(name, found + 1);
  if (found == std::string_view::npos) return {};
  const std::size_t begin = found + name.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

int number(const std::string& text) { return static_cast<int>(std::strtol(text.c_str(), nullptr, 10)); }

/// "8.4" as 84.
int decimal_pair(std::string_view text) {
  const std::string copy(text);
  const std::size_t dot = copy.find('.');
  if (dot == std::string::npos) return 0;
  return 10 * number(copy) + number(copy.substr(dot + 1));
}

std::vector<std::string> entries_of(std::string_view text) {
  constexpr std::string_view kEntry = ".entry ";
  std::vector<std::string> kernels;
  for (std::size_t found = text.find(kEntry); found != std::string_view::npos; found = text.find(kEntry, found + 1)) {
    const std::size_t begin = found + kEntry.size();
    kernels.emplace_back(text.substr(begin, text.find_first_of("( \n", begin) - begin));
  }
  return kernels;
}

Image accept_ptx(std::string_view text, const GpuProfile& gpu, const DriverVersion& driver) {
  Image image;
  image.is_ptx = true;
  image.ptx_isa = decimal_pair(directive(text, ".version "));
  const std::string_view target = directive(text, ".target sm_");
  image.target = number(std::string(target));
  if (image.ptx_isa == 0 || image.target == 0) throw Failure{cuda::kInvalidImage};
  if (image.ptx_isa > driver.ptx_isa()) throw Failure{cuda::kUnsupportedPtxVersion};
  const char* disabled = std::getenv("CUDA_DISABLE_PTX_JIT");
  if (disabled != nullptr && std::strcmp(disabled, "1") == 0) throw Failure{cuda::kJitCompilationDisabled};
  if (image.target > gpu.capability()) throw Failure{cuda::kInvalidPtx};
  image.kernels = entries_of(text);
  if (image.kernels.empty()) throw Failure{cuda::kInvalidPtx};
  return image;
}

}  // namespace

Image accept_image(const void* image, const GpuProfile& gpu, const DriverVersion& driver) {
  if (image == nullptr) throw Failure{cuda::kInvalidValue};
  const auto* bytes = static_cast<const unsigned char*>(image);
  if (std::strncmp(static_cast<const char*>(image), ELFMAG, SELFMAG) == 0) return accept_cubin(bytes, gpu, driver);
  const auto first = static_cast<char>(bytes[0]);
  if (first != '.' && first != '/' && first != '\n') throw Failure{cuda::kInvalidImage};
  return accept_ptx(static_cast<const char*>(image), gpu, driver);
}

}  // namespace gpuassay::fake
