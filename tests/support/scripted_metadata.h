// Metadata services that answer from a list, without a network; every request is kept.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/platform/rule.h"

namespace gpuassay::test {

class ScriptedMetadata : public MetadataClient {
 public:
  /// `request` is "GET 169.254.169.254/path". Answers are given in turn, the last one again and again.
  ScriptedMetadata& answers(const std::string& request, const std::string& body,
                            const std::string& type = "text/plain");
  ScriptedMetadata& answers(const std::string& request, const MetadataAnswer& answer);
  /// What is not listed is not there: 404, or no answer at all.
  void answer_nothing_else() { nothing_else_ = true; }

  MetadataAnswer send(const MetadataRequest& request) override;

  [[nodiscard]] const std::vector<MetadataRequest>& requests() const { return requests_; }
  /// "PUT /latest/api/token" and so on, in order.
  [[nodiscard]] std::vector<std::string> asked() const;

 private:
  std::map<std::string, std::vector<MetadataAnswer>> answers_;
  std::vector<MetadataRequest> requests_;
  bool nothing_else_ = false;
};

MetadataAnswer status_only(int status);

/// What the platform `slug` makes of these services.
MetadataFindings ask_platform(std::string_view slug, ScriptedMetadata& services, bool known = true,
                              const std::vector<std::string>& own_addresses = {});

}  // namespace gpuassay::test
