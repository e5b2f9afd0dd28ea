// What each platform says when it takes a machine away, and what sounds like it.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "agent/platform/notice_watch.h"
#include "agent/platform/rules.h"
#include "core/timestamp.h"
#include "tests/support/scripted_metadata.h"

namespace gpuassay {
namespace {

using test::ScriptedMetadata;
using test::status_only;

constexpr const char* kJson = "application/json";
constexpr const char* kUuidDocument = R"({"uuid":"83679162-1378-4288-a2d4-70e13ec132aa"})";
const std::string kImds = "169.254.169.254", kLeaf = "/latest/meta-data/";

/// The line of the result; "-" without a notice.
std::string heard(std::string_view slug, ScriptedMetadata& services) {
  const PlatformRule* const rule = rule_of(slug);
  const auto notice = rule->notice(services);
  for (const MetadataRequest& request : services.requests()) EXPECT_TRUE(is_metadata_host(request.host));
  return notice ? notice_text(slug, *notice) : "-";
}

constexpr const char* kAwsAction = "/latest/meta-data/spot/instance-action";

std::string aws(const MetadataAnswer& action, const std::string& domain = "amazonaws.com") {
  ScriptedMetadata services;
  services.answers("PUT " + kImds + "/latest/api/token", "TOKEN==")
      .answers("GET " + kImds + kAwsAction, action)
      .answers("GET " + kImds + kLeaf + "services/domain", domain);
  return heard("aws", services);
}

MetadataAnswer answer(const std::string& body, const std::string& type = kJson) {
  return {200, {{"content-type", type}}, body, {}};
}

TEST(NoticeAws, SaysWhenAndWhat) {
  for (const char* action : {"terminate", "stop", "hibernate"}) {
    EXPECT_EQ(aws(answer(fmt::format(R"({{"action":"{}","time":"2026-01-02T03:04:05Z"}})", action))),
              "aws announced that this machine ends at 2026-01-02T03:04:05Z");
  }
  const std::string plain = R"({"action": "stop", "time": "2026-01-02T03:04:05Z"})";
  EXPECT_NE(aws(answer(plain, "text/plain"), "amazonaws.com.cn"), "-");
}

TEST(NoticeAws, NothingElseIsOne) {
  const std::string good = R"({"action":"terminate","time":"2026-01-02T03:04:05Z"})";
  EXPECT_NE(aws(answer(good)), "-");
  EXPECT_EQ(aws(answer(good), "novalocal"), "-");
  EXPECT_EQ(aws(answer(good), ""), "-");
  EXPECT_EQ(aws(answer(good, "text/html")), "-");
  for (const int status : {204, 301, 302, 401, 403, 404, 500}) {
    EXPECT_EQ(aws({status, {{"content-type", kJson}, {"location", "/"}}, status == 204 ? "" : good, {}}), "-")
        << status;
  }
  for (const char* wrong :
       {"", "{}", "[]", "null", "TRUE", "2026-01-02T03:04:05Z", "<html>terminate</html>", R"({"action":"terminate"})",
        R"({"time":"2026-01-02T03:04:05Z"})", R"({"action":"none","time":"2026-01-02T03:04:05Z"})",
        R"({"action":["terminate"],"time":"2026-01-02T03:04:05Z"})", R"({"action":"terminate","time":1767323045})",
        R"({"action":"terminate","time":"soon"})", R"({"action":"terminate","time":"2026-13-02T03:04:05Z"})",
        R"({"action":"terminate","time":""})", R"({"action":"terminate","time":"2026-01-02T03:04:05Z")",
        R"([{"action":"terminate","time":"2026-01-02T03:04:05Z"}])"}) {
    EXPECT_EQ(aws(answer(wrong)), "-") << wrong;
  }
  ScriptedMetadata no_token;
  no_token.answers("PUT " + kImds + "/latest/api/token", status_only(403)).answers("GET " + kImds + kAwsAction, good);
  EXPECT_EQ(heard("aws", no_token), "-");
  EXPECT_EQ(no_token.asked(), std::vector<std::string>{"PUT /latest/api/token"});
}

std::string gcp(const std::string& body, const std::string& flavour = "Google",
                const std::string& type = "text/plain") {
  ScriptedMetadata services;
  services.answers("GET " + kImds + "/computeMetadata/v1/instance/preempted",
                   {200, {{"content-type", type}, {"metadata-flavor", flavour}}, body, {}});
  const std::string line = heard("gcp", services);
  EXPECT_EQ(services.requests().size(), 1U);
  return line;
}

TEST(NoticeGcp, IsTrueUnderGooglesHeader) {
  EXPECT_EQ(gcp("TRUE"), "gcp announced that this machine ends soon");
  EXPECT_EQ(gcp("TRUE\n"), "gcp announced that this machine ends soon");
  for (const char* no : {"FALSE", "", "true", "TRUE TRUE", "NONE", "{\"preempted\":true}", "<html>TRUE</html>"})
    EXPECT_EQ(gcp(no), "-") << no;
  EXPECT_EQ(gcp("TRUE", ""), "-");
  EXPECT_EQ(gcp("TRUE", "ibm"), "-");
  EXPECT_EQ(gcp("TRUE", "Google", "text/html"), "-");
}

constexpr const char* kEvents = "/metadata/scheduledevents?api-version=2020-07-01";
constexpr const char* kName = "/metadata/instance/compute/name?api-version=2021-02-01&format=text";

/// One event, with what is given in the place of what it says.
std::string event(const std::string& type = "Preempt", const std::string& machines = R"(["vm0"])",
                  const std::string& not_before = R"("Fri, 02 Jan 2026 03:04:05 GMT")",
                  const std::string& status = "Scheduled", const std::string& kind = "VirtualMachine") {
  return fmt::format(
      R"({{"EventId":"A","EventType":"{}","ResourceType":"{}","Resources":{},"EventStatus":"{}","NotBefore":{}}})",
      type, kind, machines, status, not_before);
}

std::string azure(const std::string& events, std::size_t requests = 2, const std::string& name = "vm0") {
  ScriptedMetadata services;
  services.answers("GET " + kImds + kEvents, R"({"DocumentIncarnation":1,"Events":)" + events + "}", kJson)
      .answers("GET " + kImds + kName, name);
  const std::string line = heard("azure", services);
  EXPECT_EQ(services.requests().size(), requests) << events;
  return line;
}

TEST(NoticeAzure, ConcernsThisMachine) {
  const std::string at = "azure announced that this machine ends at 2026-01-02T03:04:05Z";
  EXPECT_EQ(azure("[" + event() + "]"), at);
  EXPECT_EQ(azure("[" + event("Terminate", R"(["VM0"])") + "]"), at);
  EXPECT_EQ(azure("[" + event("Reboot") + "," + event("Preempt", R"(["vm1"])") + "," + event() + "]"), at);
  EXPECT_EQ(azure("[" + event("Preempt", R"(["vm7","vm0"])", R"("2026-01-02T03:04:05Z")") + "]"), at);
  EXPECT_EQ(azure("[" + event("Preempt", R"(["vm0"])", R"("")", "Started") + "]"),
            "azure announced that this machine ends soon");
  // Another machine of the scale set ends, or this one's name is not told.
  EXPECT_EQ(azure("[" + event("Preempt", R"(["vm1"])") + "]"), "-");
  EXPECT_EQ(azure("[" + event() + "]", 2, ""), "-");
  EXPECT_EQ(azure("[" + event() + "]", 2, "<html>"), "-");
}

TEST(NoticeAzure, OtherEventsAreNone) {
  for (const std::string& events :
       {std::string("[]"), std::string("{}"), std::string("null"), std::string(R"("Preempt")"), std::string("[7,null]"),
        "[" + event("Reboot") + "]", "[" + event("Freeze") + "]", "[" + event("Redeploy") + "]",
        "[" + event("preempt") + "]", "[" + event("Preempt", "[]", "7") + "]",
        "[" + event("Preempt", "[]", R"("soon")") + "]", "[" + event("Preempt", "[]", "null") + "]",
        "[" + event("Preempt", "[]", R"("")", "Canceled") + "]",
        "[" + event("Preempt", "[]", R"("")", "Started", "HostMachine") + "]"}) {
    EXPECT_EQ(azure(events, 1), "-") << events;
  }
  for (const std::string machines : {"[]", "{}", "7", R"("vm0")", "[7,null]"})
    EXPECT_EQ(azure("[" + event("Preempt", machines) + "]"), "-") << machines;
}

TEST(NoticeAzure, AsksForTheNameOnce) {
  std::string events = event();
  for (int i = 0; i < 50; ++i) events += "," + event("Preempt", R"(["vm1"])");
  EXPECT_EQ(azure("[" + events + "]", 2, "vm2"), "-");
}

TEST(NoticeAlibaba, IsAnInstantBesideAnId) {
  for (const bool token : {true, false}) {
    ScriptedMetadata services;
    const std::string base = "GET 100.100.100.200" + kLeaf;
    if (token) services.answers("PUT 100.100.100.200/latest/api/token", "T");
    services.answers(base + "instance/spot/termination-time", "2026-01-02T03:04:05Z\n")
        .answers(base + "instance-id", "i-bp1");
    EXPECT_EQ(heard("alibaba", services), "alibaba announced that this machine ends at 2026-01-02T03:04:05Z");
  }
  for (const char* no : {"", "x", "<html>", "2026-01-02", "2026-01-02 03:04:05", "404 - Not Found", "none"}) {
    ScriptedMetadata services;
    services.answers("GET 100.100.100.200" + kLeaf + "instance/spot/termination-time", no)
        .answers("GET 100.100.100.200" + kLeaf + "instance-id", "i-bp1");
    EXPECT_EQ(heard("alibaba", services), "-") << no;
  }
  ScriptedMetadata other;
  other.answers("GET 100.100.100.200" + kLeaf + "instance/spot/termination-time", "2026-01-02T03:04:05Z")
      .answers("GET 100.100.100.200" + kLeaf + "instance-id", "vm-1");
  EXPECT_EQ(heard("alibaba", other), "-");
}

TEST(NoticeTencent, IsInChinasTime) {
  const std::string base = "GET metadata.tencentyun.com" + kLeaf;
  ScriptedMetadata services;
  services.answers(base + "spot/termination-time", "2026-01-02 12:05:33\n").answers(base + "instance-id", "ins-1");
  EXPECT_EQ(heard("tencent", services), "tencent announced that this machine ends at 2026-01-02T04:05:33Z");
  for (const char* no : {"", "2026-01-02", "2026-01-02 25:05:33", "2026-01-02 12:05:33Z", "2026-02-30 12:05:33",
                         "not-found not-found", "<html>", "2026-01-02 12:05:33.5"}) {
    ScriptedMetadata wrong;
    wrong.answers(base + "spot/termination-time", no).answers(base + "instance-id", "ins-1");
    EXPECT_EQ(heard("tencent", wrong), "-") << no;
  }
  ScriptedMetadata other;
  other.answers(base + "spot/termination-time", "2026-01-02 12:05:33").answers(base + "instance-id", "i-1");
  EXPECT_EQ(heard("tencent", other), "-");
}

TEST(NoticeHuawei, NeedsAZoneAndItsDocument) {
  const std::string path = "GET " + kImds + kLeaf + "spot/termination-time";
  const std::string document = "GET " + kImds + "/openstack/latest/meta_data.json";
  const auto said = [&](const std::string& time, const std::string& uuid) {
    ScriptedMetadata services;
    services.answers(path, time).answers(document, uuid, kJson);
    return heard("huawei", services);
  };
  EXPECT_EQ(said("2026-01-02T11:04:05+08:00", kUuidDocument),
            "huawei announced that this machine ends at 2026-01-02T03:04:05Z");
  EXPECT_EQ(said("2026-01-02T03:04:05Z", R"({"uuid":"x"})"), "-");
  for (const char* no : {"", "2026-01-02 11:04:05", "2026-01-02T11:04:05", "x"})
    EXPECT_EQ(said(no, kUuidDocument), "-");
  ScriptedMetadata strict;
  strict.answers(path, status_only(401))
      .answers(path, answer("2026-01-02T03:04:05Z", "text/plain"))
      .answers("PUT " + kImds + "/meta-data/latest/api/token", "T")
      .answers(document, kUuidDocument, kJson);
  EXPECT_NE(heard("huawei", strict), "-");
}

TEST(Notices, StopAtSilence) {
  std::vector<std::string> announcing;
  for (const PlatformRule& rule : platform_rules()) {
    if (rule.notice == nullptr) continue;
    announcing.emplace_back(rule.slug);
    ScriptedMetadata silent;
    silent.answer_nothing_else();
    EXPECT_FALSE(rule.notice(silent));
    EXPECT_EQ(silent.requests().size(), 1U) << rule.slug;
    ScriptedMetadata nothing;
    EXPECT_FALSE(rule.notice(nothing));
    EXPECT_LE(nothing.requests().size(), 2U) << rule.slug;
  }
  EXPECT_EQ(announcing, (std::vector<std::string>{"azure", "huawei", "aws", "gcp", "alibaba", "tencent"}));
}

MetadataFindings findings_of(const std::string& provider) {
  MetadataFindings findings;
  findings.validated = !provider.empty();
  findings.provider = provider;
  return findings;
}

PlatformFacts priced(const std::string& pricing) {
  PlatformFacts facts;
  if (!pricing.empty()) facts.add(PlatformField::pricing_model, pricing, source::kMetadata);
  return facts;
}

TEST(NoticeRule, IsThatOfAMachineKnownOrProven) {
  const PlatformRule* const aws_rule = rule_of("aws");
  const MetadataQuestion known{{aws_rule}, true, {}};
  EXPECT_EQ(rule_of_notices(known, {}, {}), aws_rule);
  EXPECT_EQ(rule_of_notices({{rule_of("oracle")}, true, {}}, findings_of("oracle"), {}), nullptr);
  EXPECT_EQ(rule_of_notices({{}, false, "offline"}, {}, {}), nullptr);
  const MetadataQuestion blind = metadata_question(look_locally({}), {}, std::nullopt);
  EXPECT_EQ(rule_of_notices(blind, findings_of(""), {}), nullptr);
  EXPECT_EQ(rule_of_notices(blind, findings_of("aws"), {}), aws_rule);
  EXPECT_EQ(rule_of_notices(blind, findings_of("ovh"), {}), nullptr);
  // Asked about only by firmware: not here, even if something claimed it.
  EXPECT_EQ(rule_of_notices(blind, findings_of("alibaba"), {}), nullptr);
}

TEST(NoticeRule, NobodyTakesAMachineOnDemandAway) {
  const MetadataQuestion known{{rule_of("gcp")}, true, {}};
  EXPECT_EQ(rule_of_notices(known, {}, priced("on_demand")), nullptr);
  for (const char* other : {"", "spot", "preemptible", "reserved", "monthly"})
    EXPECT_NE(rule_of_notices(known, {}, priced(other)), nullptr) << other;
}

/// Each question finds the same services.
class Shared : public MetadataClient {
 public:
  explicit Shared(MetadataClient& services) : services_(services) {}
  MetadataAnswer send(const MetadataRequest& request) override { return services_.send(request); }

