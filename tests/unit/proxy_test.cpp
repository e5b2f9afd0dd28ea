#include "agent/proxy.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/error.h"
#include "core/signature.h"

namespace gpuassay {
namespace {

TEST(Proxy, AddressesInTheFormsPeopleUse) {
  const auto parsed = [](const char* text) {
    const Proxy proxy = parse_proxy(text);
    return proxy.host + " " + std::to_string(proxy.port) + " " + proxy.authorization;
  };
  EXPECT_EQ(parsed("http://Proxy.example:3128"), "proxy.example 3128 ");
  EXPECT_EQ(parsed("http://proxy.example:3128/"), "proxy.example 3128 ");
  EXPECT_EQ(parsed("proxy.example:3128"), "proxy.example 3128 ");
  EXPECT_EQ(parsed("proxy.example"), "proxy.example 80 ");
  EXPECT_EQ(parsed("http://[::1]:8080"), "::1 8080 ");
  EXPECT_EQ(parsed("http://me:secret@p:1"), "p 1 Basic " + base64("me:secret"));
  EXPECT_EQ(parsed("http://me@p:1"), "p 1 Basic " + base64("me:"));
  EXPECT_EQ(parsed("http://me:s%40cr%3Aet@p:1"), "p 1 Basic " + base64("me:s@cr:et"));
}

TEST(Proxy, ABadAddressIsRefusedWithoutShowingThePassword) {
  for (const char* const text :
       {"", "socks5://me:hunter2@p:1", "https://me:hunter2@p:1", "http://me:hunter2@", "http://me:hunter2@p:0",
        "http://me:hunter2@p:port", "http://me:hunter2@p/path", "http://me:hunter2%4@p:1", "http://me:hunter2%zz@p:1",
        "http://me:hunter2@p:1?q", "http://a%3Ab:hunter2@p:1", "http://me:hunter2@p q:1"}) {
    try {
      parse_proxy(text);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::usage);
      EXPECT_EQ(std::string(error.what()).find("hunter2"), std::string::npos) << error.what();
    }
  }
}

TEST(Proxy, NoProxyNamesHostsDomainsAndPorts) {
  const Url target = parse_url("https://collector.example.org:8443/x");
  for (const char* const list : {"*", "collector.example.org", "example.org", ".example.org", "a.b, .ORG",
                                 "a.b  example.org", "collector.example.org:8443", "x,,example.org,"})
    EXPECT_TRUE(is_exempt(target, list)) << list;
  for (const char* const list : {"", ",", "ample.org", "example.com", "other.example.org", "example.org:443",
                                 "collector.example.org.evil", ".", "*.example.org"})
    EXPECT_FALSE(is_exempt(target, list)) << list;
  EXPECT_TRUE(is_exempt(parse_url("http://127.0.0.1:1"), "localhost,127.0.0.1"));
  EXPECT_TRUE(is_exempt(parse_url("http://[::1]:1"), "::1"));
  EXPECT_TRUE(is_exempt(parse_url("http://[::1]:1"), "[::1]"));
  EXPECT_FALSE(is_exempt(parse_url("http://127.0.0.10:1"), "127.0.0.1"));
}

TEST(Proxy, SchemeAndFlagChoose) {
  const ProxyVariables both{"http://s:1", "http://p:2", "http://a:3", "skip.example"};
  const auto host = [](const char* url, const std::optional<std::string>& given, const ProxyVariables& variables) {
    const auto proxy = proxy_for(parse_url(url), given, variables);
    return proxy ? proxy->host : "none";
  };
  EXPECT_EQ(host("https://c.example", {}, both), "s");
  EXPECT_EQ(host("http://c.example", {}, both), "p");
  EXPECT_EQ(host("https://c.example", {}, {"", "", "http://a:3", ""}), "a");
  EXPECT_EQ(host("https://c.example", {}, {"", "http://p:2", "", ""}), "none");
  EXPECT_EQ(host("https://skip.example", {}, both), "none");
  EXPECT_EQ(host("https://skip.example", "http://flag:4", both), "flag") << "what is asked for is done";
  for (const char* const here :
       {"http://localhost:1", "http://c.localhost:1", "http://127.0.0.1:1", "http://[::1]:1"}) {
    EXPECT_EQ(host(here, {}, both), "none") << here;
    EXPECT_EQ(host(here, "http://flag:4", both), "flag") << here;
  }
  EXPECT_THROW(host("https://c.example", {}, {"ftp://s", "", "", ""}), Error);
}

TEST(Proxy, VariablesInLowerCaseComeFirst) {
  for (const char* const name : {"https_proxy", "http_proxy", "all_proxy", "no_proxy"}) ::unsetenv(name);
  ::setenv("HTTPS_PROXY", "upper", 1);
  ::setenv("HTTP_PROXY", "upper-plain", 1);
  ::setenv("NO_PROXY", "upper-none", 1);
  ::setenv("ALL_PROXY", "upper-all", 1);
  ProxyVariables variables = read_proxy_variables();
  EXPECT_EQ(variables.https_proxy, "upper");
  EXPECT_EQ(variables.http_proxy, "upper-plain");
  EXPECT_EQ(variables.no_proxy, "upper-none");
  EXPECT_EQ(variables.all_proxy, "upper-all");
  ::setenv("https_proxy", "lower", 1);
  ::setenv("no_proxy", "", 1);
  variables = read_proxy_variables();
  EXPECT_EQ(variables.https_proxy, "lower");
  EXPECT_EQ(variables.no_proxy, "upper-none") << "an empty one is unset";
  for (const char* const name : {"https_proxy", "no_proxy", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY"})
    ::unsetenv(name);
  EXPECT_EQ(read_proxy_variables().https_proxy, "");
}

}  // namespace
}  // namespace gpuassay
