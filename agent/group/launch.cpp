#include "agent/group/launch.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "agent/group/token.h"
#include "core/error.h"

namespace gpuassay {
namespace {

constexpr int kMostLocalRanks = 256;

std::optional<std::string_view> value_of(const VariableReader& variable, const char* name) {
  const char* const text = variable(name);
  if (text == nullptr || *text == '\0') return std::nullopt;
  return text;
}

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorCode::usage, message); }

int number_in(std::string_view text, const char* name, int least, int most) {
  int number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size() || number < least || number > most)
    refuse(fmt::format("{} must be a whole number from {} to {}; correct what starts gpuassay, or unset it", name,
                       least, most));
  return number;
}

int required(const VariableReader& variable, const char* launcher, const char* name, int least, int most) {
  const auto text = value_of(variable, name);
  if (!text) refuse(fmt::format("started by {} as one of several processes, but {} is not set", launcher, name));
  return number_in(*text, name, least, most);
}

/// How the ranks find rank 0. `fallback`: where it is when nobody says.
void find_rank_0(const VariableReader& variable, const std::optional<std::string>& fallback, bool port_required,
                 Launch& launch) {
  constexpr std::size_t kLongestHost = 253;
  const auto host = value_of(variable, "MASTER_ADDR");
  if (!host && !fallback)
    refuse(fmt::format(
        "started by {} on several machines, but MASTER_ADDR is not set; export the address of the machine of "
        "rank 0",
        launch.launcher));
  launch.host = host ? std::string(*host) : *fallback;
  const bool printable =
      std::all_of(launch.host.begin(), launch.host.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!printable || launch.host.size() > kLongestHost) refuse("MASTER_ADDR must be a host name or an address");
  constexpr int kHighestPort = 65535;
  const bool has_port = value_of(variable, "MASTER_PORT").has_value();
  int port = kDefaultPort;
  if (has_port || port_required) port = required(variable, launch.launcher.c_str(), "MASTER_PORT", 1, kHighestPort);
  // torchrun's own store may listen at that port.
  if (value_of(variable, "TORCHELASTIC_USE_AGENT_STORE") == "True" && port < kHighestPort) ++port;
  launch.port = static_cast<std::uint16_t>(port);
}

/// The message never has it.
std::string token_of(const VariableReader& variable) {
  constexpr std::size_t kLongest = 1024;
  const auto token = value_of(variable, kTokenVariable);
  if (!token) return {};
  if (token->size() < kShortestToken || token->size() > kLongest)
    refuse(fmt::format("{} must have {} to {} characters; `openssl rand -hex 32` makes one", kTokenVariable,
                       kShortestToken, kLongest));
  return std::string(*token);
}

Launch place_of(const VariableReader& variable, const char* launcher, int ranks, const char* rank,
                const char* local_rank) {
  Launch launch;
  launch.launcher = launcher;
  launch.ranks = ranks;
  launch.rank = required(variable, launcher, rank, 0, ranks - 1);
  launch.local_rank = required(variable, launcher, local_rank, 0, kMostLocalRanks - 1);
  launch.token = token_of(variable);
  return launch;
}

std::string job_of(const VariableReader& variable, std::initializer_list<const char*> names) {
  constexpr std::size_t kLongest = 128;
  std::string job;
  for (const char* name : names) {
    if (const auto text = value_of(variable, name)) job += fmt::format("{}{}", job.empty() ? "" : ".", *text);
  }
  return job.substr(0, kLongest);
}

std::optional<std::string> loopback_if(bool one_machine) {
  return one_machine ? std::optional<std::string>("127.0.0.1") : std::nullopt;
}

/// Empty where the variable is not set.
std::optional<int> size_in(const VariableReader& variable, const char* name) {
  const auto text = value_of(variable, name);
  return text ? std::optional(number_in(*text, name, 1, kMostRanks)) : std::nullopt;
}

Launch of_torchrun(const VariableReader& variable, int ranks) {
  Launch launch = place_of(variable, "torchrun", ranks, "RANK", "LOCAL_RANK");
  find_rank_0(variable, std::nullopt, true, launch);
  launch.job = job_of(variable, {"TORCHELASTIC_RUN_ID"});
  return launch;
}

Launch of_mpirun(const VariableReader& variable, int ranks) {
  Launch launch = place_of(variable, "mpirun", ranks, "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK");
  const auto local_size = size_in(variable, "OMPI_COMM_WORLD_LOCAL_SIZE");
  find_rank_0(variable, loopback_if(local_size == ranks), false, launch);
  launch.job = job_of(variable, {"PMIX_NAMESPACE"});
  return launch;
}

Launch of_srun(const VariableReader& variable, int ranks) {
  Launch launch = place_of(variable, "srun", ranks, "SLURM_PROCID", "SLURM_LOCALID");
  auto fallback = loopback_if(size_in(variable, "SLURM_STEP_NUM_NODES") == 1);
  if (const auto called_on = value_of(variable, "SLURM_LAUNCH_NODE_IPADDR"); called_on && !fallback)
    fallback = std::string(*called_on);
  find_rank_0(variable, fallback, false, launch);
  launch.job = job_of(variable, {"SLURM_JOB_ID", "SLURM_STEP_ID"});
  return launch;
}

}  // namespace

std::optional<Launch> launch_from(const VariableReader& variable) {
  if (const auto ranks = size_in(variable, "WORLD_SIZE").value_or(1); ranks > 1) return of_torchrun(variable, ranks);
  if (const auto ranks = size_in(variable, "OMPI_COMM_WORLD_SIZE").value_or(1); ranks > 1)
    return of_mpirun(variable, ranks);
  // A batch script has SLURM_NTASKS as well, without being one of them.
  auto ranks = size_in(variable, "SLURM_STEP_NUM_TASKS");
  if (!ranks && value_of(variable, "SLURM_LAUNCH_NODE_IPADDR")) ranks = size_in(variable, "SLURM_NTASKS");
  if (ranks.value_or(1) > 1) return of_srun(variable, *ranks);
  return std::nullopt;
}

}  // namespace gpuassay
