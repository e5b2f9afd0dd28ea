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

}  // namespace

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
