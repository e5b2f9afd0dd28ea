#include "core/json_guard.h"

#include <fmt/format.h>

#include <algorithm>
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

/// Receives the parser's events and refuses at the first one beyond the limits. What it is that has been read so far is
/// the business of those derived from it.
class LimitChecker : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit LimitChecker(const JsonLimits& limits) : limits_(limits) {}

  [[nodiscard]] const std::string& problem() const { return problem_; }
  /// Of all strings and keys so far.
  [[nodiscard]] std::ptrdiff_t spaces() const { return spaces_; }

  bool null() override { return count_value() && take(nullptr); }
  bool boolean(bool value) override { return count_value() && take(value); }
  bool number_integer(number_integer_t value) override { return count_value() && take(value); }
  bool number_unsigned(number_unsigned_t value) override { return count_value() && take(value); }
  bool number_float(number_float_t value, const string_t& digits) override {
    return within_length(digits, "a number") && count_value() && take(value);
  }
  bool string(string_t& text) override {
    // No name or text has one, and PostgreSQL cannot keep it.
    if (text.find('\0') != string_t::npos) return refuse("a string has a NUL character");
    return within_length(text, "a string") && count_value() && take(std::move(text));
  }
  bool binary(binary_t&) override { return refuse("binary values are not JSON"); }
  bool start_object(std::size_t) override { return open(nlohmann::json::value_t::object); }
  bool key(string_t& name) override {
    return within_length(name, "a key") && (take_key(name) || refuse("a key occurs twice in one object"));
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(nlohmann::json::value_t::array); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    // 406: the number does not fit a double; everything else is syntax or UTF-8.
    return refuse(error.id == 406 ? "a number is too large" : "not valid JSON");
  }

 protected:
  /// A value within the limits: always true.
  virtual bool take(nlohmann::json value) = 0;
  /// False when the open object has the key already.
  virtual bool take_key(string_t& name) = 0;
  virtual void enter(nlohmann::json::value_t kind) = 0;
  virtual void leave() = 0;

 private:
  bool refuse(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
    return false;
  }
  bool count_value() {
    return ++values_ <= limits_.max_values || refuse(fmt::format("more than {} values", limits_.max_values));
  }
  bool within_length(const std::string& text, std::string_view what) {
    if (limits_.compact) spaces_ += std::count(text.begin(), text.end(), ' ');
    return text.size() <= limits_.max_string_bytes ||
           refuse(fmt::format("{} is longer than {} bytes", what, limits_.max_string_bytes));
  }
  bool open(nlohmann::json::value_t kind) {
    if (depth_ >= limits_.max_depth) return refuse(fmt::format("nested deeper than {} levels", limits_.max_depth));
    if (!count_value()) return false;
    ++depth_;
    enter(kind);
    return true;
  }
  bool close() {
    --depth_;
    leave();
    return true;
  }

  const JsonLimits& limits_;
  std::size_t values_ = 0;
  std::size_t depth_ = 0;
  std::ptrdiff_t spaces_ = 0;
  std::string problem_;
};

/// Keeps only the open objects' keys.
class KeyNotes : public LimitChecker {
 public:
  using LimitChecker::LimitChecker;

 protected:
  bool take(nlohmann::json) override { return true; }
  bool take_key(string_t& name) override { return open_keys_.back().insert(name).second; }
  void enter(nlohmann::json::value_t) override { open_keys_.emplace_back(); }
  void leave() override { open_keys_.pop_back(); }

 private:
  std::vector<std::unordered_set<std::string>> open_keys_;  // one set for each open object or array
};

/// Builds the document as far as it was within the limits, which bound its size.
class DocumentBuilder : public LimitChecker {
 public:
  using LimitChecker::LimitChecker;

  nlohmann::json document() { return std::move(document_); }

 protected:
  bool take(nlohmann::json value) override {
    place(std::move(value));
    return true;
  }
  bool take_key(string_t& name) override {
    auto& members = open_.back()->get_ref<nlohmann::json::object_t&>();
    const std::size_t before = members.size();
    // At the end where keys are sorted, as in all that gpuassay writes; else it is looked for.
    member_ = &members.try_emplace(members.end(), std::move(name))->second;
    return members.size() > before;
  }
  void enter(nlohmann::json::value_t kind) override { open_.push_back(&place(kind)); }
  void leave() override { open_.pop_back(); }

 private:
  nlohmann::json& place(nlohmann::json&& value) {
    if (open_.empty()) return document_ = std::move(value);
    if (open_.back()->is_array()) return open_.back()->emplace_back(std::move(value));
    return *member_ = std::move(value);
  }

  nlohmann::json document_;
  nlohmann::json* member_ = nullptr;   // of the innermost open object, whose key was read last
  std::vector<nlohmann::json*> open_;  // objects and arrays; none but the innermost grows, so they stay where they are
};

[[noreturn]] void refuse_document(const std::string& problem, std::ptrdiff_t offset_bytes) {
  throw Error(ErrorCode::unreadable_input,
              fmt::format("JSON document refused at byte {}: {}; send the document as gpuassay wrote it", offset_bytes,
                          problem));
}

/// Where white space stands outside strings, of a document that can be parsed; its end without any.
std::ptrdiff_t first_white_space(std::string_view text) {
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (quoted && text[at] == '\\')
      ++at;
    else if (text[at] == '"')
      quoted = !quoted;
    else if (!quoted && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r'))
      return static_cast<std::ptrdiff_t>(at);
  }
  return static_cast<std::ptrdiff_t>(text.size());
}

/// What no signed body needs, and what would fill the store: a kilobyte of gzip holds a megabyte of spaces. Counting is
/// much faster than following the text once more: what is no part of a string is between values. A space that a string
/// writes as an escape counts without being there, so that as many could hide, each for six bytes.
void require_compact(std::string_view text, std::ptrdiff_t spaces_in_strings) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) refuse_document("a byte order mark", 0);
  // Within strings these are not JSON.
  const auto has = [&](char c) { return text.find(c) != std::string_view::npos; };
  std::ptrdiff_t spaces = 0;  // few, so that looking for each is faster than looking at every byte
  for (auto at = text.find(' '); at != std::string_view::npos; at = text.find(' ', at + 1)) ++spaces;
  if (has('\n') || has('\r') || has('\t') || spaces > spaces_in_strings)
    refuse_document("white space between values", first_white_space(text));
}

void read_within_limits(std::string_view text, const JsonLimits& limits, LimitChecker& checker) {
  if (text.size() > limits.max_bytes) refuse_document(fmt::format("longer than {} bytes", limits.max_bytes), 0);
  // The parser takes a zero byte for the end of the text, which would hide whatever follows it.
  if (const auto zero = text.find('\0'); zero != std::string_view::npos)
    refuse_document("a zero byte", static_cast<std::ptrdiff_t>(zero));

  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* seen = begin;
  if (!nlohmann::json::sax_parse(TrackedBytes(begin, &seen), TrackedBytes(end, &seen), &checker))
    refuse_document(checker.problem(), seen - begin);
  if (limits.compact) require_compact(text, checker.spaces());
}

}  // namespace

void check_untrusted_json(std::string_view text, const JsonLimits& limits) {
  KeyNotes checker(limits);
  read_within_limits(text, limits, checker);
}

nlohmann::json parse_untrusted_json(std::string_view text, const JsonLimits& limits) {
  DocumentBuilder builder(limits);
  read_within_limits(text, limits, builder);
  return builder.document();
}

}  // namespace gpuassay
