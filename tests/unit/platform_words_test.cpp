// What may enter a result as a type, a region or an id, and how findings travel between processes.
#include <gtest/gtest.h>

#include "agent/platform/findings_text.h"
#include "agent/platform/metadata_map.h"
#include "agent/platform/words.h"
#include "core/error.h"

namespace gpuassay {
namespace {

TEST(PlatformWords, AWordIsOnePlainWord) {
  EXPECT_EQ(word(" p5.48xlarge\n"), "p5.48xlarge");
  EXPECT_EQ(word("Standard_NC24ads_A100_v4"), "Standard_NC24ads_A100_v4");
  EXPECT_EQ(word("ocid1.instance.oc1..aaa:b/c+d"), "ocid1.instance.oc1..aaa:b/c+d");
  EXPECT_EQ(word(std::string(128, 'a')), std::string(128, 'a'));
  for (const std::string& none :
       {std::string(), std::string(" \n"), std::string("a b"), std::string("<b>"), std::string("a\x1b[2J"),
        std::string("\xff"), std::string("../x"), std::string("a\0b", 3), std::string(129, 'a'), std::string("a\nb"),
        std::string("\xd0\xb6")}) {
    EXPECT_EQ(word(none), std::nullopt) << none;
  }
}

TEST(PlatformWords, RegionsAreLowerCase) {
  EXPECT_EQ(region_word("US-EAST-1"), "us-east-1");
  EXPECT_EQ(region_word("westeurope\n"), "westeurope");
  for (const std::string& none : {std::string(), std::string("-a"), std::string("a_b"), std::string("12"),
                                  std::string(65, 'a'), std::string("a.b"), std::string("Abcd:US")}) {
    EXPECT_EQ(region_word(none), std::nullopt) << none;
  }
  EXPECT_EQ(region_of_dashed_zone("us-central1-a"), "us-central1");
  for (const char* none : {"", "a", "-a", "a-"}) EXPECT_EQ(region_of_dashed_zone(none), std::nullopt);
}

TEST(PlatformWords, TokensAreHeaderSafe) {
  EXPECT_EQ(token_word("AQAAA==\n"), "AQAAA==");
  EXPECT_EQ(token_word("a\r\nX-Evil: 1"), std::nullopt);
  EXPECT_EQ(token_word(std::string(4097, 'a')), std::nullopt);
  EXPECT_EQ(token_word(""), std::nullopt);
}

TEST(PlatformWords, SmallThings) {
  EXPECT_EQ(last_path_part("projects/1/zones/a"), "a");
  EXPECT_EQ(last_path_part("a"), "a");
  EXPECT_TRUE(is_number("0123"));
  EXPECT_FALSE(is_number(""));
  EXPECT_FALSE(is_number("-1"));
  EXPECT_TRUE(is_hex_id("i-0123abcd", "i-", 8, 17));
  EXPECT_FALSE(is_hex_id("i-0123abc", "i-", 8, 17));
  EXPECT_FALSE(is_hex_id("i-0123ABCD", "i-", 8, 17));
  EXPECT_FALSE(is_hex_id("x-0123abcd", "i-", 8, 17));
  EXPECT_TRUE(equals_text("Amazon EC2", "amazon ec2"));
  EXPECT_TRUE(contains_text("4.11.Amazon", "amazon"));
}

TEST(PlatformFindingsText, ReturnsWhatWasSent) {
  MetadataFindings sent;
  sent.validated = true;
  sent.provider = "ovh";
  sent.problem = "the metadata service answers HTTP 500";
  sent.values = {{PlatformField::instance_type, "a=b"}, {PlatformField::instance_id, "i-0"}};
  sent.reasons = {{PlatformField::zone, "none\nvalue region=forged"}};
  const MetadataFindings back = findings_from_text(to_text(sent));
  EXPECT_TRUE(back.validated);
  EXPECT_EQ(back.provider, "ovh");
  EXPECT_EQ(back.problem, sent.problem);
  EXPECT_EQ(back.values, sent.values);
  EXPECT_EQ(back.reasons.at(PlatformField::zone), "nonevalue region=forged");  // a line is a line
}

TEST(PlatformFindingsText, NonsenseIsNothing) {
  const MetadataFindings back = findings_from_text("value nothing=x\nprovider=\n\x01\nreason =y\n=");
  EXPECT_FALSE(back.validated);
  EXPECT_TRUE(back.values.empty() && back.reasons.empty() && back.provider.empty());
}

TEST(PlatformMetadataMap, NamesOnlyHostsOfTheTable) {
  EXPECT_TRUE(parse_metadata_map(" ").empty());
  const MetadataMap map = parse_metadata_map("169.254.169.254=127.0.0.1:8001,metadata.nebius.internal=localhost:2");
  EXPECT_EQ(map.at("169.254.169.254").host, "127.0.0.1");
  EXPECT_EQ(map.at("metadata.nebius.internal").port, 2);
  for (const char* wrong :
       {"x", "169.254.169.254=", "169.254.169.254=a", "169.254.169.254=a:0", "169.254.169.254=a:65536",
        "example.org=127.0.0.1:80", ",", "169.254.169.254=a b:1", "=127.0.0.1:80"}) {
    EXPECT_THROW(parse_metadata_map(wrong), Error) << wrong;
  }
}

}  // namespace
}  // namespace gpuassay
