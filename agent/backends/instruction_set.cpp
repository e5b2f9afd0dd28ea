#include "agent/backends/instruction_set.h"

#include <cpuid.h>

#include <cstdint>

namespace gpuassay {
namespace {

constexpr std::uint32_t kFmaBit = 1U << 12U;      ///< leaf 1, ECX
constexpr std::uint32_t kOsxsaveBit = 1U << 27U;  ///< leaf 1, ECX
constexpr std::uint32_t kAvx2Bit = 1U << 5U;      ///< leaf 7, EBX
constexpr std::uint32_t kAvx512fBit = 1U << 16U;  ///< leaf 7, EBX
constexpr std::uint32_t kYmmState = 0x6;          ///< XCR0: SSE and AVX registers are saved
constexpr std::uint32_t kZmmState = 0xE6;         ///< and the mask and 512-bit ones

/// The register sets the operating system saves; xgetbv itself needs the OSXSAVE bit.
std::uint32_t saved_register_state() {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

}  // namespace

InstructionSet widest_instruction_set() {
  std::uint32_t eax = 0;
  std::uint32_t ebx = 0;
  std::uint32_t ecx = 0;
  std::uint32_t edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kOsxsaveBit) == 0) return InstructionSet::sse2;
  const std::uint32_t saved = saved_register_state();
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return InstructionSet::sse2;
  if ((ebx & kAvx512fBit) != 0 && (saved & kZmmState) == kZmmState) return InstructionSet::avx512;
  if ((ebx & kAvx2Bit) != 0 && (saved & kYmmState) == kYmmState) return InstructionSet::avx2;
  return InstructionSet::sse2;
}

bool can_fuse() {
  std::uint32_t eax = 0;
  std::uint32_t ebx = 0;
  std::uint32_t ecx = 0;
  std::uint32_t edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & kFmaBit) != 0;
}

}  // namespace gpuassay
