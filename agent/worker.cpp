#include "agent/worker.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/error.h"
#include "core/json_guard.h"
#include "core/result_json.h"

namespace gpuassay {
namespace {

/// One message; a measurement with 64 samples is about 2 KB.
constexpr std::size_t kMaxMessageBytes = 65536;

/// What a case says that is to start together with others, and the request that then lets it.
constexpr std::string_view kWarm = "warm";
constexpr std::size_t kStart = std::numeric_limits<std::size_t>::max();

void wait_for_start(int fd) {
  std::size_t request = 0;
  if (!send_message(fd, kWarm) || ::recv(fd, &request, sizeof request, 0) != static_cast<ssize_t>(sizeof request))
    ::_exit(0);
}

[[noreturn]] void serve_cases(int fd, const std::function<CaseRunner()>& make_runner) {
  std::optional<CaseRunner> runner;
  std::size_t index = 0;
  while (::recv(fd, &index, sizeof index, 0) == static_cast<ssize_t>(sizeof index)) {
    std::string answer;
    try {
      if (!runner) runner = make_runner();
      const CaseAnswer given = (*runner)(index, [fd] { wait_for_start(fd); });
      answer = nlohmann::json{{"measurement", to_json(given.measurement)},
                              {"process_spent", given.process_spent},
                              {"preparing_s", given.time.preparing_s},
                              {"measuring_s", given.time.measuring_s}}
                   .dump();
    } catch (const std::exception& error) {
      answer =
          nlohmann::json{{"worker_error", error.what()}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }
    if (!send_message(fd, answer)) break;
  }
  // At once: what the runner holds of libraries may crash or hang when it is destroyed.
  ::_exit(0);
}

/// 0 for what is no time that a case can have taken.
double seconds_in(const nlohmann::json& answer, const char* name) {
  constexpr double kMonth = 2.6e6;
  const auto found = answer.find(name);
  const double seconds = found != answer.end() && found->is_number() ? found->get<double>() : 0;
  return seconds >= 0 && seconds <= kMonth ? seconds : 0;
}

}  // namespace

Worker::Worker(const std::function<CaseRunner()>& make_runner, int kept_fd)
    : process_([&make_runner](int channel) { serve_cases(channel, make_runner); }, kept_fd) {}

bool Worker::request(std::size_t index) const {
  return ::send(fd(), &index, sizeof index, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof index);
}

bool Worker::start() const { return request(kStart); }

bool Worker::says_warm() const {
  std::array<char, kWarm.size() + 1> begin{};
  const ssize_t size = ::recv(fd(), begin.data(), begin.size(), MSG_PEEK);
  if (size < 0 || std::string_view(begin.data(), static_cast<std::size_t>(size)) != kWarm) return false;
  return ::recv(fd(), begin.data(), begin.size(), 0) == size;
}

std::optional<CaseAnswer> Worker::receive() const {
  const auto text = receive_message(fd(), kMaxMessageBytes);
  if (!text) return std::nullopt;
  // The libraries in the worker are not ours: what it sends is checked like any other input.
  const nlohmann::json answer = parse_untrusted_json(*text, JsonLimits{});
  if (answer.is_object() && answer.contains("worker_error")) {
    const nlohmann::json& said = answer.at("worker_error");
    throw Error(ErrorCode::library_failed, said.is_string() ? said.get<std::string>() : "an unreadable error");
  }
  if (!answer.is_object() || !answer.contains("measurement")) return std::nullopt;
  const auto spent = answer.find("process_spent");
  return CaseAnswer{measurement_from_json(answer.at("measurement")),
                    spent != answer.end() && spent->is_boolean() && spent->get<bool>(),
                    {seconds_in(answer, "preparing_s"), seconds_in(answer, "measuring_s")}};
}

}  // namespace gpuassay
