// Who it is by firmware, environment and files alone, and who is asked for the rest.
#include "agent/platform/local_platform.h"

#include <gtest/gtest.h>

#include "agent/platform/layers.h"
#include "agent/platform/rules.h"

namespace gpuassay {
namespace {

using Field = PlatformField;

Evidence with_firmware(const Firmware& firmware) {
  Evidence evidence;
  evidence.firmware = firmware;
  return evidence;
}

Firmware firmware(const std::string& vendor, const std::string& product = "", const std::string& chassis = "") {
  Firmware strings;
  strings.sys_vendor = vendor;
  strings.product_name = product;
  strings.chassis_asset_tag = chassis;
  return strings;
}

std::string slug(const Evidence& evidence) {
  const LocalPlatform local = look_locally(evidence);
  return local.rule == nullptr ? "unknown" : std::string(local.rule->slug);
}

Evidence with_variable(Evidence evidence, const std::string& name, const std::string& value = "x") {
  evidence.variables[name] = value;
  return evidence;
}

TEST(PlatformLocal, FirmwareNamesAProvider) {
  const std::vector<std::pair<Firmware, std::string>> machines{
      {firmware("Amazon EC2", "p5.48xlarge"), "aws"},
      {firmware("Microsoft Corporation", "Virtual Machine", "7783-7084-3265-9085-8269-3286-77"), "azure"},
      {firmware("Microsoft Corporation", "Virtual Machine"), "unknown"},
      {firmware("QEMU", "Standard PC", "OracleCloud.com"), "oracle"},
      {firmware("OpenStack Foundation", "OpenStack Nova", "HUAWEICLOUD"), "huawei"},
      {firmware("Huawei Cloud"), "huawei"},
      {firmware("OpenStack Foundation", "OpenStack Compute"), "openstack"},
      {firmware("", "", "OpenStack Nova"), "openstack"},
      {firmware("Google", "Google Compute Engine"), "gcp"},
      {firmware("Google", "Google"), "gcp"},
      {firmware("Google", "Drallion"), "unknown"},
      {firmware("Alibaba Cloud"), "alibaba"},
      {firmware("Tencent Cloud", "CVM"), "tencent"},
      {firmware("DigitalOcean"), "digitalocean"},
      {firmware("Hetzner", "vServer"), "hetzner"},
      {firmware("Scaleway"), "scaleway"},
      {firmware("Vultr"), "vultr"},
      {firmware("Linode"), "linode"},
      {firmware("Akamai"), "linode"},
      {firmware("UpCloud"), "upcloud"},
      {firmware("Baidu Cloud"), "baidu"},
      {firmware("Dell Inc.", "PowerEdge XE9680"), "unknown"},
      {firmware(""), "unknown"}};
  for (const auto& [strings, provider] : machines)
    EXPECT_EQ(slug(with_firmware(strings)), provider) << strings.sys_vendor << "/" << strings.product_name;
}

TEST(PlatformLocal, XenOfEc2ByItsUuids) {
  Evidence evidence;
  evidence.hypervisor_uuid = "EC2f1b2a-0000-0000-0000-000000000000";
  EXPECT_EQ(slug(evidence), "aws");
  Firmware strings;
  strings.product_uuid = strings.product_serial = "EC2F1B2A-1111-2222-3333-444455556666";
  EXPECT_EQ(slug(with_firmware(strings)), "aws");
  strings.product_uuid = strings.product_serial = "45E12AEC-DCD1-B213-94ED-012345ABCDEF";
  EXPECT_EQ(slug(with_firmware(strings)), "aws");
  // One of 4,000 machines that are nobody's begins like this.
  strings.product_serial = "CZ12345678";
  EXPECT_EQ(slug(with_firmware(strings)), "unknown");
  strings.product_uuid = strings.product_serial = "ec2";
  EXPECT_EQ(slug(with_firmware(strings)), "unknown");
}

TEST(PlatformLocal, NitroFirmwareHasTypeAndId) {
  Firmware nitro = firmware("Amazon EC2", "m6g.metal");
  nitro.board_asset_tag = "i-0123456789abcdef0";
  const PlatformFacts facts = look_locally(with_firmware(nitro)).facts;
  EXPECT_EQ(facts.values.at(Field::instance_type), (Fact{"m6g.metal", "dmi"}));
  EXPECT_EQ(facts.values.at(Field::instance_id), (Fact{"i-0123456789abcdef0", "dmi"}));
  Firmware xen = firmware("Xen", "HVM domU");
  xen.bios_version = "4.11.amazon";
  EXPECT_TRUE(look_locally(with_firmware(xen)).facts.values.empty());
}

TEST(PlatformLocal, WhoIsInsideAnotherComesFirstAndAsksNobody) {
  const Evidence gce = with_firmware(firmware("Google", "Google Compute Engine"));
  for (const auto& [name, provider] :
       {std::pair{"VAST_CONTAINERLABEL", "vastai"}, std::pair{"VAST_TCP_PORT_", "vastai"},
        std::pair{"RUNPOD_POD_ID", "runpod"}, std::pair{"COLAB_GPU", "colab"}, std::pair{"COLAB_RELEASE_TAG", "colab"},
        std::pair{"COLAB_BACKEND_VERSION", "colab"}, std::pair{"COLAB_JUPYTER_IP", "colab"},
        std::pair{"KAGGLE_URL_BASE", "kaggle"}, std::pair{"PAPERSPACE_CLUSTER_ID", "gradient"},
        std::pair{"SM_CURRENT_INSTANCE_TYPE", "sagemaker"}}) {
    const Evidence evidence = with_variable(gce, name);
    const LocalPlatform local = look_locally(evidence);
    EXPECT_EQ(local.rule->slug, provider) << name;
    EXPECT_EQ(local.facts.underlying, (Fact{"gcp", "dmi"}));
    const MetadataQuestion question = metadata_question(local, evidence, std::nullopt);
    EXPECT_TRUE(question.rules.empty());
    EXPECT_FALSE(question.why_none.empty());
  }
}

TEST(PlatformLocal, AManagedServiceAsksTheCloudBelowIt) {
  const Evidence vertex =
      with_variable(with_firmware(firmware("Google", "Google Compute Engine")), "VERTEX_PRODUCT", "WORKBENCH_INSTANCE");
  MetadataQuestion question = metadata_question(look_locally(vertex), vertex, std::nullopt);
  ASSERT_EQ(question.rules.size(), 1U);
  EXPECT_EQ(question.rules[0]->slug, "gcp");
  EXPECT_TRUE(question.known);
  // Masked firmware: whose machine it is, is not certain.
  const Evidence masked = with_variable({}, "AZUREML_RUN_ID");
  question = metadata_question(look_locally(masked), masked, std::nullopt);
  EXPECT_TRUE(question.rules.empty());
  EXPECT_NE(question.why_none.find("azure"), std::string::npos);
}

TEST(PlatformLocal, WeakSignsCountOnlyTogether) {
  Evidence evidence;
  evidence.marks = {"/root/.vast_api_key"};
  EXPECT_EQ(slug(evidence), "unknown");
  EXPECT_EQ(slug(with_variable(evidence, "CONTAINER_ID", "7")), "vastai");
  evidence.marks.insert("/root/.vast_containerlabel");
  EXPECT_EQ(slug(evidence), "vastai");
  EXPECT_EQ(slug(with_variable({}, "CONTAINER_ID", "7")), "unknown");
  EXPECT_EQ(slug(with_variable({}, "RUNPOD_DC_ID")), "unknown");
  EXPECT_EQ(slug(with_variable(with_variable({}, "RUNPOD_DC_ID"), "RUNPOD_POD_HOSTNAME")), "runpod");
  EXPECT_EQ(slug(with_variable({}, "TRAINING_JOB_NAME")), "unknown");
  EXPECT_EQ(slug(with_variable({}, "CLOUD_ML_PROJECT_ID")), "unknown");
  EXPECT_EQ(slug(with_variable({}, "VERTEX_PRODUCT", "MODEL_GARDEN")), "unknown");
  Evidence jarvis;
  jarvis.marks = {"/home/jl_fs"};
  EXPECT_EQ(slug(jarvis), "unknown");
  jarvis.host_name = "JarvisLabs-1";
  EXPECT_EQ(slug(jarvis), "jarvislabs");
  EXPECT_EQ(slug(with_variable({}, "COREWEAVE_NODE_NAME")), "unknown");
  Evidence pod = with_variable({}, "COREWEAVE_NODE_NAME");
  pod.container = "kubernetes";
  EXPECT_EQ(slug(pod), "coreweave");
}

TEST(PlatformLocal, TellsWhatTheEnvironmentTells) {
  const auto facts = [](const Evidence& evidence) { return look_locally(evidence).facts.values; };
  EXPECT_EQ(facts(with_variable({}, "VAST_CONTAINERLABEL", "C.77")).at(Field::instance_id).value, "77");
  EXPECT_TRUE(facts(with_variable({}, "VAST_CONTAINERLABEL", "<b>")).empty());
  Evidence serverless = with_variable(with_variable({}, "RUNPOD_POD_ID", "p"), "RUNPOD_ENDPOINT_ID", "");
  EXPECT_NE(look_locally(serverless).facts.reasons.at(Field::pricing_model).find("serverless"), std::string::npos);
  Evidence sagemaker;
  sagemaker.sagemaker_resources = R"({"current_host":"algo-1","current_instance_type":"p4d.24xlarge"})";
  EXPECT_EQ(slug(sagemaker), "sagemaker");
  EXPECT_TRUE(facts(sagemaker).empty());  // not an ml. type
  sagemaker.sagemaker_resources = "{{{";
  EXPECT_EQ(slug(sagemaker), "unknown");
  sagemaker.sagemaker_metadata = R"({"ResourceArn":"arn:aws"})";
  EXPECT_EQ(slug(sagemaker), "sagemaker");
  EXPECT_TRUE(facts(sagemaker).empty());
  Firmware droplet = firmware("DigitalOcean");
  droplet.product_serial = "123";
  EXPECT_EQ(facts(with_firmware(droplet)).at(Field::instance_id).value, "123");
  droplet.sys_vendor = "Hetzner";
  EXPECT_EQ(facts(with_firmware(droplet)).at(Field::instance_id).value, "123");
}

TEST(PlatformLocal, AnUnknownMachineAsksOnlyHarmlessQuestions) {
  Evidence evidence = with_firmware(firmware("QEMU", "Standard PC (Q35 + ICH9, 2009)"));
  const auto asked = [&evidence](const std::optional<std::string>& given) {
    std::vector<std::string_view> slugs;
    for (const PlatformRule* rule : metadata_question(look_locally(evidence), evidence, given).rules)
      slugs.push_back(rule->slug);
    return slugs;
  };
  const std::vector<std::string_view> harmless{"azure", "oracle", "aws",    "gcp",      "scaleway",
                                               "ibm",   "baidu",  "nebius", "openstack"};
  EXPECT_EQ(asked(std::nullopt), harmless);
  evidence.marks.insert("/home/paperspace");
  EXPECT_EQ(asked(std::nullopt).size(), harmless.size() + 1);
  EXPECT_EQ(asked("ibm"), std::vector<std::string_view>{"ibm"});
  EXPECT_TRUE(asked("tensordock").empty());
  EXPECT_TRUE(asked("runpod").empty());
  EXPECT_TRUE(asked("who_is_this").empty());
  evidence.firmware = firmware("Dell Inc.");
  EXPECT_EQ(asked(std::nullopt), harmless);
}

MetadataFindings answer(bool validated, const std::string& provider, const std::string& problem) {
  MetadataFindings findings;
  findings.validated = validated;
  findings.provider = provider;
  findings.problem = problem;
  return findings;
}

TEST(PlatformMerge, MetadataFillsGapsAndReplacesNothing) {
  const Evidence evidence = with_firmware(firmware("Amazon EC2", "p5.48xlarge"));
  const LocalPlatform local = look_locally(evidence);
  const MetadataQuestion question = metadata_question(local, evidence, std::nullopt);
  MetadataFindings findings = answer(true, "", "");
  findings.values = {{Field::instance_type, "m5.large"}, {Field::region, "us-east-1"}};
  const PlatformFacts facts = with_metadata(local, question, findings);
  EXPECT_EQ(facts.provider, (Fact{"aws", "dmi"}));
  EXPECT_EQ(facts.values.at(Field::instance_type), (Fact{"p5.48xlarge", "dmi"}));
  EXPECT_EQ(facts.values.at(Field::region), (Fact{"us-east-1", "metadata"}));
  EXPECT_EQ(facts.reasons.at(Field::zone), "the metadata service does not tell it");
  const PlatformFacts failed =
      with_metadata(local, question, answer(false, "", "the metadata service answers HTTP 403"));
  EXPECT_EQ(failed.reasons.at(Field::region), "the metadata service answers HTTP 403");
  EXPECT_FALSE(failed.values.contains(Field::region));
}

TEST(PlatformMerge, AnswersThatProveThemselvesNameTheProvider) {
  const Evidence nova = with_firmware(firmware("", "OpenStack Nova"));
  const LocalPlatform openstack = look_locally(nova);
  const MetadataQuestion one = metadata_question(openstack, nova, std::nullopt);
  EXPECT_EQ(with_metadata(openstack, one, answer(true, "ovh", "")).provider, (Fact{"ovh", "metadata"}));
  EXPECT_EQ(with_metadata(openstack, one, answer(true, "", "")).provider, (Fact{"openstack", "dmi"}));
  const LocalPlatform unknown = look_locally({});
  const MetadataQuestion all = metadata_question(unknown, {}, std::nullopt);
  EXPECT_EQ(with_metadata(unknown, all, answer(true, "oracle", "")).provider, (Fact{"oracle", "metadata"}));
  const PlatformFacts nobody = with_metadata(unknown, all, answer(false, "", ""));
  EXPECT_FALSE(nobody.provider);
  EXPECT_NE(nobody.provider_reason.find("no metadata service proved"), std::string::npos);
  EXPECT_EQ(nobody.reasons.at(Field::region), "the provider is unknown");
}

TEST(PlatformMerge, ReasonsAreThoseOfTheProviderThatTheUserNamed) {
  const LocalPlatform unknown = look_locally({});
  const auto reason = [&](const std::string& given, const std::string& problem, Field field) {
    const MetadataQuestion question = metadata_question(unknown, {}, given);
    return with_metadata(unknown, question, answer(false, "", problem), given).reasons.at(field);
  };
  EXPECT_EQ(reason("aws", "the metadata service does not answer in time", Field::region),
            "the metadata service does not answer in time");
  EXPECT_EQ(reason("crusoe", "", Field::region), "this platform tells nothing about the machine inside it");
  EXPECT_EQ(reason("somebody-else", "", Field::instance_id),
            "the provider that was given has no metadata service that is asked");
  EXPECT_EQ(reason("hetzner", "", Field::instance_type), rule_of("hetzner")->no_type);
}

TEST(PlatformMerge, AManagedServiceKeepsItsName) {
  const Evidence evidence =
      with_variable(with_firmware(firmware("", "Google Compute Engine")), "VERTEX_PRODUCT", "COLAB_ENTERPRISE");
  const LocalPlatform local = look_locally(evidence);
  const PlatformFacts facts =
      with_metadata(local, metadata_question(local, evidence, std::nullopt), answer(true, "gcp", ""));
  EXPECT_EQ(facts.provider, (Fact{"vertex", "env"}));
  EXPECT_EQ(facts.underlying, (Fact{"gcp", "dmi"}));
}

TEST(PlatformLayers, FromTheInsideOut) {
  Evidence evidence;
  EXPECT_TRUE(host_layers(evidence).empty());
  evidence.container = "systemd-nspawn";
  evidence = with_variable(evidence, "SLURM_JOB_NODELIST");
  EXPECT_EQ(host_layers(evidence), (std::vector<std::string>{"systemd_nspawn", "slurm"}));
  evidence.container = "unknown";
  evidence.marks = {"/run/secrets/kubernetes.io/serviceaccount"};
  EXPECT_EQ(host_layers(evidence), (std::vector<std::string>{"container", "kubernetes", "slurm"}));
}

}  // namespace
}  // namespace gpuassay
