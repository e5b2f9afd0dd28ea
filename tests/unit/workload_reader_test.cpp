#include "core/workload_reader.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.h"

namespace gpuassay {
namespace {

using nlohmann::json;

/// One product, one convolution, one attention of each direction, and one copy.
json small_trace() {
  return json::parse(R"({
    "attention": {"columns": ["direction", "role", "batch", "heads", "kv_heads", "query_length", "key_length", "head_size",
                              "causal", "launches", "count"],
                  "rows": [["forward", "half", 1, 2, 1, 4, 4, 8, 1, 1, 3]]},
    "class": "train",
    "command": "scripts/trace_workload small",
    "conv": {"columns": ["direction", "role", "layout", "n", "c", "h", "w", "k", "r", "s", "stride", "pad", "count"],
             "rows": [["backward_weights", "half", "nhwc", 1, 3, 8, 8, 4, 3, 3, 2, 1, 1]]},
    "flops": {"attention": 1920, "conv": 3456, "gemm": 120},
    "format": 1,
    "gemm": {"columns": ["direction", "role", "a", "b", "m", "n", "k", "batch", "count"],
             "rows": [["backward_data", "fp32", "n", "t", 2, 3, 5, 1, 2]]},
    "id": "small",
    "network": "made up",
    "precisions": {
      "full": {"launches": 6, "memory_bytes": {"activations": 1, "inputs": 2, "optimizer": 3, "peak": 10, "weights": 4},
               "traffic": {"columns": ["kind", "read_half", "read_fp32", "read_int64", "written_half", "written_fp32",
                                       "written_int64", "launches", "count"], "rows": []}},
      "mixed": {"launches": 12, "memory_bytes": {"activations": 0, "inputs": 0, "optimizer": 0, "peak": 4, "weights": 4},
                "traffic": {"columns": ["kind", "read_half", "read_fp32", "read_int64", "written_half", "written_fp32",
                                        "written_int64", "launches", "count"],
                            "rows": [["copy", 1, 2, 3, 4, 5, 6, 2, 3]]}}},
    "samples": 7,
    "shape": {"batch": 7, "parameters": 11},
    "torch": "2.13.0",
    "unit": "images"})");
}

std::string refusal_of(const std::string& pointer, const json& value) {
  json trace = small_trace();
  trace[json::json_pointer(pointer)] = value;
  try {
    read_workload(trace.dump());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unreadable_input);
    return error.what();
  }
  return "accepted";
}

TEST(WorkloadReader, ReadsEveryField) {
  const TracedWorkload read = read_workload(small_trace().dump());
  EXPECT_EQ(read.id, "small");
  EXPECT_EQ(read.workload_class, WorkloadClass::train);
  EXPECT_EQ(read.network, "made up");
  EXPECT_EQ(read.command, "scripts/trace_workload small");
  EXPECT_EQ(read.torch_version, "2.13.0");
  EXPECT_EQ(read.shape, (std::map<std::string, std::int64_t>{{"batch", 7}, {"parameters", 11}}));
  EXPECT_EQ(read.samples, 7);
  EXPECT_EQ(read.unit, "images");
  ASSERT_EQ(read.operations.size(), 3u);
  EXPECT_EQ(std::get<TracedGemm>(read.operations[0].params),
            (TracedGemm{ConvDirection::backward_data, false, true, 2, 3, 5, 1}));
  EXPECT_EQ(read.operations[0].role, TracedRole::fp32);
  EXPECT_EQ(read.operations[0].count, 2);
  EXPECT_EQ(std::get<TracedConv>(read.operations[1].params),
            (TracedConv{ConvDirection::backward_weights, true, 1, 3, 8, 8, 4, 3, 3, 2, 1}));
  EXPECT_EQ(std::get<TracedAttention>(read.operations[2].params), (TracedAttention{false, 1, 2, 1, 4, 4, 8, true, 1}));
  EXPECT_TRUE(read.full.traffic.empty());
  EXPECT_EQ(read.full.memory.peak_bytes, 10);
  ASSERT_EQ(read.mixed.traffic.size(), 1u);
  const MemoryTraffic& traffic = read.mixed.traffic.front();
  EXPECT_EQ(traffic.kind, TrafficKind::copy);
  EXPECT_EQ(traffic.read.fp32, 2);
  EXPECT_EQ(traffic.written.int64, 6);
  EXPECT_EQ(traffic.launches, 2);
  EXPECT_EQ(traffic.count, 3);
  EXPECT_EQ(read.mixed.launches, 12);
}