 private:
  MetadataClient& services_;
};

std::int64_t no_clock() { return 0; }

TEST(WaitForNotice, AsksAtOnceAndUntilThereIsOne) {
  ScriptedMetadata services;
  const std::string path = "GET " + kImds + "/computeMetadata/v1/instance/preempted";
  const auto googles = [](const std::string& body) {
    return MetadataAnswer{200, {{"metadata-flavor", "Google"}}, body, {}};
  };
  services.answers(path, googles("FALSE"))
      .answers(path, {0, {}, {}, "the metadata service does not answer in time"})
      .answers(path, status_only(503))
      .answers(path, googles("TRUE"));
  int pauses = 0;
  const auto make_client = [&]() -> std::unique_ptr<MetadataClient> { return std::make_unique<Shared>(services); };
  EXPECT_EQ(wait_for_notice(*rule_of("gcp"), make_client, no_clock, [&] { return ++pauses < 100; }), Notice{});
  EXPECT_EQ(pauses, 3);
  EXPECT_EQ(services.requests().size(), 4U);
  ScriptedMetadata never;
  const auto make_other = [&]() -> std::unique_ptr<MetadataClient> { return std::make_unique<Shared>(never); };
  EXPECT_FALSE(wait_for_notice(*rule_of("gcp"), make_other, no_clock, [] { return false; }));
  EXPECT_EQ(never.requests().size(), 1U);
}

TEST(WaitForNotice, WhatAMachineHasOutlivedIsNone) {
  ScriptedMetadata services;
  services.answers("PUT " + kImds + "/latest/api/token", "TOKEN==")
      .answers("GET " + kImds + kAwsAction, R"({"action":"terminate","time":"2026-01-02T03:04:05Z"})", kJson)
      .answers("GET " + kImds + kLeaf + "services/domain", "amazonaws.com");
  const auto make_client = [&]() -> std::unique_ptr<MetadataClient> { return std::make_unique<Shared>(services); };
  const std::int64_t ends_ms = parse_rfc3339_ms("2026-01-02T03:04:05Z");
  const auto asked_at = [&](std::int64_t now_ms) {
    return wait_for_notice(*rule_of("aws"), make_client, [now_ms] { return now_ms; }, [] { return false; });
  };
  const std::int64_t outlived_ms = std::chrono::milliseconds(kNoticeOutlived).count();
  EXPECT_EQ(asked_at(ends_ms + outlived_ms), Notice{ends_ms});
  EXPECT_FALSE(asked_at(ends_ms + outlived_ms + 1));
}

TEST(WaitForNotice, WhatFailsOnOurSideIsNone) {
  int tries = 0;
  const auto no_client = [&tries]() -> std::unique_ptr<MetadataClient> {
    ++tries;
    throw std::bad_alloc();
  };
  EXPECT_FALSE(wait_for_notice(*rule_of("aws"), no_client, no_clock, [&] { return tries < 3; }));
  EXPECT_EQ(tries, 3);
}

TEST(NoticeText, RepeatsNothingOfTheServer) {
  EXPECT_EQ(notice_text("aws", {1'767'323'045'999}), "aws announced that this machine ends at 2026-01-02T03:04:05Z");
  EXPECT_FALSE(notice_at("2026-01-02T03:04:05Z and more"));
  EXPECT_FALSE(notice_at("0000-01-01T00:00:00+23:59"));
}

}  // namespace
}  // namespace gpuassay
