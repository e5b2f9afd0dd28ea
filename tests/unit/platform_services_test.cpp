// Every metadata service as its documents show it, wrong answers, and what is asked at all.
#include <gtest/gtest.h>

#include <algorithm>

#include "agent/platform/rules.h"
#include "tests/support/scripted_metadata.h"

namespace gpuassay {
namespace {

using test::ask_platform;
using test::ScriptedMetadata;
using test::status_only;
using Field = PlatformField;

constexpr const char* kJsonType = "application/json";
const std::string kService = "169.254.169.254";

std::string value(const MetadataFindings& findings, Field field) {
  const auto found = findings.values.find(field);
  return found == findings.values.end() ? "-" : found->second;
}

/// Type, region, zone, pricing model and id in one line.
std::string line(const MetadataFindings& findings) {
  if (!findings.validated) return "not validated";
  std::string text;
  for (const Field field : kPlatformFields) text += (text.empty() ? "" : " ") + value(findings, field);
  return text;
}

std::string header(const MetadataRequest& request, std::string_view name) {
  std::string last;
  for (const auto& [each, text] : request.headers) {
    if (each == name) last = text;
  }
  return last;
}

ScriptedMetadata& amazon(ScriptedMetadata& services, const std::string& document, const std::string& cycle = "spot") {
  return services.answers("PUT " + kService + "/latest/api/token", "TOKEN==")
      .answers("GET " + kService + "/latest/meta-data/services/domain", "amazonaws.com")
      .answers("GET " + kService + "/latest/dynamic/instance-identity/document", document)
      .answers("GET " + kService + "/latest/meta-data/instance-life-cycle", cycle);
}

constexpr const char* kDocument =
    R"({"accountId":"1","availabilityZone":"us-gov-west-1a","instanceId":"i-0123456789abcdef0",
        "instanceType":"p5.48xlarge","region":"us-gov-west-1"})";

TEST(PlatformAws, TakesATokenAndSendsItWithEveryQuestion) {
  ScriptedMetadata services;
  EXPECT_EQ(line(ask_platform("aws", amazon(services, kDocument), false)),
            "p5.48xlarge us-gov-west-1 us-gov-west-1a spot i-0123456789abcdef0");
  ASSERT_EQ(services.requests().size(), 4U);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(header(services.requests()[i], "X-aws-ec2-metadata-token"), "TOKEN==");
}

TEST(PlatformAws, RefusesWhatIsNotAmazons) {
  for (const char* wrong :
       {R"({"instanceId":"vm-1"})", R"({"instanceId":7})", "{}", "[]", "x", R"({"instanceId":"i-1)"}) {
    ScriptedMetadata services;
    EXPECT_EQ(line(ask_platform("aws", amazon(services, wrong))), "not validated") << wrong;
  }
  // A part that is no type or region is left out, the rest stays.
  ScriptedMetadata services;
  EXPECT_EQ(line(ask_platform("aws", amazon(services, R"({"instanceId":"i-0123456789abcdef0","instanceType":"HVM domU",
                                            "region":"nowhere","availabilityZone":5})",
                                            "on-demand"))),
            "- - - on_demand i-0123456789abcdef0");
}

TEST(PlatformAws, WithoutADomainOnlyFirmwareSpeaksForAmazon) {
  for (const bool known : {true, false}) {
    ScriptedMetadata services;
    services.answers("PUT " + kService + "/latest/api/token", "T")
        .answers("GET " + kService + "/latest/dynamic/instance-identity/document", kDocument);
    EXPECT_EQ(ask_platform("aws", services, known).validated, known);
  }
}

TEST(PlatformAws, NoAnswerIsTheLastQuestion) {
  ScriptedMetadata services;
  services.answer_nothing_else();
  const MetadataFindings findings = ask_platform("aws", services);
  EXPECT_EQ(findings.problem, "the metadata service does not answer in time");
  EXPECT_EQ(services.asked(), std::vector<std::string>{"PUT /latest/api/token"});
}

