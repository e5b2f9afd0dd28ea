#include "core/utf8.h"

#include <array>
#include <cstdint>
#include <utility>

namespace gpuassay {
namespace {

struct Lead {
  unsigned char first, last;  ///< range of the first byte
  std::size_t length;         ///< of the sequence
  unsigned char low, high;    ///< range of the second byte; all later ones are 80 to BF
};

// RFC 3629, section 4.
constexpr std::array<Lead, 8> kLeads{{{0xC2, 0xDF, 2, 0x80, 0xBF},
                                      {0xE0, 0xE0, 3, 0xA0, 0xBF},
                                      {0xE1, 0xEC, 3, 0x80, 0xBF},
                                      {0xED, 0xED, 3, 0x80, 0x9F},
                                      {0xEE, 0xEF, 3, 0x80, 0xBF},
                                      {0xF0, 0xF0, 4, 0x90, 0xBF},
                                      {0xF1, 0xF3, 4, 0x80, 0xBF},
                                      {0xF4, 0xF4, 4, 0x80, 0x8F}}};

/// Length of the sequence at `at`; 0 when there is no good one.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t place) { return static_cast<unsigned char>(text[place]); };
  for (const Lead& lead : kLeads) {
    if (byte(at) < lead.first || byte(at) > lead.last) continue;
    if (text.size() - at < lead.length || byte(at + 1) < lead.low || byte(at + 1) > lead.high) return 0;
    for (std::size_t next = at + 2; next < at + lead.length; ++next) {
      if (byte(next) < 0x80 || byte(next) > 0xBF) return 0;
    }
    return lead.length;
  }
  return 0;
}

/// Of good UTF-8.
std::uint32_t code_point(std::string_view sequence) {
  const auto byte = [&](std::size_t place) { return static_cast<unsigned char>(sequence[place]); };
  constexpr std::array<unsigned, 5> kLeadBits{0, 0x7F, 0x1F, 0x0F, 0x07};
  std::uint32_t value = byte(0) & kLeadBits[sequence.size()];
  for (std::size_t place = 1; place < sequence.size(); ++place) value = value << 6U | (byte(place) & 0x3FU);
  return value;
}

bool is_printable(std::uint32_t c) {
  const bool is_control = c < 0x20 || (c >= 0x7F && c <= 0x9F);
  const bool is_direction =
      c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
  return !is_control && !is_direction && c != 0x2028 && c != 0x2029 && c != 0xFEFF;
}

/// Unicode 15: general categories Cc, Cf, Zs, Zl and Zp, and what else Default_Ignorable_Code_Point or blank glyphs
/// show nothing of.
constexpr std::array<std::pair<std::uint32_t, std::uint32_t>, 30> kInvisible{
    {{0x0, 0x20},        {0x7F, 0xA0},       {0xAD, 0xAD},       {0x34F, 0x34F},     {0x600, 0x605},
     {0x61C, 0x61C},     {0x6DD, 0x6DD},     {0x70F, 0x70F},     {0x890, 0x891},     {0x8E2, 0x8E2},
     {0x115F, 0x1160},   {0x1680, 0x1680},   {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x2000, 0x200F},
     {0x2028, 0x202F},   {0x205F, 0x206F},   {0x2800, 0x2800},   {0x3000, 0x3000},   {0x3164, 0x3164},
     {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},   {0x110BD, 0x110BD},
     {0x110CD, 0x110CD}, {0x13430, 0x13438}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}}};

bool is_visible(std::uint32_t c) {
  for (const auto& [first, last] : kInvisible)
    if (c >= first && c <= last) return false;
  return true;
}

}  // namespace

std::optional<std::uint32_t> first_visible(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const bool is_ascii = static_cast<unsigned char>(text[at]) < 0x80;
    const std::size_t length = is_ascii ? 1 : sequence_length(text, at);
    if (length > 0) {
      const std::uint32_t c = code_point(text.substr(at, length));
      if (is_visible(c)) return c;
    }
    at += length > 0 ? length : 1;
  }
  return std::nullopt;
}

std::string printable_utf8(std::string_view text) {
  std::string printable;
  for (std::size_t at = 0; at < text.size();) {
    const bool is_ascii = static_cast<unsigned char>(text[at]) < 0x80;
    const std::size_t length = is_ascii ? 1 : sequence_length(text, at);
    const std::string_view sequence = text.substr(at, length);
    if (length > 0 && is_printable(code_point(sequence))) printable += sequence;
    at += length > 0 ? length : 1;
  }
  return printable;
}

std::optional<std::size_t> first_bad_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const std::size_t length = sequence_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

}  // namespace gpuassay
