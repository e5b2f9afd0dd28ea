// Asks one metadata service for one value after the other and believes only what looks like one.
#pragma once

#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/platform/metadata_client.h"

namespace gpuassay {

/// After the first request without any answer nothing more is asked: the next would wait as long. Why there is no value
/// is in problem(); a value that the service does not have (404) is none.
class MetadataReader {
 public:
  MetadataReader(MetadataClient& client, std::string_view host) : client_(client), host_(host) {}

  /// Sent with every request from now on.
  void send_always(std::string_view name, std::string_view value) { headers_.emplace_back(name, value); }
  void use_https() { https_ = true; }
  void let_not_found_pass() { not_found_may_pass_ = true; }

  /// The body of a PUT's answer as an opaque token, with `headers` for this request alone. It is kept in memory, sent
  /// back to the same service, and nowhere else.
  std::optional<std::string> put_for_token(std::string_view path,
                                           std::vector<std::pair<std::string, std::string>> headers);
  /// A PUT with a JSON body that is answered with JSON.
  std::optional<nlohmann::json> put_for_json(std::string_view path,
                                             std::vector<std::pair<std::string, std::string>> headers,
                                             std::string_view body);
  /// A small text of one line that is a word (words.h).
  std::optional<std::string> get_word(std::string_view path);
  /// A small text as it is.
  std::optional<std::string> get_text(std::string_view path);
  std::optional<nlohmann::json> get_json(std::string_view path);

  /// Of the last request; 0 without an answer.
  [[nodiscard]] int last_status() const { return last_.status; }
  /// Of the last answer; empty when it had none of this (lower-case) name.
  [[nodiscard]] std::string last_header(const std::string& name) const;
  /// What first kept us from a value; empty when nothing did.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  void note(std::string_view problem);
  /// Another way led to what was wanted: what kept us from it before is no reason for anything.
  void forget_problem() { problem_.clear(); }

 private:
  /// True when last_ is an answer with status 2xx.
  bool ask(MetadataRequest request);
  bool has_type(std::initializer_list<std::string_view> allowed);
  std::optional<nlohmann::json> last_json();
  [[nodiscard]] MetadataRequest get(std::string_view path) const;

  MetadataClient& client_;
  std::string host_;
  std::vector<std::pair<std::string, std::string>> headers_;
  bool https_ = false, not_found_may_pass_ = false, dead_ = false;
  MetadataAnswer last_;
  std::string problem_;
};

/// The string at `key` of an object, if it is there and a string.
std::optional<std::string> text_at(const nlohmann::json& object, std::string_view key);
/// A whole number or a string of digits.
std::optional<std::string> number_at(const nlohmann::json& object, std::string_view key);
/// The object at `key`, else null.
const nlohmann::json& object_at(const nlohmann::json& object, std::string_view key);

}  // namespace gpuassay
