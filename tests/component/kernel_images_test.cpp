// Is what was built what the table says? Every embedded image is opened: ELF header and symbols of cubins, directives
// and entries of PTX. ptxas accepted each PTX for each architecture, or there would be no cubin.
#include <elf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/backends/cuda_images.h"
#include "agent/workloads/compute_reference.h"
#include "core/error.h"
#include "kernels/arguments.h"

namespace gpuassay {
namespace {

constexpr Elf64_Half kMachineCuda = 190;

const char* const kBaseKernels[] = {
    kernels::kStreamCopy, kernels::kStreamMul, kernels::kStreamAdd, kernels::kStreamTriad,  kernels::kRead,
    kernels::kWrite,      kernels::kGather,    kernels::kFill,      kernels::kFillConstant, kernels::kSample,
    kernels::kGate,       kernels::kClock,     kernels::kEmpty};

const char* const kFloorKernels[] = {kernels::kFloorFill, kernels::kFloorTiles, kernels::kFloorNodes};

std::set<std::string> expected_kernels(std::string_view module) {
  std::set<std::string> names;
  if (module == "base") names.insert(std::begin(kBaseKernels), std::end(kBaseKernels));
  if (module == "floor") names.insert(std::begin(kFloorKernels), std::end(kFloorKernels));
  for (const ComputeKernel& kernel : compute_kernels()) {
    if (kernel.module == module) names.emplace(kernel.name);
  }
  return names;
}

/// What the driver would get; kept, as views into it are.
const std::vector<std::byte>& bytes_of(const CudaImage& image) {
  static std::map<const std::byte*, std::vector<std::byte>> kept;
  std::vector<std::byte>& bytes = kept[image.packed.data()];
  if (bytes.empty()) bytes = unpacked(image);
  return bytes;
}

std::string_view text_of(const CudaImage& image) {
  return {reinterpret_cast<const char*>(bytes_of(image).data()), bytes_of(image).size()};
}

/// Copies a record of the image, wherever it lies.
template <class T>
T record_at(const CudaImage& image, std::size_t offset) {
  T record{};
  const std::vector<std::byte>& bytes = bytes_of(image);
  EXPECT_LE(offset + sizeof(T), bytes.size());
  if (offset + sizeof(T) <= bytes.size()) std::memcpy(&record, bytes.data() + offset, sizeof(T));
  return record;
}

/// Global functions of a cubin's symbol table.
std::set<std::string> cubin_kernels(const CudaImage& image) {
  std::set<std::string> names;
  const auto header = record_at<Elf64_Ehdr>(image, 0);
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    const auto section = record_at<Elf64_Shdr>(image, header.e_shoff + std::size_t{i} * header.e_shentsize);
    if (section.sh_type != SHT_SYMTAB) continue;
    const auto strings =
        record_at<Elf64_Shdr>(image, header.e_shoff + std::size_t{section.sh_link} * header.e_shentsize);
    for (std::size_t at = 0; at < section.sh_size; at += sizeof(Elf64_Sym)) {
      const auto symbol = record_at<Elf64_Sym>(image, section.sh_offset + at);
      if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || ELF64_ST_BIND(symbol.st_info) != STB_GLOBAL) continue;
      names.emplace(text_of(image).data() + strings.sh_offset + symbol.st_name);
    }
  }
  return names;
}

std::set<std::string> ptx_kernels(const CudaImage& image) {
  constexpr std::string_view kEntry = ".visible .entry ";
  std::set<std::string> names;
  const std::string_view text = text_of(image);
  for (std::size_t at = text.find(kEntry); at != std::string_view::npos; at = text.find(kEntry, at + 1)) {
    const std::size_t begin = at + kEntry.size();
    names.emplace(text.substr(begin, text.find('(', begin) - begin));
  }
  return names;
}

class EmbeddedImages : public testing::TestWithParam<CudaImage> {};

TEST_P(EmbeddedImages, HasExactlyTheKernelsOfItsModule) {
  const CudaImage& image = GetParam();
  EXPECT_EQ(image.kind == ImageKind::cubin ? cubin_kernels(image) : ptx_kernels(image), expected_kernels(image.module));
}

TEST_P(EmbeddedImages, IsOfTheFormatItClaims) {
  const CudaImage& image = GetParam();
  if (image.kind == ImageKind::cubin) {
    const auto header = record_at<Elf64_Ehdr>(image, 0);
    EXPECT_EQ(std::memcmp(header.e_ident, ELFMAG, SELFMAG), 0);
    EXPECT_EQ(header.e_machine, kMachineCuda);
    EXPECT_EQ(header.e_ident[EI_OSABI], image.toolkit_major == 13 ? 0x41 : 0x33);
    EXPECT_EQ(header.e_ident[EI_ABIVERSION], image.toolkit_major == 13 ? 8 : 7);
    // The architecture stands in the flags: in the low byte up to CUDA 12, in the second one from 13 on.
    const unsigned shift = image.toolkit_major == 13 ? 8 : 0;
    EXPECT_EQ(header.e_flags >> shift & 0xffU, static_cast<unsigned>(image.architecture));
    return;
  }
  const std::string_view text = text_of(image);
  EXPECT_EQ(text.back(), '\0');
  EXPECT_EQ(text.find('\0'), text.size() - 1);
  const std::string version =
      ".version " + std::to_string(image.ptx_isa / 10) + "." + std::to_string(image.ptx_isa % 10);
  EXPECT_NE(text.find(version + "\n"), std::string_view::npos);
  EXPECT_NE(text.find(".target sm_" + std::to_string(image.architecture) + "\n"), std::string_view::npos);
  EXPECT_NE(text.find(".address_size 64\n"), std::string_view::npos);
  EXPECT_EQ(text.find("//"), std::string_view::npos);
}

