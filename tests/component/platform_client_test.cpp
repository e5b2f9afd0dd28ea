// The real client against servers that follow a script, and work in a process beside this one.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "agent/platform/ask.h"
#include "agent/platform/background_process.h"
#include "agent/platform/detection.h"
#include "agent/platform/evidence.h"
#include "agent/platform/rules.h"
#include "core/error.h"
#include "tests/support/raw_socket.h"
#include "tests/support/scratch_root.h"
#include "tests/support/scripted_metadata.h"

namespace gpuassay {
namespace {

using std::chrono::milliseconds;
using test::RawSocket;
using test::ScriptedServer;
using Clock = std::chrono::steady_clock;

constexpr const char* kImds = "169.254.169.254";

/// Patient with a busy machine, quick where a test waits for the end of patience.
MetadataPatience patience(milliseconds total, std::vector<milliseconds> pauses = {}) {
  return {milliseconds(10'000), total, std::move(pauses), milliseconds(20'000)};
}

MetadataMap mapped_to(const ScriptedServer& server) { return {{kImds, {"127.0.0.1", server.port()}}}; }

MetadataRequest request_for(const std::string& path) {
  MetadataRequest request;
  request.host = kImds;
  request.path = path;
  return request;
}

TEST(MetadataClient, SaysWhatItIsTo) {
  std::string seen;
  const ScriptedServer server([&seen](RawSocket& socket, int) {
    seen = socket.read_message();
    socket.send(test::http_reply(200, "i-1", "Content-Type: text/plain\r\n"));
  });
  NetworkMetadataClient client(mapped_to(server), true, patience(milliseconds(10'000)));
  MetadataRequest request = request_for("/latest/api/token");
  request.method = "PUT";
  request.headers = {{"X-Ttl", "300"}};
  const MetadataAnswer answer = client.send(request);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "i-1");
  EXPECT_EQ(answer.headers.at("content-type"), "text/plain");
  EXPECT_TRUE(seen.starts_with("PUT /latest/api/token HTTP/1.1\r\n")) << seen;
  for (const char* part : {"Host: 169.254.169.254\r\n", "X-Ttl: 300\r\n", "Content-Length: 0\r\n"})
    EXPECT_NE(seen.find(part), std::string::npos) << seen;
}

TEST(MetadataClient, TriesAgainWhatMayPass) {
  const ScriptedServer server([](RawSocket& socket, int number) {
    (void)socket.read_message();
    constexpr int kStatuses[] = {503, 429, 200};
    socket.send(test::http_reply(kStatuses[std::min(number, 2)], "x"));
  });
  NetworkMetadataClient client(mapped_to(server), true,
                               patience(milliseconds(10'000), {milliseconds(1), milliseconds(1)}));
  EXPECT_EQ(client.send(request_for("/")).status, 200);
}

TEST(MetadataClient, LogsEveryTryWithoutHeadersAndBodies) {
  const ScriptedServer server([](RawSocket& socket, int number) {
    (void)socket.read_message();
    socket.send(test::http_reply(number == 0 ? 503 : 401, "what it says"));
  });
  std::vector<std::string> lines;
  NetworkMetadataClient client(mapped_to(server), true, patience(milliseconds(10'000), {milliseconds(1)}),
                               [&lines](const std::string& line) { lines.push_back(line); });
  MetadataRequest request = request_for("/latest/meta-data/instance-id");
  request.headers = {{"X-Token", "secret"}};
  (void)client.send(request);
  EXPECT_EQ(lines, (std::vector<std::string>{"metadata: GET 169.254.169.254/latest/meta-data/instance-id: HTTP 503",
                                             "metadata: GET 169.254.169.254/latest/meta-data/instance-id: HTTP 401"}));
}

TEST(MetadataClient, LogsWhyThereIsNoAnswer) {
  EXPECT_EQ(metadata_log_line(request_for("/x"), {0, {}, {}, "the metadata service does not answer in time"}),
            "metadata: GET 169.254.169.254/x: the metadata service does not answer in time");
}

TEST(MetadataClient, DoesNotTryAgainWhatWillNotPass) {
  std::atomic<int> connections = 0;
  const ScriptedServer server([&connections](RawSocket& socket, int) {
    ++connections;
    (void)socket.read_message();
    socket.send(test::http_reply(404, "x"));
  });
  NetworkMetadataClient client(mapped_to(server), true, patience(milliseconds(10'000), {milliseconds(1)}));
  EXPECT_EQ(client.send(request_for("/")).status, 404);
  EXPECT_EQ(connections, 1);
  MetadataRequest early = request_for("/");
  early.not_found_may_pass = true;
  EXPECT_EQ(client.send(early).status, 404);
  EXPECT_EQ(connections, 3);
}

TEST(MetadataClient, GivesUpOnSilenceAndOnTooMuch) {
  const ScriptedServer silent([](RawSocket& socket, int) { (void)socket.read_all(); });
  NetworkMetadataClient impatient(mapped_to(silent), true, patience(milliseconds(50)));
  EXPECT_EQ(impatient.send(request_for("/")).problem, "the metadata service does not answer in time");
  const ScriptedServer large([](RawSocket& socket, int) {
    (void)socket.read_message();
    socket.send(test::http_reply(200, std::string(300'000, 'x')));
  });
  NetworkMetadataClient client(mapped_to(large), true, patience(milliseconds(10'000)));
  EXPECT_EQ(client.send(request_for("/")).problem, "the metadata service sends more than 256 KiB");
  const ScriptedServer odd([](RawSocket& socket, int) { socket.send("220 mail ready\r\n\r\n"); });
  NetworkMetadataClient other(mapped_to(odd), true, patience(milliseconds(10'000)));
  EXPECT_EQ(other.send(request_for("/")).problem, "the metadata service gives no whole answer in HTTP");
}

TEST(MetadataClient, AsksNobodyElse) {
  NetworkMetadataClient client({}, true, patience(milliseconds(10'000)));
  EXPECT_NE(client.send(request_for("/")).problem.find("recorded"), std::string::npos);
  MetadataRequest elsewhere = request_for("/");
  elsewhere.host = "example.org";
  EXPECT_THROW((void)client.send(elsewhere), Error);
}

TEST(MetadataClient, AfterItsBudgetItAsksNoMore) {
  const ScriptedServer server([](RawSocket& socket, int) { (void)socket.read_message(); });
  NetworkMetadataClient client(mapped_to(server), true, {milliseconds(9), milliseconds(9), {}, milliseconds(0)});
  EXPECT_EQ(client.send(request_for("/")).problem, "the metadata service does not answer in time");
}

/// Hands out one set of services to every question.
MetadataClientMaker maker(const std::function<void(test::ScriptedMetadata&)>& fill) {
  return [fill]() -> std::unique_ptr<MetadataClient> {
    auto services = std::make_unique<test::ScriptedMetadata>();
    fill(*services);
    return services;
  };
}

MetadataQuestion blind_question() { return metadata_question(look_locally({}), {}, std::nullopt); }

TEST(AskServices, TheFirstInOrderThatProvesItselfCounts) {
  const MetadataFindings findings =
      ask_services(blind_question(), maker([](test::ScriptedMetadata& services) {
                     services.answers("GET 169.254.169.254/openstack/latest/meta_data.json",
                                      R"({"uuid":"83679162-1378-4288-a2d4-70e13ec132aa"})", "application/json");
                     services.answers("GET 169.254.169.254/opc/v2/instance/id", "ocid1.instance.x");
                   }),
                   {}, Clock::now() + std::chrono::seconds(30));
  EXPECT_TRUE(findings.validated);
  EXPECT_EQ(findings.provider, "oracle");
}

TEST(AskServices, NobodyProvesAnything) {
  const auto nothing = maker([](test::ScriptedMetadata&) {});
  EXPECT_FALSE(ask_services(blind_question(), nothing, {}, Clock::now() + std::chrono::seconds(30)).validated);
  // Over before anybody answered.
  EXPECT_FALSE(ask_services(blind_question(), nothing, {}, Clock::now() - std::chrono::seconds(1)).validated);
}

TEST(AskServices, ABugInAnAnswerIsNoAnswer) {
  const auto broken = []() -> std::unique_ptr<MetadataClient> { throw std::runtime_error("no client"); };
  MetadataQuestion question;
  question.rules = {rule_of("aws")};
  question.known = true;
  EXPECT_EQ(ask_services(question, broken, {}, Clock::now()).problem, "asking the metadata service failed");
  EXPECT_FALSE(own_ipv4_addresses().empty());
}

TEST(BackgroundProcess, AnswersWithWhatTheWorkReturns) {
  BackgroundProcess process([] { return BackgroundAnswer{std::string(40'000, 'x') + "end"}; }, 60);
  EXPECT_TRUE(process.wait_until(Clock::now() + std::chrono::seconds(30)));
  ASSERT_TRUE(process.answer());
  EXPECT_EQ(process.answer()->size(), 40'003U);
  EXPECT_TRUE(process.wait_until(Clock::now()));
}

TEST(BackgroundProcess, FailsAlone) {
  const std::vector<std::function<BackgroundAnswer()>> failures{
      []() -> BackgroundAnswer { throw std::runtime_error("x"); },
      []() -> BackgroundAnswer {
        ::raise(SIGKILL);
        return {};
      },
      []() -> BackgroundAnswer { _exit(0); }, [] { return BackgroundAnswer{std::string(std::size_t{1} << 20U, 'x')}; }};
  for (const auto& failure : failures) {
    BackgroundProcess process(failure, 60);
    EXPECT_TRUE(process.wait_until(Clock::now() + std::chrono::seconds(30)));
    EXPECT_FALSE(process.answer());
  }
}

TEST(BackgroundProcess, EndsWithItsObjectAndByItsAlarm) {
  const auto forever = []() -> BackgroundAnswer {
    for (;;) pause();
  };
  {
    BackgroundProcess process(forever, 60);
    EXPECT_FALSE(process.wait_until(Clock::now()));
    EXPECT_FALSE(process.answer());
  }
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);  // no child is left
  BackgroundProcess limited(forever, 1);
  EXPECT_TRUE(limited.wait_until(Clock::now() + std::chrono::seconds(30)));
  EXPECT_FALSE(limited.answer());
}

TEST(BackgroundProcess, IsWaitedForNoLongerOnceSomethingElseIsReadable) {
  BackgroundProcess process(
      []() -> BackgroundAnswer {
        for (;;) pause();
      },
      60);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  const auto start = Clock::now();
  EXPECT_FALSE(process.wait_until(start + std::chrono::seconds(60), ends[0]));
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(30));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(BackgroundProcess, GoesOnAfterItsAnswerWithoutAnAlarm) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  {
    const auto work = [&ends] {
      return BackgroundAnswer{"text", [&ends] {
                                std::this_thread::sleep_for(std::chrono::milliseconds(1500));
                                EXPECT_EQ(::write(ends[1], "x", 1), 1);
                                for (;;) pause();
                              }};
    };
    BackgroundProcess process(work, 1, ends[1]);
    EXPECT_TRUE(process.wait_until(Clock::now() + std::chrono::seconds(30)));
    EXPECT_EQ(process.answer(), "text");
    char beyond_the_alarm = 0;
    EXPECT_EQ(::read(ends[0], &beyond_the_alarm, 1), 1);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), 0);  // it is there still
  }
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(PlatformEvidence, KeepsOnlyWhatMeansSomething) {
  const char* const environment[] = {"PATH=/bin",
                                     "RUNPOD_POD_ID=abc",
                                     "CONTAINER_API_KEY=secret",
                                     "VAST_TCP_PORT_22=4022",
                                     "COLAB_GPU=",
                                     "AWS_SECRET_ACCESS_KEY=secret",
                                     "=x",
                                     "novalue",
                                     nullptr};
  const PlatformVariables kept = platform_variables(environment);
  EXPECT_EQ(kept, (PlatformVariables{{"RUNPOD_POD_ID", "abc"}, {"CONTAINER_API_KEY", ""}, {"VAST_TCP_PORT_", ""}}));
  EXPECT_TRUE(platform_variables(nullptr).empty());
}

TEST(PlatformEvidence, ReadsFilesBelowTheRoot) {
  const test::ScratchRoot root;
  root.write("/sys/class/dmi/id/sys_vendor", "QEMU\n");
  root.write("/sys/class/dmi/id/product_name", "To be filled by O.E.M.\n");
  root.write("/sys/class/dmi/id/bios_vendor", std::string(5000, 'x'));
  root.write("/proc/1/environ", std::string("RUNPOD_DC_ID=CA-1\0RUNPOD_POD_ID=other\0", 38));
  root.write("/etc/environment", "export SLURM_JOB_ID=\"7\"\nRUNPOD_DC_ID=XX\n");
  root.write("/proc/cmdline", "ro scaleway quiet");
  root.write("/home/jl_fs/file", "");
  root.write("/.dockerenv", "");
  root.write("/proc/sys/kernel/hostname", "host\n");
  const Evidence evidence = read_evidence(SystemRoot(root.path()), {{"RUNPOD_POD_ID", "own"}});
  EXPECT_EQ(evidence.firmware.sys_vendor, "QEMU");
  EXPECT_EQ(evidence.firmware.product_name, "");
  EXPECT_EQ(evidence.firmware.bios_vendor.size(), 256U);
  EXPECT_EQ(evidence.value("RUNPOD_POD_ID"), "own");
  EXPECT_EQ(evidence.value("RUNPOD_DC_ID"), "CA-1");
  EXPECT_TRUE(evidence.has("SLURM_JOB_ID"));
  EXPECT_EQ(evidence.value("SLURM_JOB_ID"), "");
  EXPECT_EQ(evidence.value("NOT_SET"), "");
  EXPECT_TRUE(evidence.kernel_words.contains("scaleway"));
  EXPECT_TRUE(evidence.marked("/home/jl_fs"));
  EXPECT_EQ(evidence.container, "docker");
  EXPECT_EQ(evidence.host_name, "host");
  EXPECT_TRUE(evidence.unbranded_vm());
}

DetectionInputs inputs_on(const test::ScratchRoot& root, MetadataMap map = {}) {
  return {SystemRoot(root.path()), {}, std::move(map), {}, true, MetadataUse::describe};
}

void answer_as_oracle(RawSocket& socket, int /*number*/) {
  const std::string request = socket.read_message();
  const auto asked_for = [&request](std::string_view leaf) { return request.find(leaf) != std::string::npos; };
  const std::string value = asked_for("instance/id ")      ? "ocid1.instance.x"
                            : asked_for("instance/shape ") ? "BM.GPU.H100.8"
                            : asked_for("canonicalRegion") ? "us-chicago-1"
                                                           : "us-chicago-1-ad-1";
  socket.send(test::http_reply(200, value, "Content-Type: text/plain\r\n"));
}

TEST(PlatformDetection, PutsTogetherWhatFirmwareServiceAndUserSay) {
  const test::ScratchRoot root;
  root.write("/sys/class/dmi/id/chassis_asset_tag", "OracleCloud.com\n");
  root.write("/etc/gpuassay/platform", "pricing_model=spot\nregion\n");
  root.write("/.dockerenv", "");
  const ScriptedServer server(answer_as_oracle);
  PlatformDetection detection(inputs_on(root, mapped_to(server)));
  detection.wait(Clock::time_point::max());
  const PlatformFacts facts = detection.facts();
  EXPECT_EQ(facts.provider, (Fact{"oracle", "dmi"}));
  EXPECT_EQ(facts.values.at(PlatformField::instance_type), (Fact{"BM.GPU.H100.8", "metadata"}));
  EXPECT_EQ(facts.values.at(PlatformField::pricing_model), (Fact{"spot", "override_file"}));
  EXPECT_EQ(detection.layers(), std::vector<std::string>{"docker"});
  EXPECT_EQ(detection.refused().size(), 1U);
}

TEST(PlatformDetection, WithoutAnAnswerYetThereIsWhatFirmwareSays) {
  const test::ScratchRoot root;
  root.write("/sys/class/dmi/id/chassis_asset_tag", "OracleCloud.com\n");
  const ScriptedServer silent([](RawSocket& socket, int) { (void)socket.read_all(); });
  PlatformDetection detection(inputs_on(root, mapped_to(silent)));
  EXPECT_FALSE(detection.wait_until(Clock::now()));
  EXPECT_EQ(detection.facts().provider, (Fact{"oracle", "dmi"}));
  EXPECT_EQ(detection.facts().reasons.at(PlatformField::region), "the metadata service does not answer in time");
}

TEST(PlatformDetection, OfflineStartsNoProcess) {
  const test::ScratchRoot root;
  DetectionInputs inputs = inputs_on(root);
  inputs.use = MetadataUse::none;
  PlatformDetection detection(inputs);
  EXPECT_TRUE(detection.wait_until(Clock::now()));
  EXPECT_FALSE(detection.facts().provider);
  inputs.flags.provider = "no such <name>";
  EXPECT_THROW(PlatformDetection{inputs}, Error);
}

}  // namespace
}  // namespace gpuassay