TEST(PlatformAws, ATokenThatBreaksHeadersIsNotSent) {
  ScriptedMetadata services;
  services.answers("PUT " + kService + "/latest/api/token", "a\r\nHost: evil");
  EXPECT_EQ(ask_platform("aws", services).problem, "the metadata service gives no usable token");
  EXPECT_EQ(services.requests().size(), 1U);
}

ScriptedMetadata& google(ScriptedMetadata& services, const std::string& leaf, const std::string& body) {
  return services.answers("GET " + kService + "/computeMetadata/v1/instance/" + leaf,
                          {200, {{"content-type", "application/text"}, {"metadata-flavor", "Google"}}, body, {}});
}

TEST(PlatformGcp, IsAskedUnderItsNameAndKnowsItsPricing) {
  const std::vector<std::tuple<std::string, std::string, std::string>> pricings{
      {"TRUE", "", "spot"},
      {"FALSE", "SPOT", "spot"},
      {"FALSE", "RESERVATION_BOUND", "reserved"},
      {"FALSE", "", "on_demand"},
      {"FALSE", "STANDARD", "on_demand"},
      {"FALSE", "FLEX_START", "-"},
      {"", "", "-"}};
  for (const auto& [preemptible, provisioning, pricing] : pricings) {
    ScriptedMetadata services;
    google(services, "zone", "projects/1/zones/us-central1-a");
    google(services, "id", "42");
    google(services, "machine-type", "projects/1/machineTypes/a2-highgpu-1g");
    if (!preemptible.empty()) google(services, "scheduling/preemptible", preemptible);
    if (!provisioning.empty()) google(services, "scheduling/provisioning-model", provisioning);
    EXPECT_EQ(line(ask_platform("gcp", services)), "a2-highgpu-1g us-central1 us-central1-a " + pricing + " 42");
    EXPECT_EQ(header(services.requests()[0], "Host"), "metadata.google.internal");
    EXPECT_EQ(header(services.requests()[0], "Metadata-Flavor"), "Google");
  }
  ScriptedMetadata unproven;
  unproven.answers("GET " + kService + "/computeMetadata/v1/instance/zone", "projects/1/zones/us-central1-a");
  EXPECT_EQ(ask_platform("gcp", unproven).problem, "the metadata service does not prove that it is Google's");
}

constexpr const char* kAzureNew = "/metadata/instance/compute?api-version=2021-02-01&format=json";
constexpr const char* kAzureOld = "/metadata/instance/compute?api-version=2019-06-01&format=json";

TEST(PlatformAzure, MapsPriorityAndFallsBackToAnOlderVersion) {
  const std::vector<std::pair<std::string, std::string>> priorities{
      {R"("Spot")", "spot"},  {R"("Low")", "spot"}, {R"("Regular")", "on_demand"},
      {R"("")", "on_demand"}, {R"("New")", "-"},    {"1", "-"}};
  for (const auto& [priority, pricing] : priorities) {
    ScriptedMetadata services;
    services.answers("GET " + kService + kAzureNew, status_only(400))
        .answers(
            "GET " + kService + kAzureOld,
            R"({"azEnvironment":"AzureChinaCloud","vmSize":"Standard_NC6","location":"ChinaEast2","zone":"2","vmId":"AB","priority":)" +
                priority + "}",
            kJsonType);
    EXPECT_EQ(line(ask_platform("azure", services)), "Standard_NC6 chinaeast2 2 " + pricing + " ab");
    EXPECT_EQ(header(services.requests()[1], "Metadata"), "true");
    EXPECT_TRUE(services.requests()[0].not_found_may_pass);
  }
  ScriptedMetadata nebius;
  nebius.answers("GET " + kService + kAzureNew, R"({"id":"computeinstance-1"})", kJsonType);
  EXPECT_EQ(ask_platform("azure", nebius, false).problem, "the metadata service does not answer as Azure's");
  EXPECT_FALSE(nebius.requests()[0].not_found_may_pass);
}

