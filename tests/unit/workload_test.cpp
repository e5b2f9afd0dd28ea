#include "core/workload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "core/operations.h"
#include "core/workload_reader.h"
#include "tests/support/resnet50.h"

namespace gpuassay {
namespace {

// MACs of one image forward, and of the first convolution: core/resnet50.h, tests/unit/resnet50_test.cpp.
constexpr double kResnetMacs = 4'089'184'256;
constexpr double kResnetStemMacs = 118'013'952;
// Weights of Llama 3.2 1B that are multiplied with: 16 layers of query and output 2 * 2048 * 2048, keys and values
// 2048 * 1024, three of 2048 * 8192; 128256 words of 2048.
constexpr double kLlamaMultiplied = 16 * (2.0 * 2048 * 2048 + 2048.0 * 1024 + 3 * 2048.0 * 8192) + 128'256.0 * 2048;
constexpr double kLlamaNorms = 33 * 2048;
constexpr std::int64_t kCardBytes = 8'000'000'000;
constexpr std::int64_t kReservedBytes = 500'000'000;  ///< CUDA's context and the libraries' workspace

const TracedWorkload& workload(std::string_view id) {
  const TracedWorkload* found = find_workload(id);
  EXPECT_NE(found, nullptr) << id;
  return *found;
}

template <class Params>
double flops_of(const TracedWorkload& traced) {
  double flops = 0;
  for (const TracedOperation& operation : traced.operations) {
    if (std::holds_alternative<Params>(operation.params)) {
      flops += static_cast<double>(operation.count) * flop_count(operation);
    }
  }
  return flops;
}

double traffic_bytes(const TracedPrecision& precision, TrafficKind kind) {
  double bytes = 0;
  for (const MemoryTraffic& traffic : precision.traffic) {
    if (traffic.kind == kind) bytes += static_cast<double>(traffic.count) * byte_count(traffic);
  }
  return bytes;
}

TEST(Workload, CountsOneOfEachByHand) {
  const TracedOperation gemm{TracedGemm{ConvDirection::forward, false, true, 2, 3, 5, 7}, TracedRole::half, 1};
  EXPECT_EQ(flop_count(gemm), 2 * 2 * 3 * 5 * 7);
  EXPECT_EQ(byte_count(gemm, WorkloadPrecision::mixed), 2 * 7 * (2 * 5 + 5 * 3 + 2 * 3));
  EXPECT_EQ(byte_count(gemm, WorkloadPrecision::full), 4 * 7 * (2 * 5 + 5 * 3 + 2 * 3));
  EXPECT_EQ(launch_count(gemm), 1);

  // 3 channels of 8 x 8 to 4 of 4 x 4 by filters of 3 x 3, in steps of two.
  const TracedOperation conv{TracedConv{ConvDirection::backward_data, true, 2, 3, 8, 8, 4, 3, 3, 2, 1},
                             TracedRole::fp32, 1};
  EXPECT_EQ(flop_count(conv), 2 * 2 * 4 * 4 * 4 * 3 * 3 * 3);
  EXPECT_EQ(byte_count(conv, WorkloadPrecision::mixed), 4 * (2 * 3 * 64 + 4 * 3 * 9 + 2 * 4 * 16));

  // 2 sequences, 4 heads that share 2 keys and values, 3 tokens of size 8; causal: 1 + 2 + 3 pairs.
  TracedAttention attention{false, 2, 4, 2, 3, 3, 8, true, 1};
  const TracedOperation forward{attention, TracedRole::half, 1};
  EXPECT_EQ(flop_count(forward), 2 * 2 * 2 * 4 * 6 * 8);
  EXPECT_EQ(byte_count(forward, WorkloadPrecision::mixed), 2 * (2 * 2 * 4 * 3 * 8 + 2 * 2 * 2 * 3 * 8) + 4 * 2 * 4 * 3);
  attention.backward = true;
  attention.causal = false;
  const TracedOperation backward{attention, TracedRole::half, 1};
  EXPECT_EQ(flop_count(backward), 5 * 2 * 2 * 4 * 9 * 8);
  EXPECT_EQ(byte_count(backward, WorkloadPrecision::mixed),
            2 * (4 * 2 * 4 * 3 * 8 + 4 * 2 * 2 * 3 * 8) + 4 * 2 * 4 * 3);

  const MemoryTraffic traffic{TrafficKind::copy, {1, 2, 3}, {4, 5, 6}, 1, 1};
  EXPECT_EQ(byte_count(traffic), 2 * (1 + 4) + 4 * (2 + 5) + 8 * (3 + 6));
}

TEST(Workload, HasTheFinalNamesAndClasses) {
  std::vector<std::string> names;
  for (const TracedWorkload& traced : core_workloads()) {
    names.push_back(std::string(to_name(traced.workload_class)) + " " + traced.id);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"train resnet50_train", "train bert_large_train", "train gpt_train",
                                             "prefill resnet50_infer", "prefill llm_prefill", "prefill sd_unet",
                                             "decode llm_decode_b1", "decode llm_decode_b32"}));
  EXPECT_EQ(find_workload("resnet_50"), nullptr);
}

