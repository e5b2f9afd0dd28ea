#include "collector/http_message.h"

#include <nlohmann/json.hpp>

namespace gpuassay {

HttpReply problem_reply(int status, const std::string& title, const std::string& detail,
                        const std::vector<std::string>& violations) {
  nlohmann::json problem{{"type", "about:blank"}, {"title", title}, {"status", status}, {"detail", detail}};
  if (!violations.empty()) problem["violations"] = violations;
  // Details may quote what was sent; whatever is not UTF-8 in it is replaced.
  return {
      status, "application/problem+json", problem.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), {}};
}

}  // namespace gpuassay
