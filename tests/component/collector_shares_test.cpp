// Who gets in when many want to, and whom the collector takes them for.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <vector>

#include "core/result_json.h"
#include "tests/support/example_result.h"
#include "tests/support/gpu_result.h"
#include "tests/support/http_text.h"
#include "tests/support/running_collector.h"
#include "tests/support/running_server.h"

namespace gpuassay {
namespace {

using test::body_of;
using test::get;
using test::RawSocket;
using test::RunningCollector;
using test::RunningServer;
using test::status_of;

constexpr const char* kOtherNetwork = "127.0.1.1";  // the tests' usual clients are of 127.0.0.0/24

std::string ask_from(const char* source, std::uint16_t port, std::string_view message) {
  const RawSocket socket(port, source);
  socket.send(message);
  return socket.read_message();
}

// Fault 33. Slow connections live for header_time, 10 s: the time below shows that nobody waited for them to end.
TEST(CollectorShares, AThousandSlowConnectionsOfOneNetworkKeepNobodyOut) {
  RunningCollector collector(false);
  std::vector<RawSocket> slow;
  for (int i = 0; i < 1'000; ++i) {
    slow.emplace_back(collector.port());
    slow.back().send("POST /v1/results HTTP/1.1\r\nX");
  }
  const auto message = test::upload_message(canonical_json(test::example_result()), KeyPair::generate());
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(status_of(ask_from(kOtherNetwork, collector.port(), message)), 201);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  RecordProperty("honest_upload_ms", static_cast<int>(took.count() * 1000));
  EXPECT_LT(took.count(), 5);
}

TEST(CollectorShares, BeyondItsShareANetworkHears503) {
  ServerOptions options;
  options.limits.connections_per_network = 2;
  std::atomic<int> turned_away{0};
  options.refused = [&](int status) { turned_away += status == 503 ? 1 : 0; };
  RunningServer server([](const HttpRequest&) { return HttpReply{200, "text/plain", "ok", {}}; }, options);
  {
    const RawSocket first(server.port()), second(server.port(), "127.0.0.2");
    for (const RawSocket* const socket : {&first, &second}) {
      socket->send(get("/"));
      ASSERT_EQ(status_of(socket->read_message()), 200);
    }
    const auto reply = ask_from("127.0.0.3", server.port(), get("/"));
    EXPECT_EQ(status_of(reply), 503);
    EXPECT_TRUE(test::has_header(reply, "Retry-After: 5"));
    EXPECT_EQ(status_of(ask_from(kOtherNetwork, server.port(), get("/"))), 200);
    EXPECT_EQ(turned_away, 1);
    first.finish_sending();
    EXPECT_EQ(first.read_all(), "");  // the server has ended it too
  }
  // Its place is free again, as soon as the server has noticed.
  int status = 0;
  for (int tries = 0; tries < 1'000 && status != 200; ++tries)
    status = status_of(ask_from("127.0.0.3", server.port(), get("/")));
  EXPECT_EQ(status, 200);
}

TEST(CollectorShares, ATrustedProxyHasNoShare) {
  ServerOptions options;
  options.limits.connections_per_network = 1;
  options.trusted_proxies = {"127.0.0.7"};
  RunningServer server([](const HttpRequest&) { return HttpReply{200, "text/plain", "ok", {}}; }, options);
  std::vector<RawSocket> held;
  for (int i = 0; i < 3; ++i) {
    held.emplace_back(server.port(), "127.0.0.7");
    held.back().send(get("/"));
    EXPECT_EQ(status_of(held.back().read_message()), 200);
  }
  const RawSocket usual(server.port());
  usual.send(get("/"));
  EXPECT_EQ(status_of(usual.read_message()), 200);
  EXPECT_EQ(status_of(ask_from("127.0.0.8", server.port(), get("/"))), 503);
}

TEST(CollectorShares, OnlyATrustedProxySpeaksForOthers) {
  ServerOptions options;
  options.trusted_proxies = {"127.0.0.7"};
  RunningServer server([](const HttpRequest& request) { return HttpReply{200, "text/plain", request.peer, {}}; },
                       options);
  const auto seen = [&](const char* source, std::string_view headers) {
    return body_of(ask_from(source, server.port(), get("/", headers)));
  };
  EXPECT_EQ(seen("127.0.0.7", "X-Forwarded-For: 198.51.100.7, 203.0.113.9\r\n"), "203.0.113.9");
  EXPECT_EQ(seen("127.0.0.7", "X-Forwarded-For: 203.0.113.9\r\nx-forwarded-for: 198.51.100.7\r\n"), "198.51.100.7");
  EXPECT_EQ(seen("127.0.0.7", ""), "127.0.0.7");
  EXPECT_EQ(seen("127.0.0.8", "X-Forwarded-For: 203.0.113.9\r\n"), "127.0.0.8");
}

}  // namespace
}  // namespace gpuassay
