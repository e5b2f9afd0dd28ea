#include "collector/postgres_sql.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace gpuassay {
namespace {

bool is_word(char letter) { return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_'; }

/// One pass from left to right; every step copies or replaces one token.
class Translation {
 public:
  explicit Translation(std::string_view sql) : rest_(sql) {}

  std::string run() {
    while (!rest_.empty()) step();
    return std::move(result_);
  }

 private:
  void step() {
    const char first = rest_.front();
    if (first == '\'' || first == '"') return copy(end_of_quoted(first));
    if (rest_.substr(0, 2) == "--") return copy(std::min(rest_.find('\n'), rest_.size()));
    if (first == '?') return parameter();
    if (is_word(first)) return word();
    if (first == ';') statement_defines_columns_ = false;
    copy(1);
  }

  /// A doubled quote inside is two quoted pieces side by side, which copies the same.
  [[nodiscard]] std::size_t end_of_quoted(char quote) const {
    const std::size_t end = rest_.find(quote, 1);
    return end == std::string_view::npos ? rest_.size() : end + 1;
  }

  void parameter() {
    rest_.remove_prefix(1);
    int number = 0;
    const auto [end, problem] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (problem != std::errc()) number = highest_parameter_ + 1;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    highest_parameter_ = std::max(highest_parameter_, number);
    result_ += '$' + std::to_string(number);
  }

  void word() {
    const auto* const end = std::find_if_not(rest_.begin(), rest_.end(), is_word);
    const std::string_view name = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    const bool is_prefix = name.size() < rest_.size() && rest_[name.size()] == '.';
    // CREATE [TEMP] TABLE and ALTER TABLE, never DROP TABLE, have column definitions.
    if (name == "TABLE") statement_defines_columns_ = true;
    if (name == "BLOB") return replace(name, "BYTEA");
    if (name == "temp" && is_prefix) return replace(name, "pg_temp");
    if (name == "TEXT" && statement_defines_columns_) return replace(name, "TEXT COLLATE \"C\"");
    copy(name.size());
  }

  void replace(std::string_view name, std::string_view by) {
    result_ += by;
    rest_.remove_prefix(name.size());
  }

  void copy(std::size_t length) {
    result_ += rest_.substr(0, length);
    rest_.remove_prefix(length);
  }

  std::string_view rest_;
  std::string result_;
  int highest_parameter_ = 0;
  bool statement_defines_columns_ = false;
};

}  // namespace

std::string postgres_sql(std::string_view sql) { return Translation(sql).run(); }

}  // namespace gpuassay
