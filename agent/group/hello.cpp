#include "agent/group/hello.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/system_root.h"
#include "core/build_info.h"
#include "core/error.h"
#include "core/price_question.h"
#include "core/result_json.h"

namespace gpuassay {
namespace {

constexpr const char* kProtocol = "gpuassay group 1";

/// FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo): the boot id itself stays here.
std::string machine_mark(const Environment& environment, const std::string& job) {
  const SystemRoot root(environment.system_root);
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : root.read_text("/proc/sys/kernel/random/boot_id").value_or("") + job)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return fmt::format("{:016x}", hash);
}

std::optional<std::string> why_no_collectives(const Machine& machine) {
  for (const auto& [index, selection] : machine.selections) {
    if (!selection.nccl) return "there is no NCCL for its GPU; gpuassay doctor names the package";
  }
  for (const Device& device : machine.inventory.devices) {
    if (device.mig) return "its GPU is a MIG slice, among which NCCL does not work";
  }
  return std::nullopt;
}

std::optional<std::string> text_in(const nlohmann::json& message, const char* name) {
  const auto found = message.find(name);
  if (found == message.end() || found->is_null()) return std::nullopt;
  return found->get<std::string>();
}

}  // namespace

Hello hello_of(const Launch& launch, const Machine& machine, const Environment& environment) {
  const BuildInfo build = build_info();
  Hello hello;
  hello.rank = launch.rank;
  hello.ranks = launch.ranks;
  hello.job = launch.job;
  hello.version = build.version;
  hello.commit = build.commit;
  hello.machine = machine_mark(environment, launch.job);
  hello.host = machine.inventory.host;
  hello.problem = machine.problem;
  if (hello.problem) return hello;
  const Device& device = machine.inventory.devices.front();
  hello.device = device;
  hello.no_collectives = why_no_collectives(machine);
  const auto free = machine.inventory.free_memory_bytes.find(device.index);
  constexpr std::int64_t kLeastCard = std::int64_t{2} << 30;
  hello.free_bytes = free != machine.inventory.free_memory_bytes.end()
                         ? free->second
                         : device.memory_bytes.value_or(kLeastCard) / 10 * 9;
  return hello;
}

nlohmann::json to_json(const Hello& hello) {
  Node node{hello.host, {}};
  if (hello.device) node.ranks.push_back({hello.rank, *hello.device, {}});
  nlohmann::json message{{"protocol", kProtocol},    {"rank", hello.rank},       {"ranks", hello.ranks},
                         {"job", hello.job},         {"version", hello.version}, {"commit", hello.commit},
                         {"machine", hello.machine}, {"node", to_json(node)},    {"free_bytes", hello.free_bytes}};
  if (hello.problem) message["problem"] = hello.problem->substr(0, 250);
  if (hello.no_collectives) message["no_collectives"] = *hello.no_collectives;
  return message;
}

Hello hello_from_json(const nlohmann::json& message) {
  try {
    if (message.at("protocol").get<std::string>() != kProtocol)
      throw Error(ErrorCode::unreadable_input, "not a message of this program");
    Hello hello;
    hello.rank = message.at("rank").get<int>();
    hello.ranks = message.at("ranks").get<int>();
    hello.job = message.at("job").get<std::string>();
    hello.version = message.at("version").get<std::string>();
    hello.commit = message.at("commit").get<std::string>();
    hello.machine = message.at("machine").get<std::string>();
    hello.free_bytes = message.at("free_bytes").get<std::int64_t>();
    const Node node = node_from_json(message.at("node"));
    hello.host = node.host;
    hello.problem = text_in(message, "problem");
    hello.no_collectives = text_in(message, "no_collectives");
    if (!node.ranks.empty()) hello.device = node.ranks.front().device;
    if (!hello.device && !hello.problem) throw Error(ErrorCode::unreadable_input, "no device and no problem");
    return hello;
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCode::unreadable_input, error.what());
  }
}

void keep_own_device(Machine& machine, const Launch& launch) {
  Inventory& inventory = machine.inventory;
  if (machine.problem) return;
  if (machine.selections.empty()) {
    machine.problem = "a run of several processes measures GPUs, and CUDA shows none here";
    return;
  }
  const std::size_t count = inventory.devices.size();
  const std::size_t own = count == 1 ? 0 : static_cast<std::size_t>(launch.local_rank);
  if (own >= count) {
    machine.problem = fmt::format(
        "{} gives local rank {} the GPU of that number, but CUDA shows {}; start one process for "
        "each GPU",
        launch.launcher, launch.local_rank, count);
    return;
  }
  const Device device = inventory.devices[own];
  const std::string from = fmt::format("/devices/{}/", own);
  std::erase_if(inventory.unknown, [&](const Unknown& unknown) {
    return unknown.path.starts_with("/devices/") && !unknown.path.starts_with(from);
  });
  for (Unknown& unknown : inventory.unknown) {
    if (unknown.path.starts_with(from)) unknown.path = "/devices/0/" + unknown.path.substr(from.size());
  }
  inventory.devices = {device};
  inventory.links.clear();
  std::erase_if(inventory.unknown, [](const Unknown& unknown) { return unknown.path == "/links"; });
  inventory.unknown.push_back({"/devices", fmt::format("{}: the GPU of rank 0; those of all {} ranks are in /nodes",
                                                       kPartOfMachine, launch.ranks)});
  std::erase_if(machine.selections, [&](const auto& entry) { return entry.first != device.index; });
  std::erase_if(machine.uuids, [&](const auto& entry) { return entry.first != device.index; });
  std::erase_if(machine.health, [&](const auto& entry) { return entry.first != device.index; });
}

}  // namespace gpuassay
