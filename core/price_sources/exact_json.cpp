#include "core/price_sources/exact_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "core/error.h"
#include "core/json_guard.h"
#include "core/price_text.h"

namespace gpuassay {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxBytes = std::size_t{256} << 20U;

/// Builds the document with numbers as strings. The text has passed the guard: nothing here can fail.
class ExactBuilder : public nlohmann::json_sax<json> {
 public:
  json take() { return std::move(root_); }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return put(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { return put(plain_digits(text)); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool key(string_t& name) override {
    key_ = std::move(name);
    return true;
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  json* place(json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    json& parent = *open_.back();
    if (parent.is_array()) return &parent.emplace_back(std::move(value));
    json& child = parent[key_];
    child = std::move(value);
    return &child;
  }
  bool put(json value) {
    place(std::move(value));
    return true;
  }
  bool open(json value) {
    open_.push_back(place(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  json root_;
  std::vector<json*> open_;
  std::string key_;
};

/// "byte 12" of the guard's message as line and column, which people can find.
[[noreturn]] void refuse_at_line(const std::string& message, std::string_view text) {
  constexpr std::string_view kByte = "at byte ";
  const std::size_t at = message.find(kByte);
  std::size_t offset = 0;
  if (at != std::string::npos) {
    const char* const first = message.data() + at + kByte.size();
    std::from_chars(first, message.data() + message.size(), offset);
  }
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;
  const std::size_t reason_at = message.find(": ", std::min(at, message.size() - 1));
  const std::size_t advice_at = message.find("; ", reason_at == std::string::npos ? 0 : reason_at);
  const std::string reason =
      reason_at == std::string::npos ? message : message.substr(reason_at + 2, advice_at - reason_at - 2);
  throw Error(ErrorCode::unreadable_input,
              fmt::format("JSON line {}, column {}: {}; fetch the file again", line, column, reason));
}

}  // namespace

json read_exact_json(ByteSource& source) {
  const std::string text = source.read_all(kMaxBytes);
  JsonLimits limits;
  limits.max_bytes = kMaxBytes;
  limits.max_values = 20'000'000;
  limits.max_string_bytes = std::size_t{64} << 10U;
  std::string_view document = text;
  if (document.starts_with("\xEF\xBB\xBF")) document.remove_prefix(3);
  if (document.starts_with("\xFF\xFE") || document.starts_with("\xFE\xFF"))
    throw Error(ErrorCode::unreadable_input, "JSON line 1, column 1: the file is UTF-16; save it as UTF-8");
  try {
    check_untrusted_json(document, limits);
  } catch (const Error& error) {
    refuse_at_line(error.what(), document);
  }
  ExactBuilder builder;
  json::sax_parse(document, &builder);
  return builder.take();
}

std::string json_text(const json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<std::string> optional_json_text(const json& object, const char* name) {
  std::string text = json_text(object, name);
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

bool json_flag(const json& object, const char* name) {
  if (!object.is_object()) return false;
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

const json& json_items(const json& document, const char* name, std::string_view what) {
  // Returned as it came: the header asks for a document that outlives the items, and every caller keeps it in a
  // variable.
  if (document.is_array()) return document;  // NOLINT(bugprone-return-const-ref-from-parameter)
  if (document.is_object()) {
    const auto found = document.find(name);
    if (found != document.end() && (found->is_array() || found->is_object())) return *found;
  }
  throw Error(ErrorCode::unreadable_input, fmt::format("this is no {}: it has no '{}'", what, name));
}

}  // namespace gpuassay