TEST(PlatformOracle, AsksForLeavesAlone) {
  ScriptedMetadata services;
  const std::string base = "GET " + kService + "/opc/v2/instance/";
  services.answers(base + "id", "ocid1.instance.oc1.x").answers(base + "shape", "BM.GPU.H100.8");
  services.answers(base + "canonicalRegionName", "us-chicago-1").answers(base + "ociAdName", "us-chicago-1-ad-1");
  EXPECT_EQ(line(ask_platform("oracle", services)),
            "BM.GPU.H100.8 us-chicago-1 us-chicago-1-ad-1 - ocid1.instance.oc1.x");
  for (const MetadataRequest& request : services.requests())
    EXPECT_EQ(header(request, "Authorization"), "Bearer Oracle");
}

TEST(PlatformIbm, TriesBothTokensAndKnowsSpotWhereItIsSaid) {
  for (const std::string& more : {std::string(), std::string(R"(,"availability":{"class":"spot"})"),
                                  std::string(R"(,"availability_policy":{"preemption":"stop"})"),
                                  std::string(R"(,"availability_policy":{"host_failure":"restart"})")}) {
    ScriptedMetadata services;
    services
        .answers("PUT " + kService + "/instance_identity/v1/token?version=2022-03-01", R"({"access_token":"jwt"})",
                 kJsonType)
        .answers("GET " + kService + "/metadata/v1/instance?version=2022-03-01",
                 R"({"id":"0717_a","crn":"crn:v1:x","profile":{"name":"gx3-16x80x1l4"},"zone":{"name":"us-south-1"})" +
                     more + "}",
                 kJsonType);
    const bool spot = more.find("spot") != std::string::npos || more.find("preemption") != std::string::npos;
    EXPECT_EQ(line(ask_platform("ibm", services)),
              std::string("gx3-16x80x1l4 us-south us-south-1 ") + (spot ? "spot" : "-") + " 0717_a");
    EXPECT_EQ(header(services.requests().back(), "Authorization"), "Bearer jwt");
    EXPECT_EQ(services.requests()[0].body, R"({"expires_in":300})");
  }
  ScriptedMetadata no_token;
  no_token.answers("PUT " + kService + "/identity/v1/token?version=2025-08-26", R"({"token":"jwt"})", kJsonType);
  EXPECT_EQ(line(ask_platform("ibm", no_token)), "not validated");
}

TEST(PlatformAlibaba, WorksWithAndWithoutAToken) {
  for (const bool token : {true, false}) {
    ScriptedMetadata services;
    const std::string base = "GET 100.100.100.200/latest/meta-data/";
    if (token) services.answers("PUT 100.100.100.200/latest/api/token", "T");
    services.answers(base + "instance-id", "i-bp1").answers(base + "region-id", "cn-hangzhou");
    services.answers(base + "instance/instance-type", token ? "ecs.gn7i" : "gn7i");
    services.answers(base + "instance/", token ? "spot/\nx" : "image/spot/");
    EXPECT_EQ(line(ask_platform("alibaba", services)),
              token ? "ecs.gn7i cn-hangzhou - spot i-bp1" : "- cn-hangzhou - - i-bp1");
    EXPECT_EQ(header(services.requests().back(), "X-aliyun-ecs-metadata-token"), token ? "T" : "");
  }
}

TEST(PlatformTencent, MapsTheChargeType) {
  for (const auto& [charge, pricing] : {std::pair{"POSTPAID_BY_HOUR", "on_demand"}, std::pair{"PREPAID", "monthly"},
                                        std::pair{"SPOTPAID", "spot"}, std::pair{"CDHPAID", "-"}}) {
    ScriptedMetadata services;
    const std::string base = "GET metadata.tencentyun.com/latest/meta-data/";
    services.answers(base + "instance-id", "ins-1").answers(base + "payment/charge-type", charge);
    services.answers(base + "placement/region", "ap-guangzhou");
    EXPECT_EQ(line(ask_platform("tencent", services)), std::string("- ap-guangzhou - ") + pricing + " ins-1");
  }
  ScriptedMetadata other;
  other.answers("GET metadata.tencentyun.com/latest/meta-data/instance-id", "i-1");
  EXPECT_EQ(ask_platform("tencent", other).problem, "the metadata service does not answer as Tencent's");
}