TEST(WorkloadReader, RefusesWhatIsNotExactlyATrace) {
  EXPECT_EQ(refusal_of("/unit", "images"), "accepted");
  EXPECT_NE(refusal_of("/unit", ""), "accepted");
  EXPECT_NE(refusal_of("/unheard_of", 1).find("an object with the keys"), std::string::npos);
  EXPECT_NE(refusal_of("/format", 2).find("/format must be 1"), std::string::npos);
  EXPECT_NE(refusal_of("/class", "training").find("/class must be one of the known names"), std::string::npos);
  EXPECT_NE(refusal_of("/samples", 0).find("/samples"), std::string::npos);
  EXPECT_NE(refusal_of("/samples", 1.5).find("/samples"), std::string::npos);
  EXPECT_NE(refusal_of("/samples", std::uint64_t{1} << 63U).find("/samples"), std::string::npos);
  EXPECT_NE(refusal_of("/shape", json::object()).find("parameters"), std::string::npos);
  EXPECT_NE(refusal_of("/gemm", 1).find("/gemm must be an object with the keys columns, rows"), std::string::npos);
  EXPECT_NE(refusal_of("/precisions", json::array()).find("/precisions"), std::string::npos);
  EXPECT_NE(refusal_of("/gemm/columns/0", "pass").find("/gemm/columns"), std::string::npos);
  EXPECT_NE(refusal_of("/gemm/rows", 1).find("/gemm/rows must be an array"), std::string::npos);
  EXPECT_NE(refusal_of("/gemm/rows/0/2", "x").find("/gemm/rows/0 must be n or t"), std::string::npos);
  EXPECT_NE(refusal_of("/gemm/rows/0/8", 0).find("/gemm/rows/0"), std::string::npos);
  EXPECT_NE(refusal_of("/conv/rows/0", json::array({"forward"})).find("a cell for each column"), std::string::npos);
  EXPECT_NE(refusal_of("/precisions/mixed/traffic/rows/0/0", "other").find("known names"), std::string::npos);
}

TEST(WorkloadReader, RefusesSumsThatDoNotAddUp) {
  EXPECT_NE(refusal_of("/flops/gemm", 121).find("/flops/gemm must be what its rows add up to"), std::string::npos);
  EXPECT_NE(refusal_of("/precisions/full/launches", 7).find("launches must be what"), std::string::npos);
  EXPECT_NE(refusal_of("/precisions/full/memory_bytes/peak", 9).find("/peak must be the sum"), std::string::npos);
}

TEST(WorkloadReader, EveryCommittedFileIsEmbeddedUnderItsName) {
  for (const auto* workloads : {&core_workloads(), &large_workloads()}) {
    for (const TracedWorkload& workload : *workloads) {
      std::ifstream file(std::string(GPUASSAY_SOURCE_DIR) + "/core/data/workloads/" + workload.id + ".json");
      std::stringstream text;
      text << file.rdbuf();
      const TracedWorkload read = read_workload(text.str());
      EXPECT_EQ(read.id, workload.id);
      EXPECT_EQ(read.operations.size(), workload.operations.size());
      EXPECT_EQ(read.full.traffic.size(), workload.full.traffic.size());
      EXPECT_EQ(read.mixed.launches, workload.mixed.launches);
      EXPECT_EQ(read.command, "scripts/trace_workload " + workload.id);
    }
  }
}

}  // namespace
}  // namespace gpuassay