TEST(Workload, EveryOneOfTheCoreFitsEightGigabytes) {
  for (const TracedWorkload& traced : core_workloads()) {
    for (const WorkloadPrecision precision : {WorkloadPrecision::full, WorkloadPrecision::mixed}) {
      EXPECT_LT(traced.in(precision).memory.peak_bytes, kCardBytes - kReservedBytes) << traced.id;
    }
  }
}

TEST(Workload, ResnetHasTheFlopsWorkedOutByHand) {
  const TracedWorkload& forward = workload("resnet50_infer");
  EXPECT_EQ(forward.shape.at("parameters"), test::resnet50_parameter_count());
  EXPECT_EQ(totals_of(forward, WorkloadPrecision::full).flops, 2 * 64 * kResnetMacs);
  EXPECT_EQ(flops_of<TracedGemm>(forward), 2.0 * 64 * 2048 * 1000);
  const TracedWorkload& train = workload("resnet50_train");
  EXPECT_EQ(totals_of(train, WorkloadPrecision::mixed).flops, 2 * 64 * (3 * kResnetMacs - kResnetStemMacs));
}

TEST(Workload, ResnetHasTheOperationsOfTheListWrittenByHand) {
  // The weights' gradient of the classifier is made as its transpose: dy^T * x.
  const auto normal = [](OperationParams params) {
    if (auto* gemm = std::get_if<GemmParams>(&params); gemm != nullptr && gemm->m > gemm->n)
      std::swap(gemm->m, gemm->n);
    return params;
  };
  std::vector<std::pair<OperationParams, std::int64_t>> traced;
  for (const TracedOperation& operation : workload("resnet50_train").operations) {
    traced.emplace_back(normal(measurable_params(operation, DType::fp16).value()), operation.count);
  }
  const auto typed = test::resnet50_train_operations(DType::fp16, 64);
  EXPECT_EQ(traced.size(), typed.size());
  for (const test::WorkloadOperation& operation : typed) {
    EXPECT_EQ(
        std::count(traced.begin(), traced.end(), std::pair(normal(operation.params), std::int64_t{operation.count})), 1)
        << case_id(operation.params);
  }
}

