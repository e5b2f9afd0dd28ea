// Parsers of the probe on literal text.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "agent/probe/cpu_info.h"
#include "agent/probe/cpu_list.h"
#include "agent/probe/mountinfo.h"
#include "agent/probe/text_fields.h"

namespace gpuassay {
namespace {

using Ids = std::vector<int>;

TEST(CpuList, ReadsWhatTheKernelWrites) {
  EXPECT_EQ(parse_cpu_list("0-3,8,10-11\n"), (Ids{0, 1, 2, 3, 8, 10, 11}));
  EXPECT_EQ(parse_cpu_list("7"), (Ids{7}));
  EXPECT_EQ(parse_cpu_list("0-7:2/4"), (Ids{0, 1, 4, 5}));
  EXPECT_EQ(parse_cpu_list("65534-65535"), (Ids{65534, 65535}));
}

TEST(CpuList, RefusesEverythingElse) {
  for (const char* text : {"",
                           "\n",
                           "0-",
                           "-3",
                           "3-1",
                           "1,,2",
                           "a",
                           "0-3,x",
                           "0-999999999",
                           "65536",
                           "8,0-3",
                           "0-3,3",
                           "99999999999999999999",
                           "0-7:0/4",
                           "0-7:4/2",
                           "0-7:2",
                           "1-2-3",
                           "0x1",
                           "1.5",
                           "+1"}) {
    EXPECT_FALSE(parse_cpu_list(text).has_value()) << text;
  }
}

TEST(CpuList, Intersects) {
  EXPECT_EQ(intersect({0, 1, 2, 5}, {1, 5, 9}), (Ids{1, 5}));
  EXPECT_EQ(intersect({0}, {1}), Ids{});
}

TEST(Numbers, IntegersMustBeWhole) {
  EXPECT_EQ(parse_integer(" 42\n"), 42);
  EXPECT_EQ(parse_integer("-1"), -1);
  for (const char* text : {"", "-", "1e30", "12a", "0x10", "1 2", "9223372036854775808", "1.0", "max"}) {
    EXPECT_FALSE(parse_integer(text).has_value()) << text;
  }
}

TEST(Numbers, SizesHaveBinarySuffixes) {
  EXPECT_EQ(parse_size_bytes("32K\n"), 32768);
  EXPECT_EQ(parse_size_bytes("512 KB"), 524288);
  EXPECT_EQ(parse_size_bytes("36M"), 37748736);
  EXPECT_EQ(parse_size_bytes("2G"), 2147483648);
  EXPECT_EQ(parse_size_bytes("64"), 64);
  for (const char* text : {"", "K", "B", "-1K", "9223372036854775807K", "1T", "1KK"}) {
    EXPECT_FALSE(parse_size_bytes(text).has_value()) << text;
  }
}

TEST(Fields, SplitAndLookUp) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split_fields("  a \t b "), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_TRUE(split_fields(" ").empty());
  EXPECT_EQ(value_of_key("x : 1\nmodel name\t: A: B\n", "model name", ':'), "A: B");
  EXPECT_FALSE(value_of_key("model name", "model name", ':').has_value());
}

TEST(CleanText, RemovesWhatMovesTheCursor) {
  EXPECT_EQ(clean_text("a\x1b[31mb\x07\tc\x7f"), "a[31mbc");
  EXPECT_EQ(clean_text("a\xc2\x85"
                       "b\xe2\x80\xae"
                       "c"),
            "abc")
      << "C1 control and right-to-left override";
  EXPECT_EQ(clean_text("  Xeon(R)    CPU  "), "Xeon(R) CPU");
  EXPECT_EQ(clean_text("Bj\xc3\xb6rk \xe2\x82\xac \xf0\x9f\x98\x80"), "Bj\xc3\xb6rk \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_FALSE(clean_text("\x01 \x02").has_value());
  EXPECT_FALSE(clean_text("").has_value());
}

TEST(CleanText, ReplacesInvalidUtf8) {
  const std::string replacement = "\xEF\xBF\xBD";
  EXPECT_EQ(clean_text("a\xff"
                       "b"),
            "a" + replacement + "b");
  EXPECT_EQ(clean_text("\xc0\x80"), replacement + replacement) << "overlong";
  EXPECT_EQ(clean_text("\xed\xa0\x80"), replacement + replacement + replacement) << "surrogate";
  EXPECT_EQ(clean_text("\xf4\x90\x80\x80"), replacement + replacement + replacement + replacement);
  EXPECT_EQ(clean_text("a\xe2\x82"), "a" + replacement + replacement) << "cut off";
}

TEST(CleanText, IsCappedBetweenCharacters) {
  EXPECT_EQ(clean_text(std::string(1000, 'x')), std::string(200, 'x'));
  std::string euros;
  for (int i = 0; i < 100; ++i) euros += "\xe2\x82\xac";
  EXPECT_EQ(clean_text(euros)->size(), 198U);
}

TEST(MountInfo, ReadsOptionalFieldsAndEscapes) {
  const auto mounts = parse_mountinfo(
      "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n"
      "37 35 98:0 / / rw - cgroup2 none rw\n");
  ASSERT_EQ(mounts.size(), 2U);
  EXPECT_EQ(mounts[0].root, "/mnt1");
  EXPECT_EQ(mounts[0].mount_point, "/mnt 2");
  EXPECT_EQ(mounts[0].fs_type, "ext3");
  EXPECT_EQ(mounts[0].super_options, "rw,errors=continue");
  EXPECT_EQ(mounts[1].fs_type, "cgroup2");
}

TEST(MountInfo, LeavesOutMalformedLines) {
  EXPECT_TRUE(parse_mountinfo("").empty());
  EXPECT_TRUE(parse_mountinfo("36 35 98:0 / / rw master:1 shared:2 x y z\n").empty()) << "no separator";
  EXPECT_TRUE(parse_mountinfo("36 35 98:0 / / rw a b c - ext3\n").empty()) << "cut off";
  EXPECT_EQ(parse_mountinfo("1 2 3:4 / /a\\999\\04 rw - t s o").at(0).mount_point, "/a\\999\\04");
}

TEST(MountInfo, OptionsAreComparedWhole) {
  EXPECT_TRUE(has_option("rw,cpu,cpuacct", "cpu"));
  EXPECT_FALSE(has_option("rw,cpuset,cpuacct", "cpu"));
}

TEST(CpuInfoText, NeedsAllFourAvx512Parts) {
  EXPECT_FALSE(parse_cpu_info("flags : avx2 avx512f avx512bw avx512vl\n").has_avx512);
  const CpuInfo info = parse_cpu_info("flags : avx2 avx512f avx512bw avx512vl avx512dq amx_bf16 avx_vnni\n");
  EXPECT_TRUE(info.has_avx512 && info.has_avx2 && info.has_bf16 && info.has_vnni && info.lists_flags);
  EXPECT_FALSE(info.hypervisor_flag);
}

TEST(CpuInfoText, FlagsAreComparedWhole) {
  const CpuInfo info = parse_cpu_info("flags : avx avx512_vp2intersect no_hypervisor\n");
  EXPECT_FALSE(info.has_avx2 || info.has_vnni || info.hypervisor_flag);
}

TEST(CpuInfoText, CountsProcessors) {
  EXPECT_EQ(parse_cpu_info("processor : 0\nProcessor : ARMv7\nprocessor\t: 7\nprocessor : x\n").processors, 2);
  EXPECT_EQ(parse_cpu_info("").processors, 0);
}

}  // namespace
}  // namespace gpuassay
