// What the user says, and how the block of the result is made of everything.
#include "agent/platform/overrides.h"

#include <gtest/gtest.h>

#include "agent/platform/platform_block.h"
#include "core/error.h"

namespace gpuassay {
namespace {

using Field = PlatformField;

TEST(PlatformOverrides, FlagsBeforeVariablesBeforeTheFile) {
  const PlatformFlags flags{std::nullopt, "flag-type", std::nullopt, std::nullopt};
  const PlatformVariables variables{{"GPUASSAY_INSTANCE_TYPE", "env-type"}, {"GPUASSAY_REGION", "env-region"}};
  const PlatformOverrides said = read_overrides(flags, variables,
                                                "# comment\r\n provider = OCI # Oracle\ninstance_type=file-type\n"
                                                "region=file-region\n\npricing_model=spot");
  EXPECT_EQ(said.provider, (Fact{"oracle", "override_file"}));
  EXPECT_EQ(said.values.at(Field::instance_type), (Fact{"flag-type", "flag"}));
  EXPECT_EQ(said.values.at(Field::region), (Fact{"env-region", "override_env"}));
  EXPECT_EQ(said.values.at(Field::pricing_model), (Fact{"spot", "override_file"}));
  EXPECT_TRUE(said.refused.empty());
}

TEST(PlatformOverrides, FlagsThrowTheOthersAreRefused) {
  EXPECT_THROW(read_overrides({"<b>", {}, {}, {}}, {}, ""), Error);
  EXPECT_THROW(read_overrides({std::string(40, 'a'), {}, {}, {}}, {}, ""), Error);
  EXPECT_THROW(read_overrides({{}, {}, {}, "cheap"}, {}, ""), Error);
  const PlatformOverrides said = read_overrides({}, {{"GPUASSAY_PROVIDER", "a b"}, {"GPUASSAY_PRICING_MODEL", "cheap"}},
                                                "provider\nzone=x\nregion=\x01\n");
  EXPECT_FALSE(said.provider);
  EXPECT_TRUE(said.values.empty());
  ASSERT_EQ(said.refused.size(), 4U);
  EXPECT_NE(said.refused[0].find("GPUASSAY_PROVIDER"), std::string::npos);
  EXPECT_NE(said.refused[3].find("/etc/gpuassay/platform"), std::string::npos);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "x\n";
  EXPECT_LE(read_overrides({}, {}, many).refused.size(), 8U);
}

TEST(PlatformOverrides, AProviderIsFitForTheDocument) {
  EXPECT_EQ(read_overrides({"Some-Cloud", {}, {}, {}}, {}, "").provider->value, "some_cloud");
}

PlatformFacts amazon() {
  PlatformFacts facts;
  facts.provider = Fact{"aws", "dmi"};
  facts.values = {{Field::instance_type, {"p5.48xlarge", "dmi"}}, {Field::instance_id, {"i-1", "dmi"}}};
  facts.reasons = {{Field::region, "asleep"}};
  return facts;
}

TEST(PlatformOverrides, AnotherProviderStandsAboveTheOneFound) {
  PlatformOverrides said;
  said.provider = Fact{"lambda", "flag"};
  said.values = {{Field::region, {"us-west-1", "flag"}}};
  const PlatformFacts facts = with_overrides(amazon(), said);
  EXPECT_EQ(facts.provider, (Fact{"lambda", "flag"}));
  EXPECT_EQ(facts.underlying, (Fact{"aws", "dmi"}));
  EXPECT_EQ(facts.values.size(), 1U);
  EXPECT_NE(facts.reasons.at(Field::instance_type).find("aws"), std::string::npos);
  said.provider = Fact{"aws", "flag"};
  const PlatformFacts same = with_overrides(amazon(), said);
  EXPECT_EQ(same.provider, (Fact{"aws", "flag"}));
  EXPECT_FALSE(same.underlying);
  EXPECT_EQ(same.values.size(), 3U);
}

TEST(PlatformBlock, IdsLeaveHashedWithTheirProvider) {
  Platform platform;
  std::vector<Unknown> unknown{
      {"/platform", "old"}, {"/platform/region", "old"}, {"/platforms", "kept"}, {"/host", "kept"}};
  std::string hashed;
  const IdentifierHash hash = [&hashed](std::string_view kind, std::string_view id) -> std::optional<std::string> {
    hashed = std::string(kind) + ":" + std::string(id);
    return "HASH";
  };
  set_platform(amazon(), {"docker"}, hash, platform, unknown);
  EXPECT_EQ(hashed, std::string("instance_id:aws\0i-1", 19));
  EXPECT_EQ(platform.instance_id_hash, "HASH");
  EXPECT_EQ(platform.instance_type, "p5.48xlarge");
  EXPECT_EQ(platform.host_layer, std::vector<std::string>{"docker"});
  EXPECT_EQ(platform.source, (std::map<std::string, std::string>{
                                 {"provider", "dmi"}, {"instance_type", "dmi"}, {"instance_id_hash", "dmi"}}));
  std::map<std::string, std::string> why;
  for (const Unknown& entry : unknown) why[entry.path] = entry.reason;
  EXPECT_EQ(why.size(), unknown.size());
  EXPECT_EQ(why.at("/platform/region"), "asleep");
  EXPECT_EQ(why.at("/platform/zone"), "not known");
  EXPECT_TRUE(why.contains("/platform/underlying") && why.contains("/host") && why.contains("/platforms"));
  EXPECT_FALSE(why.contains("/platform") || why.contains("/platform/provider"));
}

TEST(PlatformBlock, WithoutAKeyThereIsNoHash) {
  Platform platform;
  std::vector<Unknown> unknown;
  const IdentifierHash none = [](std::string_view, std::string_view) -> std::optional<std::string> {
    return std::nullopt;
  };
  set_platform(amazon(), {}, none, platform, unknown);
  EXPECT_FALSE(platform.instance_id_hash);
  EXPECT_FALSE(platform.source.contains("instance_id_hash"));
  PlatformFacts nothing;
  nothing.provider_reason = std::string(1000, 'x');
  set_platform(nothing, {}, none, platform, unknown);
  EXPECT_EQ(platform.provider, "unknown");
  for (const Unknown& entry : unknown) EXPECT_LE(entry.reason.size(), 256U);
}

}  // namespace
}  // namespace gpuassay
