#include "agent/url.h"

#include <gtest/gtest.h>

#include "agent/upload.h"
#include "core/error.h"

namespace gpuassay {
namespace {

TEST(Url, ReadsItsParts) {
  const auto plain = parse_url("https://Collector.Example");
  EXPECT_TRUE(plain.https);
  EXPECT_EQ(plain.host, "collector.example");
  EXPECT_EQ(plain.port, 443);
  EXPECT_EQ(plain.path, "");
  EXPECT_EQ(plain.authority(), "collector.example");
  const auto full = parse_url("http://127.0.0.1:8080/a/b//");
  EXPECT_FALSE(full.https);
  EXPECT_EQ(full.port, 8080);
  EXPECT_EQ(full.path, "/a/b");
  EXPECT_EQ(full.authority(), "127.0.0.1:8080");
  EXPECT_EQ(full.text(), "http://127.0.0.1:8080/a/b");
  const auto v6 = parse_url("http://[::1]:81/");
  EXPECT_EQ(v6.host, "::1");
  EXPECT_EQ(v6.authority(), "[::1]:81");
}

TEST(Url, RefusesEverythingElse) {
  for (const char* const text : {"",
                                 "collector.example",
                                 "ftp://a",
                                 "file:///etc/passwd",
                                 "http:/a",
                                 "http://",
                                 "http:///x",
                                 "http://user@a",
                                 "http://user:secret@a",
                                 "http://a#f",
                                 "http://a?q",
                                 "http://a:0",
                                 "http://a:65536",
                                 "http://a:x",
                                 "http://a:",
                                 "http://[::1",
                                 "http://[::1]x",
                                 "http://[g]",
                                 "http://a b",
                                 "http://a\r\nX: y",
                                 "http://\xC3\xA9",
                                 "http://a\\b"})
    EXPECT_THROW(parse_url(text), Error) << text;
}

TEST(Url, DoesNotRepeatAPassword) {
  try {
    parse_url("http://user:secret@host");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
  }
}

TEST(Url, LinkOfARun) { EXPECT_EQ(run_link("https://c.example/", "id"), "https://c.example/r/id"); }

}  // namespace
}  // namespace gpuassay
