// Was this process started as one of several by torchrun, mpirun or srun, and which one is it? Pure: variables in,
// place out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace gpuassay {

struct Launch {
  std::string launcher;  ///< "torchrun", "mpirun" or "srun", for messages
  int rank = 0, ranks = 0;
  int local_rank = 0;  ///< which GPU of its machine
  std::string host;    ///< where rank 0 listens
  std::uint16_t port = 0;
  std::string job;    ///< what the ranks of one launch have in common; may be empty
  std::string token;  ///< secret that all ranks know (GPUASSAY_GROUP_TOKEN); empty where nobody set one
};

/// The value of an environment variable; null when it is not set.
using VariableReader = std::function<const char*(const char* name)>;

/// Empty for a process that stands alone: no launcher's size, or one of 1. The first of these that says more than 1
/// counts: WORLD_SIZE (torchrun and whatever sets the same), OMPI_COMM_WORLD_SIZE (mpirun), SLURM_STEP_NUM_TASKS or, in
/// a task of srun, SLURM_NTASKS. MASTER_ADDR and MASTER_PORT say where rank 0 is; mpirun and srun may leave them out
/// where all ranks are on one machine, srun also where it was called on the machine of rank 0, and the port is
/// kDefaultPort then. GPUASSAY_GROUP_TOKEN, where it is set, has kShortestToken characters at least. Throws
/// Error{usage}, in one line, for what is missing or cannot be.
std::optional<Launch> launch_from(const VariableReader& variable);

inline constexpr std::uint16_t kDefaultPort = 29500;  ///< as torchrun's
inline constexpr int kMostRanks = 4096;
inline constexpr std::size_t kShortestToken = 16;  ///< shorter ones could be guessed from what was overheard

}  // namespace gpuassay
