#include "agent/platform/metadata_client.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <thread>

#include <fmt/format.h>

#include "agent/platform/words.h"
#include "core/error.h"

namespace gpuassay {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kLargestAnswerBytes = std::size_t{256} << 10U;
/// Less than this left is not worth a connection.
constexpr milliseconds kShortestTry{20};

milliseconds left_until(Clock::time_point deadline) {
  return std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
}

/// In words that hold no address: they become part of the result.
std::string problem_of(const Error& error) {
  const std::string_view what = error.what();
  if (what.find("took too long") != std::string_view::npos) return "the metadata service does not answer in time";
  if (what.find("the name ") == 0) return "the name of the metadata service cannot be found";
  if (what.find("body limit") != std::string_view::npos || what.find("header limit") != std::string_view::npos ||
      what.find("buffer overflow") != std::string_view::npos)
    return "the metadata service sends more than 256 KiB";
  // Small numbers are the HTTP library's own as well as errno's: only these are certain.
  switch (error.native_code().value_or(0)) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ETIMEDOUT: return "nothing answers at the address of the metadata service";
    default: return "the metadata service gives no whole answer in HTTP";
  }
}

bool may_pass(const MetadataAnswer& answer, const MetadataRequest& request) {
  constexpr int kGone = 410, kTooMany = 429;
  return answer.status == 0 || answer.status == kGone || answer.status == kTooMany || answer.status >= 500 ||
         (answer.status == 404 && request.not_found_may_pass);
}

MetadataAnswer not_asked(std::string why) { return {0, {}, {}, std::move(why)}; }

}  // namespace

bool is_metadata_host(std::string_view host) {
  return std::find(kMetadataHosts.begin(), kMetadataHosts.end(), host) != kMetadataHosts.end();
}

MetadataPatience patience_with_known() {
  return {milliseconds(1000), milliseconds(2000), {milliseconds(200), milliseconds(800)}, milliseconds(6000)};
}

MetadataPatience patience_with_unknown() { return {milliseconds(300), milliseconds(1000), {}, milliseconds(1500)}; }

MetadataPatience patience_with_notices(milliseconds answer_time) {
  constexpr int kMostRequests = 4;  // a token, the question, the answer's proof, and one to spare
  return {milliseconds(1000), answer_time, {}, kMostRequests * answer_time};
}

std::string metadata_log_line(const MetadataRequest& request, const MetadataAnswer& answer) {
  return fmt::format("metadata: {} {}{}: {}", request.method, request.host, request.path,
                     answer.status != 0 ? fmt::format("HTTP {}", answer.status) : answer.problem);
}

NetworkMetadataClient::NetworkMetadataClient(MetadataMap map, bool only_mapped, MetadataPatience patience,
                                             MetadataLog log)
    : map_(std::move(map)),
      only_mapped_(only_mapped),
      patience_(std::move(patience)),
      log_(std::move(log)),
      deadline_(Clock::now() + patience_.budget) {}

MetadataAnswer NetworkMetadataClient::exchange(const HttpCall& call) const {
  HttpCall limited = call;
  const milliseconds left = left_until(deadline_);
  if (left < kShortestTry) return not_asked("the metadata service does not answer in time");
  limited.limits = {std::min(patience_.connect_time, left), std::min(patience_.total_time, left), kLargestAnswerBytes};
  try {
    HttpAnswer answer = http_exchange(limited);
    return {answer.status, std::move(answer.headers), std::move(answer.body), {}};
  } catch (const Error& error) {
    return not_asked(problem_of(error));
  }
}

MetadataAnswer NetworkMetadataClient::send_once(const MetadataRequest& request, const HttpCall& call) const {
  MetadataAnswer answer = exchange(call);
  if (log_) log_(metadata_log_line(request, answer));
  return answer;
}

MetadataAnswer NetworkMetadataClient::send(const MetadataRequest& request) {
  if (!is_metadata_host(request.host)) throw Error(ErrorCode::internal, "a request to a host that no table names");
  const auto mapped = map_.find(request.host);
  if (mapped == map_.end() && only_mapped_) return not_asked("not asked: this machine is a recorded one");
  HttpCall call;
  call.method = request.method;
  call.url.https = request.https && mapped == map_.end();
  call.url.host = mapped == map_.end() ? request.host : mapped->second.host;
  constexpr std::uint16_t kHttp = 80, kHttps = 443;
  call.url.port = mapped != map_.end() ? mapped->second.port : request.https ? kHttps : kHttp;
  call.target = request.path;
  call.headers = {{"Host", request.host}, {"Accept", "*/*"}};
  for (const auto& [name, value] : request.headers) call.headers.emplace_back(name, value);
  call.body = request.body;
  if (call.url.https) call.ca_bundles = ca_bundle_places(std::nullopt);
  MetadataAnswer answer = send_once(request, call);
  for (const milliseconds pause : patience_.pauses) {
    if (!may_pass(answer, request) || left_until(deadline_) < pause + kShortestTry) break;
    std::this_thread::sleep_for(pause);
    answer = send_once(request, call);
  }
  return answer;
}

}  // namespace gpuassay
