// Which vector instructions may this process execute? Asked of the CPU itself, never of a file.
#pragma once

namespace gpuassay {

enum class InstructionSet { sse2, avx2, avx512 };

/// The widest one that the CPU has and the operating system saves the registers of (CPUID leaves 1 and 7, XCR0;
/// Intel SDM volume 1, sections 14.3 and 15.2). The compiler's own query needs a run-time library that the portable
/// build does not have.
InstructionSet widest_instruction_set();

/// Whether multiplications and additions can be fused (leaf 1); every CPU with AVX-512 and nearly every one with AVX2.
bool can_fuse();

}  // namespace gpuassay
