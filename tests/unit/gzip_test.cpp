#include "collector/gzip.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

using namespace std::string_literals;

/// "hello", packed by another program (Python's gzip, without a time).
const std::string kHello =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00"s;

constexpr std::size_t kMuch = 1U << 20U;

std::string gzipped(std::string_view text) {
  GzipWriter writer;
  std::string bytes = writer.add(text);
  return bytes + writer.finish();
}

GunzipStatus status_of(std::string_view bytes, std::size_t most_bytes = kMuch) {
  std::string ignored;
  return gunzip(bytes, most_bytes, ignored);
}

TEST(Gzip, ReadsWhatOthersWrote) {
  std::string text;
  EXPECT_EQ(gunzip(kHello, kMuch, text), GunzipStatus::ok);
  EXPECT_EQ(text, "hello");
}

TEST(Gzip, TheLimitIsExact) {
  EXPECT_EQ(status_of(kHello, 5), GunzipStatus::ok);
  EXPECT_EQ(status_of(kHello, 4), GunzipStatus::too_large);
  EXPECT_EQ(status_of(gzipped(""), 0), GunzipStatus::ok);
}

TEST(Gzip, EveryTruncationIsBroken) {
  for (std::size_t length = 0; length < kHello.size(); ++length)
    EXPECT_EQ(status_of(std::string_view(kHello).substr(0, length)), GunzipStatus::broken) << length;
}

TEST(Gzip, DamageIsBroken) {
  constexpr std::size_t kHeaderBytes = 10;  // of which time and system may be anything
  for (std::size_t at = kHeaderBytes; at < kHello.size(); ++at) {
    std::string damaged = kHello;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x01);
    EXPECT_NE(status_of(damaged), GunzipStatus::ok) << at;
  }
  EXPECT_EQ(status_of("{\"not\": \"packed\"}"), GunzipStatus::broken);
}

TEST(Gzip, OneMemberAndNothingBehindIt) {
  EXPECT_EQ(status_of(kHello + kHello), GunzipStatus::broken);
  EXPECT_EQ(status_of(kHello + "\0"s), GunzipStatus::broken);
}

TEST(Gzip, OtherFormatsOfTheLibraryAreRefused) {
  // The same text in zlib's format (RFC 1950) and as bare deflate.
  EXPECT_EQ(status_of("\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15"s), GunzipStatus::broken);
  EXPECT_EQ(status_of("\xcb\x48\xcd\xc9\xc9\x07\x00"s), GunzipStatus::broken);
}

TEST(Gzip, ABombIsStoppedAtTheLimit) {
  const std::string bomb = gzipped(std::string(std::size_t{64} << 20U, '\0'));
  ASSERT_LT(bomb.size(), kMuch / 8);
  std::string text;
  EXPECT_EQ(gunzip(bomb, kMuch, text), GunzipStatus::too_large);
  EXPECT_EQ(text.size(), kMuch + 1);
  EXPECT_LE(text.capacity(), 2 * kMuch + 2);
}

TEST(Gzip, PiecesMakeOneMember) {
  std::string whole, bytes;
  GzipWriter writer;
  for (int number = 0; number < 20'000; ++number) {
    const std::string piece = std::to_string(number * 7919) + ",";
    whole += piece;
    bytes += writer.add(piece);
  }
  bytes += writer.finish();
  std::string text;
  EXPECT_EQ(gunzip(bytes, kMuch, text), GunzipStatus::ok);
  EXPECT_EQ(text, whole);
  EXPECT_LT(bytes.size(), whole.size());
}

}  // namespace
}  // namespace gpuassay
