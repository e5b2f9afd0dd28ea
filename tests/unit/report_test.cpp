#include "agent/report.h"

#include <gtest/gtest.h>

#include <sstream>

#include "agent/progress.h"
#include "core/normalize.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

const ReportContext kContext{"/data/runs/x.json", {"sent to the collector"}, "gpuassay show x"};

std::size_t widest_line(const std::string& text) {
  std::size_t widest = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) widest = std::max(widest, line.size());
  return widest;
}

TEST(Report, ReadsAsAPage) {
  Result result = test::example_result();
  result.price.price_instance_hour_usd = "0.500000";
  result.run_cost_usd = "0.008403";
  result.score_per_usd_hour = 2.5;
  result.score.value = 57.25;
  result.score.classes = {61, 48.5, 63.4};
  result.score.dlperf_2022_equivalent = 20.3;
  const auto workload = [](const char* name, const char* precision, double samples_per_s) {
    return WorkloadScore{name, {}, precision, 64, samples_per_s, samples_per_s * 0.9, samples_per_s * 1.1, 0.5, 0.9};
  };
  result.score.workloads = {workload("resnet50_train", "tf32", 400), workload("resnet50_train", "fp16", 1234),
                            workload("llm_decode_b1", "fp16", 98)};
  result.reasons = {{"budget", "the time budget was used up", std::nullopt}};
  result.time_use = TimeUse{54.6, 3.42, 0.09};
  const std::string expected =
      "  gpuassay   standard complete in 60 s\n"
      "  device     cpu: AMD EPYC 9654 (1.5 CPUs)\n"
      "\n"
      "  score      57.2 Assay Index 2026.1  (A100 = 100, burst)\n"
      "             train 61.0  prefill 48.5  decode 63.4  DLPerf 2022 about 20.3\n"
      "  networks   resnet50_train fp16:  1234 images/s  (1111 to 1357)\n"
      "             llm_decode_b1 fp16:  98.0 tokens/s  (88.2 to 108.0)\n"
      "  per dollar 2.50 index points  at 0.5000 USD per hour  this run: 0.0084 USD\n"
      "\n"
      "  gemm       fp32 0.600 TFLOP/s  (noise 0.0 %)\n"
      "  conv       fp32 0.600 TFLOP/s  (noise 0.0 %)\n"
      "  memory     triad 30.0 GB/s  (noise 0.0 %)\n"
      "  sustained  not measured in this run; --soak 60 does\n"
      "  time       measuring 91.0 %  preparing cases 5.7 %  around them 3.3 %\n"
      "\n"
      "  !          the time budget was used up\n"
      "  !          another tenant took CPU time: run again on a quiet machine\n"
      "  saved      /data/runs/x.json\n"
      "             sent to the collector\n"
      "  next       gpuassay show x\n";
  EXPECT_EQ(render_report(result, kContext, TextStyle{}), expected);
}

