#include "collector/http_message.h"

#include <nlohmann/json.hpp>

namespace gpuassay {

std::optional<std::string> header_of(const HttpRequest& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? std::nullopt : std::optional(found->second);
}

HttpReply problem_reply(int status, const std::string& title, const std::string& detail,
                        const std::vector<std::string>& violations) {
  nlohmann::json problem{{"type", "about:blank"}, {"title", title}, {"status", status}, {"detail", detail}};
  if (!violations.empty()) problem["violations"] = violations;
  // Details may quote what was sent; whatever is not UTF-8 in it is replaced.
  return {
      status, "application/problem+json", problem.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), {}};
}

}  // namespace gpuassay
