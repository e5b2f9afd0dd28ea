#include "agent/platform/metadata_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/platform/words.h"
#include "agent/probe/text_fields.h"
#include "core/ascii.h"
#include "core/error.h"
#include "core/json_guard.h"

namespace gpuassay {
namespace {

/// Documents hold keys and user data of some KiB beside the few values we read.
constexpr JsonLimits kDocument{std::size_t{256} << 10U, 16, 10'000, std::size_t{64} << 10U};
/// Servers that know no better say that everything is bytes.
constexpr std::string_view kAnyBytes = "application/octet-stream", kAnyBinary = "binary/octet-stream";

const nlohmann::json& nothing() {
  static const nlohmann::json kNull;
  return kNull;
}

}  // namespace

std::optional<std::string> text_at(const nlohmann::json& object, std::string_view key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<std::string> number_at(const nlohmann::json& object, std::string_view key) {
  if (!object.is_object() || !object.contains(key)) return std::nullopt;
  const nlohmann::json& value = object.at(std::string(key));
  if (value.is_number_unsigned()) return std::to_string(value.get<std::uint64_t>());
  if (value.is_string() && is_number(value.get_ref<const std::string&>())) return value.get<std::string>();
  return std::nullopt;
}

const nlohmann::json& object_at(const nlohmann::json& object, std::string_view key) {
  if (!object.is_object()) return nothing();
  const auto found = object.find(key);
  return found == object.end() || !found->is_object() ? nothing() : *found;
}

void MetadataReader::note(std::string_view problem) {
  if (problem_.empty()) problem_ = problem;
}

std::string MetadataReader::last_header(const std::string& name) const {
  const auto found = last_.headers.find(name);
  return found == last_.headers.end() ? "" : found->second;
}

bool MetadataReader::ask(MetadataRequest request) {
  if (dead_) return false;
  request.headers.insert(request.headers.end(), headers_.begin(), headers_.end());
  last_ = client_.send(request);
  dead_ = last_.status == 0;
  if (dead_) note(last_.problem);
  if (last_.status >= 200 && last_.status < 300) return true;
  if (last_.status >= 300 && last_.status < 400) {
    note("the metadata service redirects, which is not followed");
  } else if (last_.status != 0 && last_.status != 404) {
    note(fmt::format("the metadata service answers HTTP {}", last_.status));
  }
  return false;
}

bool MetadataReader::has_type(std::initializer_list<std::string_view> allowed) {
  const std::string header = lower_case(last_header("content-type"));
  const std::string_view type = trim(std::string_view(header).substr(0, header.find(';')));
  if (type.empty() || std::find(allowed.begin(), allowed.end(), type) != allowed.end()) return true;
  note("the metadata service answers with another type of content than it should");
  return false;
}

MetadataRequest MetadataReader::get(std::string_view path) const {
  MetadataRequest request;
  request.host = host_;
  request.path = path;
  request.https = https_;
  request.not_found_may_pass = not_found_may_pass_;
  return request;
}

std::optional<nlohmann::json> MetadataReader::last_json() {
  if (!has_type({"application/json", "text/json", "text/plain", kAnyBytes, kAnyBinary})) return std::nullopt;
  try {
    nlohmann::json document = parse_untrusted_json(last_.body, kDocument);
    if (document.is_object()) return document;
    note("the metadata service answers with something else than a JSON object");
  } catch (const Error&) {  // its message would say where in the text, which helps nobody here
    note("the metadata service answers with damaged JSON");
  }
  return std::nullopt;
}

std::optional<std::string> MetadataReader::put_for_token(std::string_view path,
                                                         std::vector<std::pair<std::string, std::string>> headers) {
  MetadataRequest request = get(path);
  request.method = "PUT";
  request.headers = std::move(headers);
  if (!ask(std::move(request))) return std::nullopt;
  if (!has_type({"text/plain", "application/text", kAnyBytes, kAnyBinary})) return std::nullopt;
  auto token = token_word(last_.body);
  if (!token) note("the metadata service gives no usable token");
  return token;
}

std::optional<nlohmann::json> MetadataReader::put_for_json(std::string_view path,
                                                           std::vector<std::pair<std::string, std::string>> headers,
                                                           std::string_view body) {
  MetadataRequest request = get(path);
  request.method = "PUT";
  request.headers = std::move(headers);
  request.body = body;
  if (!ask(std::move(request))) return std::nullopt;
  return last_json();
}

std::optional<std::string> MetadataReader::get_text(std::string_view path) {
  if (!ask(get(path))) return std::nullopt;
  if (!has_type({"text/plain", "application/text", kAnyBytes, kAnyBinary})) return std::nullopt;
  return last_.body;
}

std::optional<std::string> MetadataReader::get_word(std::string_view path) {
  const auto text = get_text(path);
  if (!text || trim(*text).empty()) return std::nullopt;  // 200 with nothing is how some say that there is no value
  auto value = word(*text);
  if (!value) note("the metadata service answers with something else than a plain value");
  return value;
}

std::optional<nlohmann::json> MetadataReader::get_json(std::string_view path) {
  if (!ask(get(path))) return std::nullopt;
  return last_json();
}

}  // namespace gpuassay
