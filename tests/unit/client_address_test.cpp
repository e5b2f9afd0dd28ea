#include "collector/client_address.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace gpuassay {
namespace {

TEST(CanonicalAddress, OneTextForOneAddress) {
  EXPECT_EQ(canonical_address("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(canonical_address("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(canonical_address("2001:DB8:0:0::1"), "2001:db8::1");
  EXPECT_EQ(canonical_address("::1"), "::1");
  for (const char* const text : {"", "unknown", "192.0.2", "192.0.2.1 ", "192.0.2.0/24", "fe80::1%eth0", "_hidden"})
    EXPECT_EQ(canonical_address(text), std::nullopt) << text;
  EXPECT_EQ(canonical_address(std::string(1000, '1')), std::nullopt);
}

TEST(TrustedProxies, OnlyTheirWordIsTaken) {
  const TrustedProxies proxies({"192.0.2.1", "2001:db8::1"});
  EXPECT_EQ(proxies.client_of("192.0.2.1", "203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(proxies.client_of("2001:db8::1", "203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(proxies.client_of("192.0.2.2", "203.0.113.9"), "192.0.2.2");
  EXPECT_EQ(TrustedProxies({}).client_of("192.0.2.1", "203.0.113.9"), "192.0.2.1");
}

TEST(TrustedProxies, TheLastEntryIsTheProxysOwn) {
  const TrustedProxies proxies({"::ffff:192.0.2.1"});
  EXPECT_EQ(proxies.client_of("192.0.2.1", "198.51.100.7, 203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(proxies.client_of("192.0.2.1", "198.51.100.7,\t2001:DB8::5 "), "2001:db8::5");
  EXPECT_EQ(proxies.client_of("192.0.2.1", "203.0.113.9:4711"), "203.0.113.9");
  EXPECT_EQ(proxies.client_of("192.0.2.1", "[2001:db8::5]:4711"), "2001:db8::5");
  EXPECT_EQ(proxies.client_of("192.0.2.1", "[2001:db8::5]"), "2001:db8::5");
}

TEST(TrustedProxies, WhatIsNoAddressIsNotTaken) {
  const TrustedProxies proxies({"192.0.2.1"});
  for (const char* const header :
       {"", "unknown", "198.51.100.7,", "198.51.100.7, unknown", "[", "[]", "]", ":", "a:b", "198.51.100.7, 1.2.3.4.5"})
    EXPECT_EQ(proxies.client_of("192.0.2.1", header), "192.0.2.1") << header;
}

TEST(TrustedProxies, NamesAndNetworksAreRefused) {
  for (const char* const address : {"proxy.example", "192.0.2.0/24", ""}) {
    try {
      const TrustedProxies proxies({address});
      ADD_FAILURE() << address;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::usage);
      EXPECT_NE(std::string(error.what()).find("--trusted-proxy"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace gpuassay
