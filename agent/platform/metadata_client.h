// How is a metadata service asked so that it can neither hold us up, fill our memory nor send us elsewhere?
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/http_client.h"
#include "agent/platform/metadata_map.h"

namespace gpuassay {

/// Every host that is ever asked; a request to any other is a bug and is not sent.
inline constexpr std::array<std::string_view, 7> kMetadataHosts{
    "169.254.169.254",            // most clouds
    "169.254.42.42",              // Scaleway
    "100.100.100.200",            // Alibaba
    "metadata.tencentyun.com",    // Tencent
    "metadata.nebius.internal",   // Nebius
    "metadata.paperspace.com",    // Paperspace CORE
    "api.service.softlayer.com",  // IBM classic, by https
};
bool is_metadata_host(std::string_view host);

/// Paths are literal text of ours: nothing that a server said becomes part of one.
struct MetadataRequest {
  std::string method = "GET";
  std::string host, path;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool https = false;
  bool not_found_may_pass = false;  ///< 404 is transient early in boot (Azure)
};

struct MetadataAnswer {
  int status = 0;                              ///< 0: no whole answer came
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  std::string problem;  ///< where no answer came: why, without addresses
};

/// The seam that tests replace.
class MetadataClient {
 public:
  MetadataClient() = default;
  MetadataClient(const MetadataClient&) = delete;
  MetadataClient& operator=(const MetadataClient&) = delete;
  virtual ~MetadataClient() = default;
  /// Never throws for what the network does.
  virtual MetadataAnswer send(const MetadataRequest& request) = 0;
};

/// How long an answer is waited for. Requests that may succeed a moment later are made again after each pause.
struct MetadataPatience {
  std::chrono::milliseconds connect_time, total_time;
  std::vector<std::chrono::milliseconds> pauses;
  std::chrono::milliseconds budget;  ///< for everything together
};
/// Where firmware or environment say whose service it is, and where nothing does.
MetadataPatience patience_with_known();
MetadataPatience patience_with_unknown();
/// For a question that is asked again anyway; the service may take `answer_time` for each answer.
MetadataPatience patience_with_notices(std::chrono::milliseconds answer_time);

/// Hears of every request that was sent and what came of it, one line each: method, host, path and status or problem.
/// No header or body, so no token, is in it. Called from several threads at once.
using MetadataLog = std::function<void(const std::string& line)>;
/// "metadata: GET 169.254.169.254/latest/meta-data/instance-type: HTTP 404".
std::string metadata_log_line(const MetadataRequest& request, const MetadataAnswer& answer);

/// Speaks to the real services, or to those of the map. Not through a proxy, and redirections are not followed: a proxy
/// would answer for its own machine, a redirection lead to a host that no table names.
class NetworkMetadataClient : public MetadataClient {
 public:
  /// `only_mapped`: hosts that the map does not have are not asked, as of a machine that is only recorded.
  NetworkMetadataClient(MetadataMap map, bool only_mapped, MetadataPatience patience, MetadataLog log = {});
  MetadataAnswer send(const MetadataRequest& request) override;

 private:
  [[nodiscard]] MetadataAnswer exchange(const HttpCall& call) const;
  [[nodiscard]] MetadataAnswer send_once(const MetadataRequest& request, const HttpCall& call) const;

  MetadataMap map_;
  bool only_mapped_;
  MetadataPatience patience_;
  MetadataLog log_;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace gpuassay
