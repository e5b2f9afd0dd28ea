// What can go wrong, as one closed list, and the one exception type that carries it.
// Caught only at the boundaries listed in docs/ARCHITECTURE.md (measure_case, upload, collector routes, main).
#pragma once

#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

namespace gpuassay {

/// Closed list of failure kinds; each maps to one exit code (see exit_code_for in agent/exit_code.h).
enum class ErrorCode {
  usage,               ///< the command line asks for something that does not exist
  unreadable_input,    ///< a file given by the user is missing, corrupt, too large or too new
  unsupported,         ///< this device or library cannot do the operation: the case is skipped
  library_missing,     ///< a run-time library or symbol is absent
  library_failed,      ///< a library call returned an error status
  nothing_measurable,  ///< no device is usable
  out_of_memory,       ///< host or device memory does not suffice
  hardware_fault,      ///< the device itself is broken: uncorrectable memory errors, fallen off the bus
  not_saved,           ///< a file could not be written durably
  busy,                ///< another gpuassay run holds the data directory
  network,             ///< no usable answer from a server
  refused,             ///< a server answered that it will not take the request
  database,            ///< SQLite or PostgreSQL reported an error
  internal,            ///< a bug in gpuassay
};

/// Stable lower-case name of `code`, as used in `reasons[].code`.
std::string_view name_of(ErrorCode code);

/// An error whose `what()` is one line that says what happened, why, and what to do next.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message, std::optional<int> native_code = std::nullopt,
        std::source_location where = std::source_location::current());

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  /// Status of the C library, errno or HTTP status the error came from, when there was one.
  [[nodiscard]] std::optional<int> native_code() const noexcept { return native_code_; }
  [[nodiscard]] const std::source_location& where() const noexcept { return where_; }

 private:
  ErrorCode code_;
  std::optional<int> native_code_;
  std::source_location where_;
};

/// Throws Error{code} with "`what`: <strerror(errno_value)>".
[[noreturn]] void throw_errno(ErrorCode code, const std::string& what, int errno_value,
                              std::source_location where = std::source_location::current());

}  // namespace gpuassay
