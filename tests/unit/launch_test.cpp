#include "agent/group/launch.h"

#include <gtest/gtest.h>

#include <map>

#include "core/error.h"

namespace gpuassay {
namespace {

using Variables = std::map<std::string, std::string>;

std::optional<Launch> launch_of(const Variables& variables) {
  return launch_from([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

std::string refusal(const Variables& variables) {
  try {
    (void)launch_of(variables);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    return error.what();
  }
  return "";
}

const Variables kTorchrun{{"WORLD_SIZE", "16"},        {"RANK", "9"},           {"LOCAL_RANK", "1"},
                          {"MASTER_ADDR", "10.0.0.5"}, {"MASTER_PORT", "4000"}, {"TORCHELASTIC_RUN_ID", "abc"}};
const Variables kMpirun{{"OMPI_COMM_WORLD_SIZE", "2"},
                        {"OMPI_COMM_WORLD_RANK", "1"},
                        {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                        {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                        {"PMIX_NAMESPACE", "42"}};
const Variables kSrun{{"SLURM_STEP_NUM_TASKS", "8"},           {"SLURM_PROCID", "7"},   {"SLURM_LOCALID", "3"},
                      {"SLURM_STEP_NUM_NODES", "2"},           {"SLURM_JOB_ID", "314"}, {"SLURM_STEP_ID", "0"},
                      {"SLURM_LAUNCH_NODE_IPADDR", "10.0.0.7"}};

Variables with(Variables variables, const std::string& name, const std::string& value) {
  variables[name] = value;
  return variables;
}
Variables without(Variables variables, const std::string& name) {
  variables.erase(name);
  return variables;
}

TEST(LaunchFrom, ReadsWhatEachLauncherSets) {
  const auto torchrun = launch_of(kTorchrun);
  ASSERT_TRUE(torchrun);
  EXPECT_EQ(torchrun->rank, 9);
  EXPECT_EQ(torchrun->ranks, 16);
  EXPECT_EQ(torchrun->local_rank, 1);
  EXPECT_EQ(torchrun->host, "10.0.0.5");
  EXPECT_EQ(torchrun->port, 4000);
  EXPECT_EQ(torchrun->job, "abc");
  const auto mpirun = launch_of(kMpirun);
  ASSERT_TRUE(mpirun);
  EXPECT_EQ(mpirun->rank, 1);
  EXPECT_EQ(mpirun->host, "127.0.0.1") << "all ranks are on one machine";
  EXPECT_EQ(mpirun->port, kDefaultPort);
  const auto srun = launch_of(kSrun);
  ASSERT_TRUE(srun);
  EXPECT_EQ(srun->local_rank, 3);
  EXPECT_EQ(srun->host, "10.0.0.7");
  EXPECT_EQ(srun->job, "314.0");
}

TEST(LaunchFrom, TheAgentsStoreOfTorchrunKeepsItsPort) {
  EXPECT_EQ(launch_of(with(kTorchrun, "TORCHELASTIC_USE_AGENT_STORE", "True"))->port, 4001);
  EXPECT_EQ(launch_of(with(kTorchrun, "TORCHELASTIC_USE_AGENT_STORE", "False"))->port, 4000);
}

TEST(LaunchFrom, WhoStandsAloneRunsAsUsual) {
  EXPECT_FALSE(launch_of({}));
  EXPECT_FALSE(launch_of({{"WORLD_SIZE", "1"}}));
  EXPECT_FALSE(launch_of({{"RANK", "3"}, {"MASTER_PORT", "x"}}));
  EXPECT_FALSE(launch_of({{"WORLD_SIZE", ""}}));
  EXPECT_FALSE(launch_of(with(kSrun, "SLURM_STEP_NUM_TASKS", "1")));
  // The script of a batch job is not one of its tasks.
  EXPECT_FALSE(launch_of({{"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}, {"SLURM_LOCALID", "0"}}));
  EXPECT_TRUE(launch_of(with(kMpirun, "WORLD_SIZE", "1"))) << "mpirun says more";
}

TEST(LaunchFrom, NamesWhatIsMissing) {
  for (const char* name : {"RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"})
    EXPECT_NE(refusal(without(kTorchrun, name)).find(name), std::string::npos) << name;
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK"})
    EXPECT_NE(refusal(without(kMpirun, name)).find(name), std::string::npos) << name;
  for (const char* name : {"SLURM_PROCID", "SLURM_LOCALID"})
    EXPECT_NE(refusal(without(kSrun, name)).find(name), std::string::npos) << name;
  EXPECT_NE(refusal(with(kMpirun, "OMPI_COMM_WORLD_LOCAL_SIZE", "1")).find("MASTER_ADDR"), std::string::npos);
  EXPECT_NE(refusal(without(kSrun, "SLURM_LAUNCH_NODE_IPADDR")).find("MASTER_ADDR"), std::string::npos);
}

TEST(LaunchFrom, TakesTheTokenOfTheGroupAndNeverShowsIt) {
  EXPECT_EQ(launch_of(kTorchrun)->token, "");
  EXPECT_EQ(launch_of(with(kTorchrun, "GPUASSAY_GROUP_TOKEN", ""))->token, "");
  for (const Variables& launcher : {kTorchrun, kMpirun, kSrun})
    EXPECT_EQ(launch_of(with(launcher, "GPUASSAY_GROUP_TOKEN", "0123456789abcdef"))->token, "0123456789abcdef");
  const std::string refused = refusal(with(kTorchrun, "GPUASSAY_GROUP_TOKEN", "hunter2"));
  EXPECT_EQ(refused, "GPUASSAY_GROUP_TOKEN must have 16 to 1024 characters; `openssl rand -hex 32` makes one");
}

TEST(LaunchFrom, WhatCannotBeIsRefused) {
  for (const char* rank : {"16", "-1", "x", "1x", "1.5", "99999999999999999999", " 1"})
    EXPECT_NE(refusal(with(kTorchrun, "RANK", rank)), "") << rank;
  for (const char* size : {"0", "-2", "two", "4097", "2 "})
    EXPECT_NE(refusal(with(kTorchrun, "WORLD_SIZE", size)), "") << size;
  for (const char* port : {"0", "65536", "http"}) EXPECT_NE(refusal(with(kTorchrun, "MASTER_PORT", port)), "") << port;
  EXPECT_NE(refusal(with(kTorchrun, "MASTER_ADDR", "two words")), "");
  EXPECT_NE(refusal(with(kTorchrun, "MASTER_ADDR", std::string(300, 'a'))), "");
  EXPECT_NE(refusal(with(kTorchrun, "LOCAL_RANK", "1000")), "");
}

}  // namespace
}  // namespace gpuassay
