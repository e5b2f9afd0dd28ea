#include "agent/upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "core/error.h"
#include "core/json_guard.h"
#include "core/receipt.h"

namespace gpuassay {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kNetworkFailureTime{10'000};  // without a network people wait this long at most
constexpr milliseconds kFirstDelay{500};
constexpr milliseconds kLongestDelay{30'000};
constexpr milliseconds kLongestRetryAfter{300'000};
constexpr std::size_t kLongestReason = 400;

/// Text from a server, safe to show on any terminal.
std::string printable(std::string_view text) {
  std::string safe(text.substr(0, kLongestReason));
  std::replace_if(safe.begin(), safe.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return safe;
}

std::string text_member(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// What the server says about its refusal; its status alone when it says nothing readable.
std::string reason_of(const HttpAnswer& answer) {
  JsonLimits limits;
  limits.max_string_bytes = 4096;
  std::string reason = fmt::format("HTTP {}", answer.status);
  try {
    const nlohmann::json problem = parse_untrusted_json(answer.body, limits);
    if (!problem.is_object()) return reason;
    for (const char* const member : {"title", "detail"})
      if (const std::string text = text_member(problem, member); !text.empty()) reason += ": " + text;
    const auto violations = problem.find("violations");
    if (violations != problem.end() && violations->is_array() && !violations->empty() &&
        violations->front().is_string())
      reason += ": " + violations->front().get<std::string>();
  } catch (const Error&) {
    return reason;  // a page for people: its text would not help
  }
  return printable(reason);
}

bool is_retryable(int status) { return status == 408 || status == 429 || status >= 500; }
bool is_final_refusal(int status) { return status >= 400 && status < 500 && !is_retryable(status); }

/// Seconds only; a date would need a wall clock that may be wrong on a fresh machine.
milliseconds retry_after(const HttpAnswer& answer) {
  const auto header = answer.headers.find("retry-after");
  if (header == answer.headers.end()) return milliseconds{0};
  std::uint32_t seconds = 0;
  const char* const end = header->second.data() + header->second.size();
  const auto [stop, problem] = std::from_chars(header->second.data(), end, seconds);
  if (problem != std::errc() || stop != end) return milliseconds{0};
  return std::min(milliseconds{std::int64_t{seconds} * 1000}, kLongestRetryAfter);
}

HttpCall call_of(const UploadRequest& request) {
  HttpCall call;
  call.method = "POST";
  call.url = parse_url(request.collector_url);
  call.target = call.url.path + "/v1/results";
  call.body = request.body;
  call.ca_bundles = request.ca_bundles;
  call.headers = {{"Content-Type", "application/json"},
                  {"Accept", "application/json, application/problem+json"},
                  {"User-Agent", request.user_agent},
                  {"Gpuassay-Key", base64(request.key.public_key())},
                  {"Gpuassay-Signature", base64(request.key.sign(result_signing_message(request.body)))}};
  return call;
}

/// One upload in progress.
class Uploader {
 public:
  Uploader(const UploadRequest& request, const UploadWorld& world)
      : request_(request), world_(world), call_(call_of(request)), start_(world.now()) {}

  UploadOutcome run() {
    while (true) {
      const auto wait = attempt();
      if (!wait) return outcome_;
      if (elapsed() + *wait >= retry_until_) return outcome_;
      world_.sleep(*wait);
    }
  }

 private:
  [[nodiscard]] milliseconds elapsed() const { return world_.now() - start_; }

  /// How long to wait before the next attempt; empty when the outcome is final.
  std::optional<milliseconds> attempt() {
    ++outcome_.attempts;
    try {
      return judge(world_.exchange(call_));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::network) throw;
      outcome_.http_status.reset();
      retry_until_ = std::min(request_.budget, kNetworkFailureTime);
      call_.limits.connect_time = std::clamp(retry_until_ - elapsed(), milliseconds{1}, HttpLimits{}.connect_time);
      return defer(printable(error.what()), milliseconds{0});
    }
  }

  std::optional<milliseconds> judge(const HttpAnswer& answer) {
    outcome_.http_status = answer.status;
    if (answer.status == 200 || answer.status == 201) return check_receipt(answer);
    if (is_final_refusal(answer.status)) {
      outcome_.status = UploadStatus::rejected;
      outcome_.reason = reason_of(answer);
      return std::nullopt;
    }
    retry_until_ = request_.budget;
    const auto wait = defer(reason_of(answer), retry_after(answer));
    return is_retryable(answer.status) ? wait : std::nullopt;  // a redirection leads to no collector
  }

  std::optional<milliseconds> check_receipt(const HttpAnswer& answer) {
    std::string problem;
    const auto receipt = verified_receipt(answer.body, request_.run_id, request_.body, problem);
    if (receipt && request_.collector_key && receipt->collector_key != *request_.collector_key)
      problem = "the receipt is signed by another collector than expected";
    if (problem.empty()) {
      outcome_.status = UploadStatus::accepted;
      outcome_.receipt = answer.body;
      outcome_.reason.clear();
    } else {
      outcome_.reason = fmt::format("HTTP {}, but {}: this may not be a collector", answer.status, problem);
    }
    return std::nullopt;
  }

  /// Full jitter: a random part of a delay that doubles, so that many agents do not return together.
  std::optional<milliseconds> defer(std::string reason, milliseconds at_least) {
    outcome_.reason = std::move(reason);
    const int doublings = std::min(outcome_.attempts - 1, 10);
    const milliseconds ceiling = std::min(kFirstDelay * (1 << doublings), kLongestDelay);
    const auto jitter = static_cast<std::int64_t>(world_.random() * static_cast<double>(ceiling.count()));
    return at_least + milliseconds{jitter};
  }

  const UploadRequest& request_;
  const UploadWorld& world_;
  HttpCall call_;
  milliseconds start_;
  milliseconds retry_until_{0};
  UploadOutcome outcome_;
};

}  // namespace

UploadWorld real_upload_world() {
  UploadWorld world;
  world.now = [] {
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
  };
  world.sleep = [](milliseconds duration) { std::this_thread::sleep_for(duration); };
  world.random = [engine = std::make_shared<std::mt19937_64>(std::random_device{}())] {
    return std::uniform_real_distribution<double>(0, 1)(*engine);
  };
  return world;
}

UploadOutcome upload_result(const UploadRequest& request, const UploadWorld& world) {
  return Uploader(request, world).run();
}

std::string run_link(const std::string& collector_url, const std::string& run_id) {
  return parse_url(collector_url).text() + "/r/" + run_id;
}

}  // namespace gpuassay
