// The real client against a real collector, and against servers that misbehave.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <mutex>

#include "agent/resolve_host.h"
#include "agent/upload.h"
#include "core/error.h"
#include "core/receipt.h"
#include "core/result_json.h"
#include "tests/support/example_result.h"
#include "tests/support/gpu_result.h"
#include "tests/support/raw_socket.h"
#include "tests/support/running_collector.h"
#include "tests/support/tls_server.h"

namespace gpuassay {
namespace {

using std::chrono::milliseconds;
using test::http_reply;
using test::RawSocket;
using test::ScriptedServer;

class UploadNetwork : public testing::Test {
 protected:
  UploadNetwork() {
    world_ = real_upload_world();
    world_.sleep = [this](milliseconds duration) { slept_ += duration; };
    world_.exchange = [this](HttpCall call) {
      call.limits.total_time = std::min(call.limits.total_time, total_time_);
      return http_exchange(call);
    };
  }
  UploadOutcome upload(const std::string& url) {
    request_.collector_url = url;
    return upload_result(request_, world_);
  }
  [[nodiscard]] std::string good_receipt() const {
    return signed_receipt(request_.run_id, request_.body, "2026-01-01T00:00:00.000Z", collector_);
  }
  /// One request to a server that follows `script`; the message of the error, or "" when an answer came.
  std::string failure_of(const ScriptedServer::Script& script, milliseconds total_time = milliseconds{20'000}) {
    const ScriptedServer server(script);
    HttpCall call;
    call.method = "GET";
    call.url = parse_url(server.url());
    call.target = "/";
    call.limits.total_time = total_time;
    try {
      http_exchange(call);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::network);
      return error.what();
    }
    return "";
  }

