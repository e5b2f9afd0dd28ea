// What do the parameters after the '?' of an address say? Hostile text to named values. Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace gpuassay {

/// Parameters by name. Reading one that is not there gives an empty optional; empty values are refused.
class QueryString {
 public:
  /// Splits and decodes `text`. Throws Error{usage} in one line for a name that is not among `known`, one that occurs
  /// twice, broken percent-encoding, bytes that are not UTF-8 and control characters.
  QueryString(std::string_view text, std::initializer_list<std::string_view> known);

  [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
  /// Throw Error{usage} for anything but a number from `lowest` to `highest`.
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name, std::int64_t lowest,
                                                    std::int64_t highest) const;
  [[nodiscard]] std::optional<double> number(std::string_view name, double lowest, double highest) const;
  /// Milliseconds since 1970 of an instant or a day.
  [[nodiscard]] std::optional<std::int64_t> instant_ms(std::string_view name) const;
  /// "true" or "false"; false when it is not there.
  [[nodiscard]] bool flag(std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

/// %41 and '+' decoded; empty for broken encoding.
std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace gpuassay