TEST(Workload, GptHasSixFlopsForEachWeightAndToken) {
  constexpr double kMultiplied = 12 * 12.0 * 768 * 768 + 50'304.0 * 768;
  const TracedWorkload& gpt = workload("gpt_train");
  EXPECT_EQ(flops_of<TracedGemm>(gpt), 6 * kMultiplied * 4 * 1024);
  // Two products forward and five backward, of 1024 * 1025 / 2 pairs, in 12 layers of 12 heads of 64.
  EXPECT_EQ(flops_of<TracedAttention>(gpt), 7 * 2 * 4 * 12 * 12 * 524'800.0 * 64);
  EXPECT_EQ(gpt.shape.at("parameters"), 124'475'904);  // GPT-2
}

TEST(Workload, TrainingMultipliesOnceForwardAndOnceForEachGradient) {
  for (const char* name : {"bert_large_train", "gpt_train"}) {
    std::map<ConvDirection, double> flops;
    for (const TracedOperation& operation : workload(name).operations) {
      if (const auto* gemm = std::get_if<TracedGemm>(&operation.params); gemm != nullptr) {
        flops[gemm->direction] += static_cast<double>(operation.count) * flop_count(operation);
      }
    }
    EXPECT_EQ(flops[ConvDirection::backward_data], flops[ConvDirection::forward]) << name;
    EXPECT_EQ(flops[ConvDirection::backward_weights], flops[ConvDirection::forward]) << name;
  }
}

TEST(Workload, BertHasSixFlopsForEachWeightAndToken) {
  constexpr double kMultiplied = 24 * 12.0 * 1024 * 1024 + 30'522.0 * 1024;
  const TracedWorkload& bert = workload("bert_large_train");
  EXPECT_EQ(flops_of<TracedGemm>(bert), 6 * kMultiplied * 8 * 128);
  EXPECT_EQ(flops_of<TracedAttention>(bert), 7 * 2 * 8 * 24 * 16 * 128.0 * 128 * 64);
}

TEST(Workload, PrefillHasTwoFlopsForEachWeightAndTokenButOneTokensLogits) {
  const TracedWorkload& prefill = workload("llm_prefill");
  EXPECT_EQ(prefill.shape.at("parameters"), 1'235'814'400);  // Llama 3.2 1B
  EXPECT_EQ(flops_of<TracedGemm>(prefill), 2 * ((kLlamaMultiplied - 128'256.0 * 2048) * 2048 + 128'256.0 * 2048));
}

TEST(Workload, DecodingReadsTheWeightsAndTheCache) {
  for (const double batch : {1.0, 32.0}) {
    const TracedWorkload& decode = workload(batch == 1 ? "llm_decode_b1" : "llm_decode_b32");
    EXPECT_EQ(decode.shape.at("parameters"), kLlamaMultiplied + kLlamaNorms);
    EXPECT_EQ(flops_of<TracedGemm>(decode), 2 * kLlamaMultiplied * batch);
    const double cache_elements = batch * 16 * 2 * 8 * 1024 * 64;
    const double least = 2 * (kLlamaMultiplied + cache_elements);
    const double bytes = totals_of(decode, WorkloadPrecision::mixed).operation_bytes;
    EXPECT_GE(bytes, least);
    EXPECT_LT(bytes, 1.02 * least);  // what goes into and comes out of the products
  }
}

TEST(Workload, TheUnetIsThatOfStableDiffusion) { EXPECT_EQ(workload("sd_unet").shape.at("parameters"), 859'520'964); }

TEST(Workload, LargeOnesHaveThePublishedSizes) {
  EXPECT_EQ(large_workloads().size(), 6u);
  EXPECT_EQ(workload("large_8b_decode_b1").shape.at("parameters"), 8'030'261'248);
  EXPECT_EQ(workload("large_70b_prefill").shape.at("parameters"), 70'553'706'496);
}

TEST(Workload, ResnetMovesWhatTheListWrittenByHandSays) {
  // But for the optimizer (below). The hand's list has no int64 places of max pooling, whose gradient is set to zero
  // first, and counts the sum of two gradients by what leaves a block, where it is what enters the next.
  const TracedPrecision& traced = workload("resnet50_train").full;
  const double by_hand = test::resnet50_train_elementwise_bytes(DType::fp32, 64) - 5 * 4 * 25'557'032.0;
  const double bytes = totals_of(workload("resnet50_train"), WorkloadPrecision::full).traffic_bytes -
                       traffic_bytes(traced, TrafficKind::optimizer);
  EXPECT_GT(bytes, by_hand);
  EXPECT_LT(bytes, 1.02 * by_hand);
}

TEST(Workload, OptimizersPassOverTheirStateInFp32) {
  // PyTorch's fused AdamW: reads weights, gradients and two moments, writes all but the gradients.
  const TracedWorkload& gpt = workload("gpt_train");
  for (const TracedPrecision* precision : {&gpt.full, &gpt.mixed}) {
    EXPECT_NEAR(traffic_bytes(*precision, TrafficKind::optimizer), 7 * 4 * 124'475'904.0, 1e5);
  }
  // SGD by lists of tensors: decay 3, momentum 2 and 3, the step 3 passes; the list written by hand has the 5 of a
  // fused one.
  EXPECT_NEAR(traffic_bytes(workload("resnet50_train").mixed, TrafficKind::optimizer), 11 * 4 * 25'557'032.0, 1e5);
}

}  // namespace
}  // namespace gpuassay
