#include "core/error.h"

#include <system_error>

namespace gpuassay {

std::string_view name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage: return "usage";
    case ErrorCode::unreadable_input: return "unreadable_input";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::library_missing: return "library_missing";
    case ErrorCode::library_failed: return "library_failed";
    case ErrorCode::nothing_measurable: return "nothing_measurable";
    case ErrorCode::out_of_memory: return "out_of_memory";
    case ErrorCode::hardware_fault: return "hardware_fault";
    case ErrorCode::not_saved: return "not_saved";
    case ErrorCode::busy: return "busy";
    case ErrorCode::network: return "network";
    case ErrorCode::refused: return "refused";
    case ErrorCode::database: return "database";
    case ErrorCode::internal: return "internal";
  }
  return "internal";
}

Error::Error(ErrorCode code, const std::string& message, std::optional<int> native_code, std::source_location where)
    : std::runtime_error(message), code_(code), native_code_(native_code), where_(where) {}

void throw_errno(ErrorCode code, const std::string& what, int errno_value, std::source_location where) {
  throw Error(code, what + ": " + std::generic_category().message(errno_value), errno_value, where);
}

}  // namespace gpuassay