  KeyPair collector_ = KeyPair::generate();
  UploadRequest request_{"",
                         test::example_result().run_id,
                         canonical_json(test::example_result()),
                         KeyPair::generate(),
                         std::nullopt,
                         {},
                         "gpuassay/test",
                         std::nullopt,
                         milliseconds{60'000}};
  UploadWorld world_;
  milliseconds total_time_{20'000};
  milliseconds slept_{0};
};

TEST_F(UploadNetwork, RealCollectorTakesItOnceAndReplays) {
  test::RunningCollector collector(false);
  const auto first = upload(collector.url());
  ASSERT_EQ(first.status, UploadStatus::accepted) << first.reason;
  EXPECT_EQ(first.http_status, 201);
  const auto second = upload(collector.url() + "/");
  EXPECT_EQ(second.status, UploadStatus::accepted);
  EXPECT_EQ(second.http_status, 200);
  EXPECT_EQ(second.receipt, first.receipt);
}

TEST_F(UploadNetwork, RealCollectorsRefusalsAreFinal) {
  test::RunningCollector collector(false);
  request_.body = canonical_json(test::simulated_v100_result());
  auto outcome = upload(collector.url());
  EXPECT_EQ(outcome.status, UploadStatus::rejected);
  EXPECT_EQ(outcome.reason, "HTTP 403: Simulated result refused: this collector takes no simulated results");
  request_.body = "{}";
  outcome = upload(collector.url());
  EXPECT_EQ(outcome.http_status, 422);
  EXPECT_NE(outcome.reason.find("Missing required property"), std::string::npos);
  request_.body = std::string(1'100'000, 'x');
  outcome = upload(collector.url());
  EXPECT_EQ(outcome.status, UploadStatus::rejected) << outcome.reason;
  EXPECT_EQ(outcome.http_status, 413);
}

TEST_F(UploadNetwork, BusyThenReplyLostThenAccepted) {
  const std::string receipt = good_receipt();
  const ScriptedServer server([&receipt](RawSocket& socket, int number) {
    EXPECT_EQ(socket.read_message().substr(0, 21), "POST /v1/results HTTP");
    if (number == 0) socket.send(http_reply(503, "", "Retry-After: 1\r\n"));
    if (number == 1) socket.send(http_reply(201, receipt).substr(0, 60));  // cut after the commit
    if (number == 2) socket.send(http_reply(200, receipt));
  });
  const auto outcome = upload(server.url());
  EXPECT_EQ(outcome.status, UploadStatus::accepted) << outcome.reason;
  EXPECT_EQ(outcome.receipt, receipt);
  EXPECT_EQ(outcome.attempts, 3);
  EXPECT_GE(slept_, milliseconds{1'000});
}

TEST_F(UploadNetwork, AnAnswerBeforeTheBodyIsReadCounts) {
  const ScriptedServer server([](RawSocket& socket, int) {
    socket.send(http_reply(413, ""));  // and closes, with the body unread
  });
  request_.body.append(std::size_t{8} << 20, ' ');
  const auto outcome = upload(server.url());
  EXPECT_EQ(outcome.status, UploadStatus::rejected) << outcome.reason;
  EXPECT_EQ(outcome.attempts, 1);
}

TEST_F(UploadNetwork, PortalPageIsNoReceipt) {
  const ScriptedServer server([](RawSocket& socket, int) {
    (void)socket.read_message();
    socket.send(http_reply(200, "<html>Please log in</html>", "Content-Type: text/html\r\n"));
  });
  const auto outcome = upload(server.url());
  EXPECT_EQ(outcome.status, UploadStatus::deferred);
  EXPECT_NE(outcome.reason.find("not a receipt"), std::string::npos);
}

TEST_F(UploadNetwork, ReceiptOfAnotherBodyIsNoReceipt) {
  const std::string other = signed_receipt(request_.run_id, "other", "2026-01-01T00:00:00.000Z", collector_);
  const ScriptedServer server([&other](RawSocket& socket, int) {
    (void)socket.read_message();
    socket.send(http_reply(201, other));
  });
  EXPECT_EQ(upload(server.url()).status, UploadStatus::deferred);
}

TEST_F(UploadNetwork, RedirectsAreNotFollowed) {
  const ScriptedServer elsewhere([](RawSocket&, int) { ADD_FAILURE() << "the redirect was followed"; });
  const ScriptedServer server([&elsewhere](RawSocket& socket, int) {
    (void)socket.read_message();
    socket.send(http_reply(307, "", "Location: " + elsewhere.url() + "/v1/results\r\n"));
  });
  EXPECT_EQ(upload(server.url()).status, UploadStatus::deferred);
}

TEST_F(UploadNetwork, DrippingReplyEndsAtTheTotalDeadline) {
  const auto drip = [](RawSocket& socket, int) {
    (void)socket.read_message();
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
    while (socket.send("x")) std::this_thread::sleep_for(milliseconds{20});  // the pace of the attack, not a wait
  };
  EXPECT_NE(failure_of(drip, milliseconds{500}).find("took too long"), std::string::npos);
}

TEST_F(UploadNetwork, SilentServerEndsAtTheTotalDeadline) {
  const auto silent = [](RawSocket& socket, int) { (void)socket.read_all(); };
  EXPECT_NE(failure_of(silent, milliseconds{300}).find("took too long"), std::string::npos);
}

TEST_F(UploadNetwork, AnswersBeyondTheLimitAreRefused) {
  const auto answer = [](const std::string& bytes) {
    return [bytes](RawSocket& socket, int) {
      (void)socket.read_message();
      socket.send(bytes);
      socket.finish_sending();
      (void)socket.read_all();
    };
  };
  EXPECT_EQ(failure_of(answer(http_reply(200, std::string(65'536, 'x')))), "");
  EXPECT_NE(failure_of(answer(http_reply(200, std::string(65'537, 'x')))), "");
  EXPECT_NE(failure_of(answer("HTTP/1.1 200 OK\r\n\r\n" + std::string(10'000'000, 'x'))), "");  // no stated length
  EXPECT_NE(failure_of(answer("HTTP/1.1 200 OK\r\nX: " + std::string(10'000'000, 'x'))), "");
  std::string interim;
  for (int i = 0; i < 1000; ++i) interim += "HTTP/1.1 103 Early Hints\r\n\r\n";
  EXPECT_NE(failure_of(answer(interim)).find("interim"), std::string::npos);
  EXPECT_EQ(failure_of(answer("HTTP/1.1 103 Early Hints\r\n\r\n" + http_reply(200, "x"))), "");
  EXPECT_EQ(failure_of(answer("HTTP/1.1 200 OK\r\n\r\nuntil the end")), "") << "no stated length";
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(failure_of(answer(chunked + "3\r\nabc\r\n0\r\n\r\n")), "");
  EXPECT_NE(failure_of(answer(chunked + "3\r\nabc\r\n")), "") << "cut off";
  EXPECT_NE(failure_of(answer(chunked + "20000000\r\n" + std::string(200'000, 'x'))), "") << "more than the limit";
}

TEST_F(UploadNetwork, NonsenseAndNothingAreNetworkFailures) {
  for (const char* const bytes :
       {"", "nonsense\r\n\r\n", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"})
    EXPECT_NE(failure_of([bytes](RawSocket& socket, int) {
                (void)socket.read_message();
                socket.send(bytes);
              }),
              "")
        << bytes;
}

TEST_F(UploadNetwork, NobodyListeningIsDeferred) {
  std::uint16_t port = 0;
  {
    const ScriptedServer gone([](RawSocket&, int) {});
    port = gone.port();
  }
  world_.now = [this] { return slept_; };  // only sleeping passes
  const auto outcome = upload("http://127.0.0.1:" + std::to_string(port));
  EXPECT_EQ(outcome.status, UploadStatus::deferred);
  EXPECT_NE(outcome.reason.find("refused"), std::string::npos);
  EXPECT_GT(outcome.attempts, 1);
}

TEST_F(UploadNetwork, NamesAreResolvedOrRefused) {
  const auto soon = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  EXPECT_FALSE(resolve_host("127.0.0.1", 80, soon).empty());
  EXPECT_FALSE(resolve_host("localhost", 80, soon).empty());
  EXPECT_THROW(resolve_host("no-such-host.invalid", 80, soon), Error);
  EXPECT_THROW(resolve_host("no-such-host.invalid", 80, std::chrono::steady_clock::now()), Error);
}

TEST_F(UploadNetwork, PlainHttpGoesToTheProxyWithTheWholeAddress) {
  const std::string receipt = good_receipt();
  std::string request;
  const ScriptedServer proxy([&](RawSocket& socket, int) {
    request = socket.read_message();
    socket.send(http_reply(201, receipt));
  });
  request_.proxy = Proxy{"127.0.0.1", proxy.port(), "Basic eDp5"};
  const auto outcome = upload("http://collector.invalid:8600/prefix");
  EXPECT_EQ(outcome.status, UploadStatus::accepted) << outcome.reason;
  EXPECT_EQ(request.find("POST http://collector.invalid:8600/prefix/v1/results HTTP/1.1\r\n"), 0U) << request;
  EXPECT_NE(request.find("Host: collector.invalid:8600\r\n"), std::string::npos);
  EXPECT_NE(request.find("Proxy-Authorization: Basic eDp5\r\n"), std::string::npos);
}

class UploadTls : public UploadNetwork {
 protected:
  std::string trust(const std::string& pem) {
    const std::string path = folder_.path().string() + "/ca.pem";
    std::ofstream(path) << pem;
    return path;
  }
  UploadOutcome upload_to(const test::TlsServer& server, const std::string& host) {
    world_.now = [this] { return slept_; };
    return upload("https://" + host + ":" + std::to_string(server.port()));
  }
  test::ScratchRoot folder_;
};

TEST_F(UploadTls, TrustedCertificateOfThisHostIsAccepted) {
  const test::TlsServer server("localhost", http_reply(201, good_receipt()));
  request_.ca_bundles = {folder_.path().string() + "/missing.pem", trust(server.certificate_pem())};
  const auto outcome = upload_to(server, "localhost");
  EXPECT_EQ(outcome.status, UploadStatus::accepted) << outcome.reason;
}

TEST_F(UploadTls, CertificateOfAnotherHostIsRefused) {
  const test::TlsServer server("other.example", http_reply(201, good_receipt()));
  request_.ca_bundles = {trust(server.certificate_pem())};
  const auto outcome = upload_to(server, "localhost");
  EXPECT_EQ(outcome.status, UploadStatus::deferred);
  EXPECT_NE(outcome.reason.find("certificate verify failed"), std::string::npos) << outcome.reason;
}

TEST_F(UploadTls, UnknownAuthorityIsRefused) {
  const test::TlsServer trusted("localhost", "");
  const test::TlsServer server("localhost", http_reply(201, good_receipt()));
  request_.ca_bundles = {trust(trusted.certificate_pem())};
  const auto outcome = upload_to(server, "localhost");
  EXPECT_EQ(outcome.status, UploadStatus::deferred);
  EXPECT_NE(outcome.reason.find("certificate verify failed"), std::string::npos) << outcome.reason;
}

TEST_F(UploadTls, AProxyThatOpensNoTunnelIsANetworkFailure) {
  const test::TlsServer somebody("localhost", "");
  request_.ca_bundles = {trust(somebody.certificate_pem())};
  world_.now = [this] { return slept_; };
  for (const char* const answer : {"HTTP/1.1 403 Forbidden\r\n\r\n",
                                   "HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n", "", "nonsense\r\n\r\n"}) {
    slept_ = milliseconds{0};
    std::string request;
    const ScriptedServer proxy([&](RawSocket& socket, int) {
      request = socket.read_until("\r\n\r\n");
      socket.send(answer);
    });
    request_.proxy = Proxy{"127.0.0.1", proxy.port(), "Basic c2VjcmV0"};
    const auto outcome = upload("https://collector.invalid");
    EXPECT_EQ(outcome.status, UploadStatus::deferred);
    EXPECT_EQ(outcome.http_status, std::nullopt) << "what a proxy says is not the collector's answer";
    EXPECT_EQ(outcome.reason.find("c2VjcmV0"), std::string::npos);
    EXPECT_EQ(request.find("CONNECT collector.invalid:443 HTTP/1.1\r\n"), 0U) << request;
    EXPECT_EQ(request.find("Gpuassay"), std::string::npos) << "nothing of ours before the tunnel is encrypted";
  }
}

TEST_F(UploadTls, ASlowTunnelEndsAtTheConnectDeadline) {
  const ScriptedServer proxy([](RawSocket& socket, int) {
    (void)socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\nX: ");
    while (socket.send("x")) std::this_thread::sleep_for(milliseconds{20});  // the pace of the attack, not a wait
  });
  const test::TlsServer somebody("localhost", "");
  HttpCall call;
  call.method = "GET";
  call.url = parse_url("https://collector.invalid");
  call.target = "/";
  call.proxy = Proxy{"127.0.0.1", proxy.port(), ""};
  call.ca_bundles = {trust(somebody.certificate_pem())};
  call.limits.connect_time = milliseconds{300};
  try {
    http_exchange(call);
    ADD_FAILURE() << "answered";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("through the proxy 127.0.0.1: it took too long"), std::string::npos)
        << error.what();
  }
}

TEST_F(UploadTls, AFileThatHoldsNoAuthoritiesIsNamed) {
  const test::TlsServer server("localhost", http_reply(201, good_receipt()));
  request_.ca_bundles = {trust("not a certificate")};
  try {
    upload_to(server, "localhost");
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unreadable_input);
    EXPECT_NE(std::string(error.what()).find("ca.pem holds no certificate authorities"), std::string::npos);
  }
}

TEST_F(UploadTls, WithoutAuthoritiesNothingIsSent) {
  const test::TlsServer server("localhost", http_reply(201, good_receipt()));
  request_.ca_bundles = {folder_.path().string() + "/missing.pem"};
  EXPECT_NE(upload_to(server, "localhost").reason.find("SSL_CERT_FILE"), std::string::npos);
  EXPECT_EQ(ca_bundle_places("/my/ca.pem"), std::vector<std::string>{"/my/ca.pem"});
  EXPECT_EQ(ca_bundle_places(std::nullopt).front(), "/etc/ssl/certs/ca-certificates.crt");
}

}  // namespace
}  // namespace gpuassay