/// `count` T4s with one case of every kind of figure.
Result gpu_result(int count) {
  Result result = test::example_result();
  result.devices.clear();
  result.measurements.clear();
  result.verdicts.clear();
  result.score = Score{};
  for (int index = 0; index < count; ++index) {
    Device device;
    device.index = index;
    device.kind = DeviceKind::cuda;
    device.name = "Tesla T4";
    device.pci = Pci{1, 16, 3, 16};
    device.theoretical = TheoreticalPeak{{{DType::fp32, 8.1}, {DType::fp16, 65}}, 320, {{DType::fp32, 8.1}}};
    result.devices.push_back(device);
    const auto add = [&](const OperationParams& params, double ns) {
      result.measurements.push_back(test::ok_measurement(params, {ns, ns, ns}, index));
    };
    add(GemmParams{DType::fp32, 4096, 4096, 4096, 1}, 2e7);                                // 6.87 TFLOP/s
    add(GemmParams{DType::fp16, 4096, 4096, 4096, 1}, 4e6);                                // 34.4 of 65
    add(GemmParams{DType::int8, 4096, 4096, 4096, 1}, 2e6);                                // faster, but no headline
    add(GemmParams{DType::fp16, 1, 4096, 4096, 1}, 1e5);                                   // not square
    add(ComputeParams{DType::fp32, ComputeUnit::fma, 8'000'000'000}, 1e6);                 // 8
    add(ComputeParams{DType::fp16, ComputeUnit::fma, 15'000'000'000}, 1e6);                // 15
    add(ComputeParams{DType::fp16, ComputeUnit::mma, 40'000'000'000}, 1e6);                // 40
    add(BandwidthParams{BandwidthKernel::triad, MemoryLevel::dram, 100'000'000}, 1.25e6);  // 240 of 320
    add(BandwidthParams{BandwidthKernel::gather, MemoryLevel::dram, 100'000'000}, 5e5);    // 200
    add(BandwidthParams{BandwidthKernel::read, MemoryLevel::l2, 1'000'000}, 1e3);          // 1000
    add(BandwidthParams{BandwidthKernel::h2d, MemoryLevel::pinned, 12'000'000}, 1e6);      // 12
    add(BandwidthParams{BandwidthKernel::h2d, MemoryLevel::pageable, 4'000'000}, 1e6);
    add(BandwidthParams{BandwidthKernel::bidirectional, MemoryLevel::pinned, 10'000'000}, 1e6);
    add(LatencyParams{LatencyKind::kernel_launch}, 4500);
    add(LatencyParams{LatencyKind::graph_launch}, 1100);
  }
  result.measurements = normalize_all(result.measurements, result.devices);
  result.summary = summarize(result.devices, result.measurements);
  return result;
}

TEST(Report, AGpuHasItsOwnLines) {
  const std::string text = render_report(gpu_result(1), kContext, TextStyle{});
  const std::string expected =
      "  gpuassay   standard complete in 60 s\n"
      "  device     cuda: Tesla T4 (1.5 CPUs)\n"
      "\n"
      "  score      unknown: too little was measured, or with wrong results\n"
      "\n"
      "  gemm       fp32 6.87  fp16 34.4  int8 68.7 TFLOP/s\n"
      "             (fp16 53 % of peak, noise 0.0 %)\n"
      "  compute    fma: fp32 8.00  fp16 15.0  mma: fp16 40.0 TFLOP/s\n"
      "             (our own kernels, noise 0.0 %)\n"
      "  memory     triad 240.0  gather 200.0  l2 1000 GB/s\n"
      "             (triad 75 % of peak, noise 0.0 %)\n"
      "  transfer   h2d 12.0  bidirectional 20.0 GB/s  (PCIe gen 3 x16, noise 0.0 %)\n"
      "  latency    kernel launch 4.50  graph launch 1.10 us  (noise 0.0 %)\n"
      "  sustained  not measured in this run; --soak 60 does\n"
      "\n"
      "  verdict    healthy: nothing suspicious, every output verified\n";
  EXPECT_EQ(text.substr(0, expected.size()), expected) << text;
}

TEST(Report, SeveralGpusAreOneLineEach) {
  Result result = gpu_result(2);
  result.score.per_device = {{0, 12.5}, {1, std::nullopt}};
  const std::string text = render_report(result, kContext, TextStyle{});
  EXPECT_NE(text.find("device     2 x cuda: Tesla T4"), std::string::npos) << text;
  EXPECT_NE(text.find("  device 0   score 12.5  fp16 34.4 TFLOP/s  triad 240.0 GB/s  h2d 12.0 GB/s\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  device 1   fp16 34.4 TFLOP/s  triad 240.0 GB/s"), std::string::npos) << text;
  EXPECT_NE(text.find("kernel launch 4.50"), std::string::npos) << "the slowest, not a sum: " << text;
  EXPECT_NE(text.find("fp16 68.7"), std::string::npos) << "a sum: " << text;
  EXPECT_EQ(text.find("alone"), std::string::npos) << text;
  result.summary.instance.latency_us.clear();
  EXPECT_NE(render_report(result, kContext, TextStyle{}).find("(device 0 alone"), std::string::npos);
  for (const int columns : {48, 60}) {
    EXPECT_LE(widest_line(render_report(result, kContext, TextStyle{false, false, columns})),
              static_cast<std::size_t>(columns));
  }
}

TEST(Report, TheShareOfThePeakIsThatOfTheSlowestGpuAndLeftOutWhereNoPeakIsKnown) {
  Result result = gpu_result(2);
  for (Measurement& m : result.measurements) {
    if (m.device == 1 && m.fraction_of_peak) m.fraction_of_peak = *m.fraction_of_peak / 2;
  }
  EXPECT_NE(render_report(result, kContext, TextStyle{}).find("fp16 26 % of peak"), std::string::npos);
  for (Measurement& m : result.measurements) {
    if (m.device == 1) m.fraction_of_peak.reset();
  }
  EXPECT_EQ(render_report(result, kContext, TextStyle{}).find("of peak"), std::string::npos);
}

TEST(Report, FitsNarrowTerminals) {
  Result result = test::example_result();
  result.price.price_instance_hour_usd = "0.500000";
  result.run_cost_usd = "0.008403";
  result.verdicts[0].remedy = "a remedy that is so long that it has to go over several lines of a narrow terminal";
  for (const int columns : {40, 60, 80}) {
    EXPECT_LE(widest_line(render_report(result, kContext, TextStyle{false, false, columns})),
              static_cast<std::size_t>(columns));
  }
}

TEST(Report, ColourOnlyWhenWelcome) {
  const Result result = test::example_result();
  EXPECT_EQ(render_report(result, kContext, TextStyle{false, false, 80}).find('\033'), std::string::npos);
  EXPECT_NE(render_report(result, kContext, TextStyle{true, true, 80}).find("\033[1m"), std::string::npos);
}

TEST(Report, HostileStringsCannotSteerTheTerminal) {
  Result result = test::example_result();
  result.devices[0].name =
      "evil\033]0;title\007\xC2\x9B"
      "31m\nnew line";
  result.verdicts[0].message = "a\033[2J";
  const std::string text = render_report(result, kContext, TextStyle{});
  EXPECT_EQ(text.find('\033'), std::string::npos);
  EXPECT_EQ(text.find('\007'), std::string::npos);
  EXPECT_EQ(text.find('\x9B'), std::string::npos);
  EXPECT_NE(text.find("evil?]0;title??31m?new line"), std::string::npos);
}

TEST(Report, AnUnknownScoreIsSaidNotShownAsZero) {
  Result result = test::example_result();
  result.score = Score{};
  const std::string text = render_report(result, kContext, TextStyle{});
  EXPECT_NE(text.find("score      unknown"), std::string::npos);
}

TEST(Report, ACleanRunSaysSo) {
  Result result = test::example_result();
  result.verdicts.clear();
  EXPECT_NE(render_report(result, kContext, TextStyle{}).find("healthy: nothing suspicious, every output verified"),
            std::string::npos);
}

TEST(ProgressLine, ShowsCaseBarTimeMoneyAndFigure) {
  const ProgressState state{"gemm/fp32/m1n1k1", 6, 12, 30, 90, "0.151 TFLOP/s", 1.2};
  EXPECT_EQ(progress_line(state, 100), "[######......] 6/12 30/90 s  0.0100 USD  0.151 TFLOP/s  gemm/fp32/m1n1k1");
  EXPECT_EQ(progress_line(state, 40).size(), 39u);
  EXPECT_EQ(progress_line({"", 0, 0, 0, 90, "", std::nullopt}, 100), "[............] 0/0 0/90 s  ");
}

TEST(FigureText, SaysWhyThereIsNone) {
  Measurement m = test::ok_measurement(GemmParams{DType::fp32, 1, 1, 1, 1}, {1});
  m.metric = Metric{"achieved_gb_per_s", 12.345, "GB/s"};
  EXPECT_EQ(figure_text(m), "12.3 GB/s");
  m.metric.reset();
  m.status = CaseStatus::skipped;
  m.reason = "unsupported: no";
  EXPECT_EQ(figure_text(m), "skipped (unsupported: no)");
}

TEST(Progress, PlainLinesOffATerminalNothingWhenQuiet) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* stream = ::open_memstream(&text, &size);
  {
    Progress normal(stream, TextStyle{}, Verbosity::normal);
    normal.say("measuring");
    normal.update({"case", 1, 2, 3, 4, "", std::nullopt});
    Progress quiet(stream, TextStyle{true, true, 80}, Verbosity::quiet);
    quiet.say("not shown");
    quiet.update({"case", 1, 2, 3, 4, "", std::nullopt});
    quiet.warn("shown");
  }
  std::fclose(stream);
  EXPECT_STREQ(text, "gpuassay: measuring\ngpuassay: shown\n");
  std::free(text);
}

TEST(Progress, TheLiveLineIsClearedBeforeAnythingElse) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* stream = ::open_memstream(&text, &size);
  {
    Progress live(stream, TextStyle{true, true, 80}, Verbosity::normal);
    live.update({"case", 1, 2, 3, 4, "", std::nullopt});
    live.say("told");
    live.update({"case", 1, 2, 3, 4, "", std::nullopt});
  }
  std::fclose(stream);
  const std::string line = "\r\033[K[######......] 1/2 3/4 s  case";
  EXPECT_EQ(std::string(text), line + "\r\033[Kgpuassay: told\n" + line + "\r\033[K");
  std::free(text);
}

}  // namespace
}  // namespace gpuassay