INSTANTIATE_TEST_SUITE_P(All, EmbeddedImages, testing::ValuesIn(embedded_images().begin(), embedded_images().end()),
                         [](const auto& each) {
                           const CudaImage& image = each.param;
                           return std::string(image.module) + (image.kind == ImageKind::ptx ? "_ptx" : "_cubin") +
                                  std::to_string(image.architecture);
                         });

TEST(EmbeddedTable, EveryModuleHasPtxOfItsLowestCapability) {
  for (const KernelModule& module : kernel_modules()) {
    const auto images = embedded_images();
    EXPECT_TRUE(std::any_of(images.begin(), images.end(), [&](const CudaImage& image) {
      return image.module == module.name && image.kind == ImageKind::ptx &&
             image.architecture <= std::max(module.lowest_capability, 35);
    })) << module.name;
  }
}

TEST(EmbeddedTable, OldPtxIsForEveryDriverInRange) {
  for (const CudaImage& image : embedded_images()) {
    if ((image.module == "base" || image.module == "floor") && image.kind == ImageKind::ptx) {
      EXPECT_EQ(image.ptx_isa, 32);
    }
  }
}

TEST(EmbeddedTable, IsSmall) {
  std::size_t total = 0;
  for (const CudaImage& image : embedded_images()) total += image.packed.size();
  EXPECT_LT(total, 480000U);
}

TEST(EmbeddedTable, ADamagedImageIsNotLoaded) {
  const CudaImage& whole = embedded_images().front();
  std::vector<std::byte> bytes(whole.packed.begin(), whole.packed.end());
  CudaImage damaged = whole;
  bytes[bytes.size() / 2] ^= std::byte{0x40};
  damaged.packed = bytes;
  EXPECT_THROW((void)unpacked(damaged), Error);
  damaged.packed = whole.packed.first(whole.packed.size() - 9);
  EXPECT_THROW((void)unpacked(damaged), Error);
  damaged.packed = {};
  EXPECT_THROW((void)unpacked(damaged), Error);
}

TEST(EmbeddedTable, HasACubinForEveryGpuOfTheRange) {
  const auto images = embedded_images();
  if (std::none_of(images.begin(), images.end(), [](const auto& image) { return image.kind == ImageKind::cubin; })) {
    // Allowed; `./scripts/setup test` installs both, so that CI never comes here.
    GTEST_SKIP() << "built without ptxas: there is PTX alone";
  }
  for (const int capability : {35, 37, 50, 52, 60, 61, 70, 75, 80, 86, 89, 90, 100, 103, 120, 121}) {
    for (const char* module : {"base", "floor"}) {
      const auto order = images_to_try(module, capability, 13000, images);
      ASSERT_GE(order.size(), 2U) << module << " " << capability;
      EXPECT_EQ(order.front()->kind, ImageKind::cubin) << module << " " << capability;
      EXPECT_EQ(order.back()->kind, ImageKind::ptx) << module << " " << capability;
    }
  }
}

// The instruction inside each tensor-core kernel is the one whose shape the reference assumes.
TEST(EmbeddedPtx, TensorCoreKernelsUseTheInstructionOfTheirShape) {
  for (const ComputeKernel& kernel : compute_kernels()) {
    if (kernel.shape == nullptr) continue;
    for (const CudaImage& image : embedded_images()) {
      if (image.module != kernel.module || image.kind != ImageKind::ptx) continue;
      const std::string_view text = text_of(image);
      const std::size_t begin = text.find(".entry " + std::string(kernel.name) + "(");
      ASSERT_NE(begin, std::string_view::npos);
      const std::string_view body = text.substr(begin, text.find(".entry ", begin + 1) - begin);
      const auto names = [](kernels::ElementFormat format, bool accumulator) {
        switch (format) {
          case kernels::ElementFormat::fp64: return "f64";
          case kernels::ElementFormat::fp32: return "f32";
          case kernels::ElementFormat::tf32: return "tf32";
          case kernels::ElementFormat::fp16: return "f16";
          case kernels::ElementFormat::bf16: return "bf16";
          case kernels::ElementFormat::e4m3: return "e4m3";
          default: return accumulator ? "s32" : "s8";
        }
      };
      const auto& s = *kernel.shape;
      const std::string c = names(s.accumulator, true), ab = names(s.operand, false);
      const std::string wanted = "mma.sync.aligned.m" + std::to_string(s.m) + "n" + std::to_string(s.n) + "k" +
                                 std::to_string(s.k) + ".row.col." + c + "." + ab + "." + ab + "." + c + " ";
      std::size_t count = 0;
      for (std::size_t at = body.find("mma.sync"); at != std::string_view::npos; at = body.find("mma.sync", at + 1)) {
        EXPECT_EQ(body.substr(at, wanted.size()), wanted) << kernel.name;
        ++count;
      }
      // Two steps in the loop and one after it.
      EXPECT_EQ(count, 3 * kernels::kMmaChains) << kernel.name;
    }
  }
}

}  // namespace
}  // namespace gpuassay
