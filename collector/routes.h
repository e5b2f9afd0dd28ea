// Which URL does what?
#pragma once

#include <functional>
#include <string_view>

#include "collector/http_message.h"
#include "collector/ingest.h"
#include "collector/store.h"

namespace gpuassay {

/// Answers one request; every failure becomes an HTTP status here. For one thread at a time.
class Routes {
 public:
  /// `log` receives one line for each failure that the client is not told about. All arguments must outlive this.
  Routes(Ingest& ingest, const RunStore& store, std::function<void(std::string_view)> log);

  HttpReply answer(const HttpRequest& request);

 private:
  HttpReply dispatch(const HttpRequest& request);
  HttpReply post_result(const HttpRequest& request);
  [[nodiscard]] HttpReply get_result(std::string_view run_id) const;

  Ingest& ingest_;
  const RunStore& store_;
  std::function<void(std::string_view)> log_;
};

}  // namespace gpuassay
