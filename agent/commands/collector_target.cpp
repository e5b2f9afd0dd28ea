#include "agent/commands/collector_target.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "core/build_info.h"
#include "core/error.h"

namespace gpuassay {
namespace {

std::vector<std::string> trusted(const NetworkOptions& network) {
  if (!network.ca) {
    const char* const variable = std::getenv("SSL_CERT_FILE");
    return ca_bundle_places(variable != nullptr ? std::optional<std::string>(variable) : std::nullopt);
  }
  if (::access(network.ca->c_str(), R_OK) != 0)
    throw Error(ErrorCode::usage, fmt::format("--ca {} cannot be read; name a PEM file", network.ca->string()));
  return {network.ca->string()};
}

}  // namespace

CollectorTarget collector_target(const std::string& url, const NetworkOptions& network) {
  const Url address = parse_url(url);
  CollectorTarget target;
  target.url = url;
  target.proxy = proxy_for(address, network.proxy, read_proxy_variables());
  target.ca_bundles = trusted(network);
  target.user_agent = fmt::format("gpuassay/{}", build_info().version);
  target.flags = " --collector " + url;
  if (network.ca) target.flags += " --ca " + network.ca->string();
  if (network.proxy)
    target.flags += " --proxy " + (network.proxy->find('@') == std::string::npos ? *network.proxy : "ADDRESS");
  return target;
}

std::string upload_command(const CollectorTarget& target, const Environment& environment) {
  return environment.invocation + " upload" + target.flags;
}

std::string delete_command(const std::string& run_id, const CollectorTarget& target, const Environment& environment) {
  return fmt::format("{} upload --delete {}{}", environment.invocation, run_id, target.flags);
}

}  // namespace gpuassay
