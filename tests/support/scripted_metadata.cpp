#include "tests/support/scripted_metadata.h"

#include <stdexcept>

#include "agent/platform/rules.h"

namespace gpuassay::test {

ScriptedMetadata& ScriptedMetadata::answers(const std::string& request, const std::string& body,
                                            const std::string& type) {
  return answers(request, MetadataAnswer{200, {{"content-type", type}}, body, {}});
}

ScriptedMetadata& ScriptedMetadata::answers(const std::string& request, const MetadataAnswer& answer) {
  answers_[request].push_back(answer);
  return *this;
}

MetadataAnswer ScriptedMetadata::send(const MetadataRequest& request) {
  requests_.push_back(request);
  const auto found = answers_.find(request.method + " " + request.host + request.path);
  if (found == answers_.end())
    return nothing_else_ ? MetadataAnswer{0, {}, {}, "the metadata service does not answer in time"} : status_only(404);
  const MetadataAnswer answer = found->second.front();
  if (found->second.size() > 1) found->second.erase(found->second.begin());
  return answer;
}

std::vector<std::string> ScriptedMetadata::asked() const {
  std::vector<std::string> asked;
  asked.reserve(requests_.size());
  for (const MetadataRequest& request : requests_) asked.push_back(request.method + " " + request.path);
  return asked;
}

MetadataAnswer status_only(int status) { return {status, {{"content-type", "text/plain"}}, "x", {}}; }

MetadataFindings ask_platform(std::string_view slug, ScriptedMetadata& services, bool known,
                              const std::vector<std::string>& own_addresses) {
  MetadataFindings findings;
  const PlatformRule* const rule = rule_of(slug);
  if (rule == nullptr || rule->ask == nullptr) throw std::invalid_argument("no service is known of this platform");
  rule->ask({services, known, own_addresses}, findings);
  return findings;
}

}  // namespace gpuassay::test
