// The network cases against servers of this machine, good ones and hostile ones.
#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "agent/backends/network_operations.h"
#include "core/error.h"
#include "tests/support/raw_socket.h"

namespace gpuassay {
namespace {

using test::http_reply;
using test::RawSocket;
using test::ScriptedServer;

constexpr NetworkParams kDownload{NetworkKind::download, 8 << 20};
const std::string kBody(4 << 20, 'x');

HttpCall call_of(const std::string& url) {
  HttpCall call;
  call.method = "GET";
  call.url = parse_url(url);
  call.target = "/file";
  return call;
}

/// Sends until nobody listens any more.
void send_without_end(const RawSocket& client, const std::string& header, const std::string& piece) {
  if (!client.send(header)) return;
  while (client.send(piece)) {
  }
}

/// What a download says that fails; it must not say where.
std::string download_failure(const ScriptedServer::Script& script, int runs = 1) {
  const ScriptedServer server([&](RawSocket& client, int number) {
    (void)client.read_until("\r\n\r\n");
    script(client, number);
  });
  try {
    const auto operation = prepare_network(call_of(server.url()), kDownload);
    for (int run = 0; run < runs; ++run) (void)operation->run_timed_ns(1);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::network);
    EXPECT_EQ(std::string(error.what()).find("127.0.0.1"), std::string::npos) << error.what();
    return error.what();
  }
  return "";
}

TEST(NetworkTarget, AWholeFileIsCounted) {
  const ScriptedServer server([](RawSocket& client, int) {
    EXPECT_TRUE(client.read_until("\r\n\r\n").starts_with("GET /file HTTP/1.1\r\n"));
    client.send(http_reply(200, kBody));
  });
  const auto operation = prepare_network(call_of(server.url()), kDownload);
  EXPECT_GT(operation->run_timed_ns(2), 0);
  EXPECT_TRUE(operation->verify().passed);
  EXPECT_EQ(std::get<NetworkParams>(*operation->performed()).bytes, std::ssize(kBody));
  EXPECT_EQ(operation->algorithm(), "http, one connection");
}

TEST(NetworkTarget, ABodyWithoutEndIsCutOff) {
  const ScriptedServer server([](RawSocket& client, int) {
    (void)client.read_until("\r\n\r\n");
    send_without_end(client, "HTTP/1.1 200 OK\r\n\r\n", kBody);
  });
  const auto operation = prepare_network(call_of(server.url()), kDownload);
  (void)operation->run_timed_ns(1);
  EXPECT_EQ(std::get<NetworkParams>(*operation->performed()).bytes, kDownload.bytes);
  EXPECT_TRUE(operation->verify().passed);
}

TEST(NetworkTarget, APromiseOfMoreThanAnyMemoryIsNotBelieved) {
  const ScriptedServer server([](RawSocket& client, int) {
    (void)client.read_until("\r\n\r\n");
    send_without_end(client, "HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\n", kBody);
  });
  const auto operation = prepare_network(call_of(server.url()), kDownload);
  (void)operation->run_timed_ns(1);
  EXPECT_EQ(std::get<NetworkParams>(*operation->performed()).bytes, kDownload.bytes);
}

TEST(NetworkTarget, ADripIsNoFigure) {
  const std::string said = download_failure([](RawSocket& client, int) {
    client.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nx");
    (void)client.read_all();  // says nothing more until the other side has enough
  });
  EXPECT_NE(said.find("sent 1 bytes"), std::string::npos) << said;
}

TEST(NetworkTarget, AnEndBeforeThePromisedLengthIsAFailure) {
  const std::string said = download_failure(
      [](RawSocket& client, int) { client.send("HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n" + kBody); });
  EXPECT_NE(said, "");
}

TEST(NetworkTarget, AnotherLengthTheNextTimeIsAFailure) {
  const std::string said = download_failure(
      [](RawSocket& client, int number) {
        client.send(
            http_reply(200, std::string_view(kBody).substr(0, kBody.size() / static_cast<std::size_t>(number + 1))));
      },
      2);
  EXPECT_NE(said.find("same length"), std::string::npos) << said;
}

TEST(NetworkTarget, ARedirectIsNotFollowed) {
  std::atomic<int> asked = 0;
  const std::string said = download_failure([&](RawSocket& client, int) {
    ++asked;
    client.send(http_reply(302, "", "Location: http://127.0.0.1:1/elsewhere\r\n"));
  });
  EXPECT_NE(said.find("HTTP 302"), std::string::npos) << said;
  EXPECT_EQ(asked, 1);
}

TEST(NetworkTarget, NonsenseAndSilenceAreFailures) {
  EXPECT_NE(download_failure([](RawSocket& client, int) { client.send("hello\r\n\r\n"); }), "");
  EXPECT_NE(download_failure([](RawSocket&, int) {}), "");
  EXPECT_NE(download_failure([](RawSocket& client, int) { client.send(http_reply(200, "little")); }), "");
}

TEST(NetworkTarget, AHeaderWithoutEndIsAFailure) {
  EXPECT_NE(download_failure([](RawSocket& client, int) {
              send_without_end(client, "HTTP/1.1 200 OK\r\n", "X-More: " + std::string(1000, 'x') + "\r\n");
            }),
            "");
}

TEST(NetworkTarget, AConnectionIsOpenedAndNothingIsSaid) {
  const ScriptedServer server([](RawSocket& client, int) { EXPECT_EQ(client.read_all(), ""); });
  const auto operation = prepare_network(call_of(server.url()), {NetworkKind::connect, 0});
  EXPECT_GT(operation->run_timed_ns(1), 0);
  EXPECT_TRUE(operation->verify().passed);
  EXPECT_FALSE(operation->performed());
}

TEST(NetworkTarget, NobodyThereIsAFailureWithoutAnAddress) {
  const auto operation = prepare_network(call_of("http://127.0.0.1:1"), {NetworkKind::connect, 0});
  try {
    (void)operation->run_timed_ns(1);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::network);
    EXPECT_EQ(std::string(error.what()).find("127.0.0.1"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("refused"), std::string::npos) << error.what();
  }
  EXPECT_THROW((void)prepare_network(call_of("http://no-such-host.invalid"), {NetworkKind::connect, 0}), Error);
}

TEST(NetworkTarget, ThroughAProxyTheConnectionIsNotSeen) {
  HttpCall call = call_of("http://127.0.0.1:1");
  call.proxy = parse_proxy("127.0.0.1:2");
  try {
    (void)prepare_network(call, {NetworkKind::connect, 0});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
  }
}

}  // namespace
}  // namespace gpuassay
