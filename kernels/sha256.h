// What is the SHA-256 (FIPS 180-4) of one byte and whole pieces of 64 after it? That is how RFC 6962 hashes leaves and
// nodes. For device code and the fake driver; compared with core/merkle.h, which has it from a library. Functions are
// constexpr so that clang takes them for device code as well.
#pragma once

#include "kernels/fixed_width.h"

namespace gpuassay::kernels {

/// Bytes and 32-bit words that are hashed at a time, and words of a digest.
inline constexpr UInt32 kSha256PieceBytes = 64, kSha256PieceWords = 16, kDigestWords = 8;

/// The first 32 bits of the fractions of the first 64 primes' cube roots.
struct Sha256Constants {
  UInt32 word[64];
};
inline constexpr Sha256Constants kSha256Constants{
    {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
     0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
     0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
     0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
     0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
     0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
     0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
     0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2}};

struct Sha256State {
  UInt32 word[kDigestWords] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                               0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
};

constexpr UInt32 rotated_right(UInt32 x, UInt32 bits) { return x >> bits | x << (32 - bits); }

/// The bytes of a word in the other order: memory is little-endian, SHA-256 is not.
constexpr UInt32 bytes_reversed(UInt32 x) { return x << 24 | (x << 8 & 0xff0000U) | (x >> 8 & 0xff00U) | x >> 24; }

/// One round; a..h are `s` turned by the caller.
constexpr void sha256_round(Sha256State& s, UInt32 constant_and_word) {
  const UInt32 a = s.word[0], e = s.word[4];
  const UInt32 sum1 = rotated_right(e, 6) ^ rotated_right(e, 11) ^ rotated_right(e, 25);
  const UInt32 choice = (e & s.word[5]) ^ (~e & s.word[6]);
  const UInt32 first = s.word[7] + sum1 + choice + constant_and_word;
  const UInt32 sum0 = rotated_right(a, 2) ^ rotated_right(a, 13) ^ rotated_right(a, 22);
  const UInt32 majority = (a & s.word[1]) ^ (a & s.word[2]) ^ (s.word[1] & s.word[2]);
  s.word[7] = s.word[6], s.word[6] = s.word[5], s.word[5] = e;
  s.word[4] = s.word[3] + first;
  s.word[3] = s.word[2], s.word[2] = s.word[1], s.word[1] = a;
  s.word[0] = first + sum0 + majority;
}

/// Word i of the next sixteen of the schedule, in the place of the one sixteen before it.
constexpr void next_word(UInt32 (&w)[kSha256PieceWords], UInt32 i) {
  const UInt32 far = w[(i + 1) % 16], near = w[(i + 14) % 16];
  w[i] += (rotated_right(far, 7) ^ rotated_right(far, 18) ^ far >> 3) + w[(i + 9) % 16] +
          (rotated_right(near, 17) ^ rotated_right(near, 19) ^ near >> 10);
}

/// Takes one piece in; `constants` are kSha256Constants, wherever they are read fastest. Sixteen rounds are written
/// out, four times over: then the schedule stays in sixteen registers, and the code in the instruction caches.
template <class Constants>
constexpr void sha256_piece(const Constants& constants, Sha256State& state, UInt32 (&w)[kSha256PieceWords]) {
  Sha256State s = state;
#pragma unroll 1
  for (UInt32 turn = 0; turn < 64; turn += 16) {
    if (turn > 0) {
#pragma unroll
      for (UInt32 i = 0; i < kSha256PieceWords; ++i) next_word(w, i);
    }
#pragma unroll
    for (UInt32 i = 0; i < kSha256PieceWords; ++i) sha256_round(s, constants.word[turn + i] + w[i]);
  }
#pragma unroll
  for (UInt32 i = 0; i < kDigestWords; ++i) state.word[i] += s.word[i];
}

/// SHA-256 of the byte `prefix` and `pieces` pieces of 64 bytes: load(piece, w) gives the words of one as they lie in
/// memory. Each byte stands one place later than in memory, because of the prefix.
template <class Constants, class Load>
constexpr Sha256State sha256_after(const Constants& constants, UInt32 prefix, UInt32 pieces, Load load) {
  Sha256State state;
  UInt32 before = prefix;
#pragma unroll 1
  for (UInt32 piece = 0; piece <= pieces; ++piece) {
    UInt32 w[kSha256PieceWords] = {};
    if (piece < pieces) {
      load(piece, w);
#pragma unroll
      for (UInt32 i = 0; i < kSha256PieceWords; ++i) {
        const UInt32 word = bytes_reversed(w[i]);
        w[i] = before << 24 | word >> 8;
        before = word;
      }
    } else {
      w[0] = before << 24 | 0x800000U;
      w[kSha256PieceWords - 1] = 8 * (pieces * kSha256PieceBytes + 1);
    }
    sha256_piece(constants, state, w);
  }
  return state;
}

/// Word i of the digest as it lies in memory.
constexpr UInt32 digest_word(const Sha256State& state, UInt32 i) { return bytes_reversed(state.word[i]); }

}  // namespace gpuassay::kernels
