// The addresses of verified runs and of what is known about trust: HTTP around Challenges.
#pragma once

#include <optional>
#include <string_view>

#include "collector/floor/challenges.h"
#include "collector/http_message.h"
#include "collector/pool/pool_checks.h"

namespace gpuassay {

class FloorRoutes {
 public:
  /// All must outlive this.
  FloorRoutes(Challenges& challenges, const FloorProofs& proofs, const PoolChecks& pool, const RunStore& runs)
      : challenges_(challenges), proofs_(proofs), pool_(pool), runs_(runs) {}

  /// Whether the path is one of these, and its pattern for counting ("/v1/challenges/{id}/commitment"); empty if not.
  static std::string_view pattern_of(std::string_view path);
  /// "GET", "POST": what the path answers.
  static std::string_view method_of(std::string_view path);
  /// For a path that is one of these, with its method.
  HttpReply answer(const HttpRequest& request);

 private:
  [[nodiscard]] HttpReply trust(std::string_view run_id) const;

  Challenges& challenges_;
  const FloorProofs& proofs_;
  const PoolChecks& pool_;
  const RunStore& runs_;
};

}  // namespace gpuassay
