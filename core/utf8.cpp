#include "core/utf8.h"

#include <array>
#include <cstdint>

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

}  // namespace

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
