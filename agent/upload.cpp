#include "agent/upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <random>
#include <thread>

#include "agent/retry_policy.h"
#include "agent/server_answer.h"
#include "core/error.h"
#include "core/receipt.h"

namespace gpuassay {
namespace {

using std::chrono::milliseconds;

constexpr int kServerFailed = 500;

HttpCall call_of(const UploadRequest& request) {
  HttpCall call;
  call.method = "POST";
  call.url = parse_url(request.collector_url);
  call.target = call.url.path + "/v1/results";
  call.body = request.body;
  call.ca_bundles = request.ca_bundles;
  call.proxy = request.proxy;
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
      return defer(shown(error.what()), milliseconds{0});
    }
  }

  std::optional<milliseconds> judge(const HttpAnswer& answer) {
    outcome_.http_status = answer.status;
    if (answer.status == 200 || answer.status == 201) return check_receipt(answer);
    if (is_final_refusal(answer.status)) {
      outcome_.status = UploadStatus::rejected;
      outcome_.reason = refusal_text(answer);
      return std::nullopt;
    }
    if (!is_retryable(answer.status)) {  // a redirection may lead anywhere, a success without a receipt is none
      outcome_.reason =
          fmt::format("HTTP {} is not the answer of a collector; give its own address, redirections are not followed",
                      answer.status);
      return std::nullopt;
    }
    // A server that fails is not one that asks for patience: it may fail on this body for ever.
    retry_until_ = answer.status == kServerFailed ? std::min(request_.budget, kNetworkFailureTime) : request_.budget;
    return defer(refusal_text(answer), retry_after(header_of(answer, "retry-after"), header_of(answer, "date")));
  }

  std::optional<milliseconds> check_receipt(const HttpAnswer& answer) {
    std::string problem;
    const auto receipt = verified_receipt(answer.body, request_.run_id, request_.body, problem);
    if (receipt && request_.collector_key && receipt->collector_key != *request_.collector_key)
      problem = "the receipt is signed by another collector than expected";
    if (problem.empty()) {
      outcome_.status = UploadStatus::accepted;
      outcome_.receipt = answer.body;
      outcome_.quarantine = shown(header_of(answer, "gpuassay-quarantine"));
      outcome_.reason.clear();
    } else {
      outcome_.reason = fmt::format("HTTP {}, but {}: this may not be a collector", answer.status, problem);
    }
    return std::nullopt;
  }

  std::optional<milliseconds> defer(std::string reason, milliseconds asked_for) {
    outcome_.reason = std::move(reason);
    return next_delay(outcome_.attempts, world_.random(), asked_for);
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

bool next_may_succeed(const UploadOutcome& outcome) {
  return outcome.status != UploadStatus::deferred || outcome.http_status == kServerFailed;
}

std::string run_link(const std::string& collector_url, const std::string& run_id) {
  return parse_url(collector_url).text() + "/r/" + run_id;
}

}  // namespace gpuassay
