#include "agent/commands/network_target.h"

#include <utility>

#include "agent/commands/collector_target.h"

namespace gpuassay {

std::optional<HttpCall> network_call(const RunOptions& options) {
  if (!options.network_target) return std::nullopt;
  CollectorTarget target = collector_target(*options.network_target, options.network);
  HttpCall call;
  call.method = "GET";
  call.url = parse_url(target.url);
  call.target = call.url.path.empty() ? "/" : call.url.path;
  call.headers = {{"Accept", "*/*"}, {"User-Agent", std::move(target.user_agent)}};
  call.ca_bundles = std::move(target.ca_bundles);
  call.proxy = std::move(target.proxy);
  return call;
}

}  // namespace gpuassay