constexpr const char* kUuid = "83679162-1378-4288-a2d4-70e13ec132aa";

std::string nova_document(const std::string& zone, const std::string& meta) {
  return std::string(R"({"uuid":")") + kUuid + R"(","availability_zone":")" + zone + R"(","meta":)" + meta + "}";
}

TEST(PlatformHuawei, DerivesTheRegionOnlyFromItsOwnKindOfZone) {
  const std::string document = "GET " + kService + "/openstack/latest/meta_data.json";
  for (const auto& [zone, region] : {std::pair{"cn-north-4a", "cn-north-4"}, std::pair{"az1.dc1", "-"},
                                     std::pair{"nova", "-"}, std::pair{"abcd", "-"}, std::pair{"eu-westa", "-"}}) {
    ScriptedMetadata services;
    services.answers(document,
                     nova_document(zone, R"({"metering.resourcespeccode":"p2s.2xlarge.8.win","charging_mode":"2"})"),
                     kJsonType);
    const MetadataFindings findings = ask_platform("huawei", services);
    EXPECT_EQ(value(findings, Field::region), region);
    EXPECT_EQ(value(findings, Field::instance_type), "p2s.2xlarge.8");
    EXPECT_EQ(value(findings, Field::pricing_model), "spot");
  }
  ScriptedMetadata locked;
  locked.answers(document, status_only(403));
  EXPECT_EQ(line(ask_platform("huawei", locked)), "not validated");
  EXPECT_EQ(locked.asked().back(), "PUT /meta-data/latest/api/token");
}

TEST(PlatformOpenstack, ASecondSignSaysWhoseItIs) {
  const std::string document = "GET " + kService + "/openstack/latest/meta_data.json";
  const std::string network = "GET " + kService + "/openstack/latest/network_data.json";
  for (const auto& [services_text, provider] :
       {std::pair{R"({"services":[7,{"type":"dns","address":"213.186.33.99"}]})", "ovh"},
        std::pair{R"({"services":[{"type":"ntp","address":"213.186.33.99"}]})", ""},
        std::pair{R"({"services":{}})", ""}, std::pair{"{}", ""}}) {
    ScriptedMetadata services;
    services.answers(document, nova_document("nova", "[]"), kJsonType).answers(network, services_text, kJsonType);
    const MetadataFindings findings = ask_platform("openstack", services);
    EXPECT_EQ(findings.provider, provider);
    EXPECT_EQ(line(findings), std::string("- - - - ") + kUuid);
  }
  ScriptedMetadata odd;
  odd.answers(document, R"({"uuid":"not one"})", kJsonType);
  EXPECT_EQ(ask_platform("openstack", odd).problem, "the metadata service does not answer as an OpenStack");
}

TEST(PlatformSmallClouds, SayWhatTheySay) {
  ScriptedMetadata baidu;
  baidu.answers("GET " + kService + "/1.0/meta-data/instance-shortid", "i-Ab12")
      .answers("GET " + kService + "/1.0/meta-data/azone", "zoneD");
  EXPECT_EQ(line(ask_platform("baidu", baidu, false)), "- - zoneD - i-Ab12");
  ScriptedMetadata ocean;
  ocean.answers("GET " + kService + "/metadata/v1/id", "x12");
  EXPECT_EQ(ask_platform("digitalocean", ocean).problem, "the metadata service does not answer as DigitalOcean's");
  ScriptedMetadata hetzner;
  hetzner.answers("GET " + kService + "/hetzner/v1/metadata/instance-id", "42")
      .answers("GET " + kService + "/hetzner/v1/metadata/availability-zone", "fsn1");
  EXPECT_EQ(line(ask_platform("hetzner", hetzner)), "- - fsn1 - 42");
  ScriptedMetadata scaleway;
  scaleway.answers("GET 169.254.42.42/conf?format=json",
                   R"({"commercial_type":"L4-2-24G","location":{"zone_id":"fr-par-2"},"id":"AB"})", kJsonType);
  EXPECT_EQ(line(ask_platform("scaleway", scaleway)), "L4-2-24G fr-par fr-par-2 - ab");
  ScriptedMetadata nebius;
  nebius.answers(
      "GET metadata.nebius.internal/v1/instance-data",
      R"({"id":"computeinstance-1","platform":"gpu-h200-sxm","preset":"1gpu-16vcpu-200gb","region":"eu-west1"})",
      kJsonType);
  EXPECT_EQ(line(ask_platform("nebius", nebius, false)),
            "gpu-h200-sxm/1gpu-16vcpu-200gb eu-west1 - - computeinstance-1");
}

TEST(PlatformPaperspace, IsBelievedWhenItKnowsAnAddressOfOurs) {
  for (const bool ours : {true, false}) {
    ScriptedMetadata services;
    services.answers("GET metadata.paperspace.com/meta-data/machine",
                     R"j({"id":"ps1","privateIpAddress":"10.0.0.7","region":"East Coast (NY2)"})j", kJsonType);
    const MetadataFindings findings =
        ask_platform("paperspace", services, true, {"127.0.0.1", ours ? "10.0.0.7" : "10.0.0.8"});
    EXPECT_EQ(line(findings), ours ? "- - - - ps1" : "not validated");
  }
}

/// Whatever services answer, these are all the questions there are.
TEST(PlatformServices, AskOnlyHostsOfTheTableAndNothingSecret) {
  for (const PlatformRule& rule : platform_rules()) {
    if (rule.ask == nullptr) continue;
    ScriptedMetadata nothing;
    MetadataFindings findings;
    rule.ask({nothing, true, {}}, findings);
    EXPECT_FALSE(findings.validated);
    EXPECT_FALSE(nothing.requests().empty()) << rule.slug;
    for (const MetadataRequest& request : nothing.requests()) {
      EXPECT_TRUE(is_metadata_host(request.host)) << request.host;
      EXPECT_TRUE(request.method == "GET" || request.method == "PUT");
      for (const char* secret : {"user-data", "user_data", "credentials", "/ram/", "/cam/", "securitykey",
                                 "service-accounts", "oauth2", "public-keys", "attributes", "v1.json"}) {
        EXPECT_EQ(request.path.find(secret), std::string::npos) << request.path;
      }
    }
  }
}

TEST(PlatformServices, ValuesThatAreNoneAreLeftOut) {
  for (const std::string& wrong :
       {std::string("<html>"), std::string("a b"), std::string(300, 'x'), std::string("\xff"), std::string()}) {
    ScriptedMetadata services;
    services.answers("GET " + kService + "/opc/v2/instance/id", "ocid1.instance.x")
        .answers("GET " + kService + "/opc/v2/instance/shape", wrong);
    EXPECT_EQ(line(ask_platform("oracle", services)), "- - - - ocid1.instance.x");
  }
  ScriptedMetadata page;
  page.answers("GET " + kService + "/opc/v2/instance/id", "ocid1.instance.x", "text/html; charset=utf-8");
  EXPECT_EQ(ask_platform("oracle", page).problem,
            "the metadata service answers with another type of content than it should");
  ScriptedMetadata moved;
  moved.answers("GET " + kService + "/opc/v2/instance/id", status_only(302));
  EXPECT_EQ(ask_platform("oracle", moved).problem, "the metadata service redirects, which is not followed");
}

}  // namespace
}  // namespace gpuassay
