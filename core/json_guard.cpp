#include "core/json_guard.h"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/error.h"

namespace gpuassay {
namespace {

/// Reads bytes and leaves its position where the checker can see it.
class TrackedBytes {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackedBytes(const char* at, const char** seen) : at_(at), seen_(seen) {}
  reference operator*() const { return *at_; }
  TrackedBytes& operator++() {
    *seen_ = ++at_;
    return *this;
  }
  TrackedBytes operator++(int) {
    const TrackedBytes before = *this;
    ++*this;
    return before;
  }
  bool operator==(const TrackedBytes& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  const char** seen_;
};

/// Receives the parser's events and refuses at the first one beyond the limits; keeps only the open objects' keys.
class LimitChecker : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit LimitChecker(const JsonLimits& limits) : limits_(limits) {}

  [[nodiscard]] const std::string& problem() const { return problem_; }

  bool null() override { return count_value(); }
  bool boolean(bool) override { return count_value(); }
  bool number_integer(number_integer_t) override { return count_value(); }
  bool number_unsigned(number_unsigned_t) override { return count_value(); }
  bool number_float(number_float_t, const string_t& digits) override {
    return within_length(digits, "a number") && count_value();
  }
  bool string(string_t& text) override {
    // No name or text has one, and PostgreSQL cannot keep it.
    if (text.find('\0') != string_t::npos) return refuse("a string has a NUL character");
    return within_length(text, "a string") && count_value();
  }
  bool binary(binary_t&) override { return refuse("binary values are not JSON"); }
  bool start_object(std::size_t) override { return open(); }
  bool key(string_t& name) override {
    if (!within_length(name, "a key")) return false;
    return open_keys_.back().insert(name).second || refuse("a key occurs twice in one object");
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    // 406: the number does not fit a double; everything else is syntax or UTF-8.
    return refuse(error.id == 406 ? "a number is too large" : "not valid JSON");
  }

 private:
  bool refuse(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
    return false;
  }
  bool count_value() {
    return ++values_ <= limits_.max_values || refuse(fmt::format("more than {} values", limits_.max_values));
  }
  bool within_length(const std::string& text, std::string_view what) {
    return text.size() <= limits_.max_string_bytes ||
           refuse(fmt::format("{} is longer than {} bytes", what, limits_.max_string_bytes));
  }
  bool open() {
    if (open_keys_.size() >= limits_.max_depth)
      return refuse(fmt::format("nested deeper than {} levels", limits_.max_depth));
    open_keys_.emplace_back();
    return count_value();
  }
  bool close() {
    open_keys_.pop_back();
    return true;
  }

  const JsonLimits& limits_;
  std::size_t values_ = 0;
  std::vector<std::unordered_set<std::string>> open_keys_;  // one set for each open object or array
  std::string problem_;
};

[[noreturn]] void refuse_document(const std::string& problem, std::ptrdiff_t offset_bytes) {
  throw Error(ErrorCode::unreadable_input,
              fmt::format("JSON document refused at byte {}: {}; send the document as gpuassay wrote it", offset_bytes,
                          problem));
}

}  // namespace

void check_untrusted_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) refuse_document(fmt::format("longer than {} bytes", limits.max_bytes), 0);
  // The parser takes a zero byte for the end of the text, which would hide whatever follows it.
  if (const auto zero = text.find('\0'); zero != std::string_view::npos)
    refuse_document("a zero byte", static_cast<std::ptrdiff_t>(zero));

  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* seen = begin;
  LimitChecker checker(limits);
  if (!nlohmann::json::sax_parse(TrackedBytes(begin, &seen), TrackedBytes(end, &seen), &checker))
    refuse_document(checker.problem(), seen - begin);
}

nlohmann::json parse_untrusted_json(std::string_view text, const JsonLimits& limits) {
  check_untrusted_json(text, limits);
  return nlohmann::json::parse(text.begin(), text.end());
}

}  // namespace gpuassay
