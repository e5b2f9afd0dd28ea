#include "agent/floor/floor_team.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "agent/floor/floor_chain.h"
#include "core/error.h"
#include "core/json_guard.h"

namespace gpuassay {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// A socket of this kind takes a message of some two hundred kilobytes: the openings of one device are half of that.
constexpr std::size_t kMostBytes = std::size_t{192} << 10U;

std::string problem_text(const std::string& problem) {
  return nlohmann::json{{"problem", problem}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string shape_text(const FloorShape& shape) {
  return nlohmann::json{{"m", shape.m}, {"n", shape.n}, {"k", shape.k}, {"largest", shape.largest}}.dump();
}

FloorShape shape_from(const std::string& message) {
  const nlohmann::json document = parse_untrusted_json(message);
  return {document.at("m").get<std::int64_t>(), document.at("n").get<std::int64_t>(),
          document.at("k").get<std::int64_t>(), document.at("largest").get<int>()};
}

/// In the order of the draws. The device computes a step again that it did not keep: once for all draws of it.
FloorOpenings open_all(const FloorChain& chain, const std::vector<FloorDraw>& draws) {
  std::vector<std::size_t> order(draws.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return draws[a].step < draws[b].step; });
  FloorOpenings openings(draws.size());
  for (const std::size_t at : order) openings[at] = chain.open(draws[at]);
  return openings;
}

/// What the child of one device does: it says that it is ready, works, says what it commits itself to, and opens that.
class Member {
 public:
  Member(int channel, const FloorMember& member) : channel_(channel), member_(member) {}

  void serve() {
    try {
      device_ = member_.make_device();
      if (!say(shape_text(device_->shape()))) return;
      const auto challenge = receive_message(channel_, kMostBytes);
      if (challenge) work(floor_challenge_from(*challenge));
    } catch (const std::exception& error) {
      (void)say(problem_text(error.what()));
    }
  }

 private:
  [[nodiscard]] bool say(const std::string& text) const { return send_message(channel_, text); }

  void work(const FloorChallenge& challenge) const {
    const auto until = steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(
                                                 std::chrono::duration<double>(challenge.seconds));
    FloorWork decided = member_.work;
    decided.shape = device_->shape();
    FloorChain chain(*device_, decided, challenge.seed);
    chain.run([until] { return steady_clock::now() < until; });
    if (const auto problem = chain.self_check()) {
      (void)say(problem_text("its own check of the work failed, so it is not shown to anybody: " + *problem));
      return;
    }
    if (!say(to_text(FloorCommitment{{chain.commitment()}}))) return;
    const auto draws = receive_message(channel_, kMostBytes);
    if (!draws) return;
    (void)say(to_text(open_all(chain, floor_draws_from(*draws))));
  }

  int channel_;
  const FloorMember& member_;
  std::unique_ptr<FloorDevice> device_;
};

/// What a child said, unless it is a problem.
std::string checked(const std::string& message, int device) {
  const nlohmann::json document = parse_untrusted_json(message);
  const auto problem = document.is_object() ? document.find("problem") : document.end();
  if (problem != document.end() && problem->is_string())
    throw Error(ErrorCode::library_failed, fmt::format("device {}: {}", device, problem->get<std::string>()));
  return message;
}

/// One opening for each draw: each device gave those of its own draws in order.
FloorOpenings in_order_of(const std::vector<FloorDraw>& draws, std::map<int, FloorOpenings> of_devices) {
  std::map<int, std::size_t> taken;
  FloorOpenings openings;
  openings.reserve(draws.size());
  for (const FloorDraw& draw : draws) {
    FloorOpenings& own = of_devices[draw.device];
    std::size_t& next = taken[draw.device];
    if (next >= own.size())
      throw Error(ErrorCode::unreadable_input, fmt::format("device {} did not open all that was drawn", draw.device));
    openings.push_back(std::move(own[next++]));
  }
  return openings;
}

}  // namespace

FloorTeam::Process::Process(const FloorMember& member)
    : work(member.work), process([&member](int channel) {
        Member child(channel, member);
        child.serve();
        ::_exit(0);  // at once: what the device holds of libraries may crash or hang when it is destroyed
      }) {}

FloorTeam::FloorTeam(const std::vector<FloorMember>& members) {
  for (const FloorMember& member : members) processes_.emplace_back(member);
}

std::vector<std::string> FloorTeam::hear_all(milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  std::vector<std::string> messages;
  messages.reserve(processes_.size());
  for (Process& member : processes_) {
    const int device = member.work.device;
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    pollfd waiting{member.process.fd(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(std::max(left, milliseconds{0}).count())) <= 0)
      throw Error(ErrorCode::library_failed, fmt::format("device {}: no answer within {} s", device,
                                                         std::chrono::duration<double>(limit).count()));
    const auto message = receive_message(member.process.fd(), kMostBytes);
    if (!message)
      throw Error(ErrorCode::library_failed,
                  fmt::format("device {}: its process was {}", device, member.process.end()));
    messages.push_back(checked(*message, device));
  }
  return messages;
}

std::vector<FloorWork> FloorTeam::get_ready(milliseconds limit) {
  const std::vector<std::string> messages = hear_all(limit);
  std::vector<FloorWork> works;
  works.reserve(messages.size());
  auto message = messages.begin();
  for (Process& member : processes_) {
    member.work.shape = shape_from(*message++);
    works.push_back(member.work);
  }
  return works;
}

FloorCommitment FloorTeam::work(const FloorChallenge& challenge) {
  for (const Process& member : processes_) (void)send_message(member.process.fd(), to_text(challenge));
  // A step and the check of a slow device come on top.
  constexpr milliseconds kPatience{20'000};
  const auto work_time = std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(challenge.seconds));
  FloorCommitment commitment;
  for (const std::string& message : hear_all(work_time + kPatience)) {
    const FloorCommitment of_one = floor_commitment_from(message);
    commitment.devices.insert(commitment.devices.end(), of_one.devices.begin(), of_one.devices.end());
  }
  return commitment;
}

FloorOpenings FloorTeam::open(const std::vector<FloorDraw>& draws, milliseconds limit) {
  for (const FloorDraw& draw : draws) {
    if (std::none_of(processes_.begin(), processes_.end(),
                     [&](const Process& member) { return member.work.device == draw.device; }))
      throw Error(ErrorCode::unreadable_input, fmt::format("device {} was drawn, which did not work", draw.device));
  }
  for (const Process& member : processes_) {
    std::vector<FloorDraw> own;
    std::copy_if(draws.begin(), draws.end(), std::back_inserter(own),
                 [&](const FloorDraw& draw) { return draw.device == member.work.device; });
    (void)send_message(member.process.fd(), to_text(own));
  }
  const std::vector<std::string> messages = hear_all(limit);
  std::map<int, FloorOpenings> of_devices;
  auto message = messages.begin();
  for (const Process& member : processes_) of_devices[member.work.device] = floor_openings_from(*message++);
  return in_order_of(draws, std::move(of_devices));
}

}  // namespace gpuassay
