// HTTPS: who gets a handshake, which certificate is shown, and which files are refused.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <vector>

#include "core/error.h"
#include "core/receipt.h"
#include "core/result_json.h"
#include "tests/support/example_result.h"
#include "tests/support/gpu_result.h"
#include "tests/support/http_text.h"
#include "tests/support/running_collector.h"
#include "tests/support/running_server.h"
#include "tests/support/scratch_root.h"
#include "tests/support/tls_client.h"
#include "tests/support/tls_server.h"

namespace gpuassay {
namespace {

using test::get;
using test::RawSocket;
using test::RunningServer;
using test::status_of;
using test::TlsClient;

HttpReply ok(const HttpRequest&) { return {200, "text/plain", "ok", {}}; }

class CollectorTls : public testing::Test {
 protected:
  void SetUp() override { write(test::make_identity("localhost")); }

  void write(const test::TestIdentity& identity) const {
    std::ofstream(files_.certificate) << identity.certificate;
    std::ofstream(files_.key) << identity.key;
  }
  [[nodiscard]] ServerOptions options() const {
    ServerOptions options;
    options.tls = files_;
    return options;
  }
  [[nodiscard]] std::string shown() const {
    std::ifstream file(files_.certificate);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] std::string refusal() const {
    ServerOptions listening = options();
    listening.host = "127.0.0.1";
    try {
      const Server server(listening, ok);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unreadable_input);
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      return error.what();
    }
    return "accepted";
  }

  test::ScratchRoot folder_;
  const TlsFiles files_{(folder_.path() / "cert.pem").string(), (folder_.path() / "key.pem").string()};
};

TEST_F(CollectorTls, AnUploadGetsItsReceipt) {
  ServeOptions options;
  options.tls = files_;
  test::RunningCollector collector(std::move(options));
  const std::string body = canonical_json(test::example_result());
  const TlsClient client(collector.port());
  client.send(test::upload_message(body, KeyPair::generate()));
  const std::string reply = client.read_message();
  EXPECT_EQ(status_of(reply), 201);
  std::string problem;
  EXPECT_TRUE(verified_receipt(test::body_of(reply), test::example_result().run_id, body, problem)) << problem;
}

TEST_F(CollectorTls, VersionsBefore12AreRefused) {
  const RunningServer server(ok, options());
  EXPECT_EQ(TlsClient(server.port()).version(), "TLSv1.3");
  EXPECT_EQ(TlsClient(server.port(), TLS1_2_VERSION).version(), "TLSv1.2");
  EXPECT_THROW(TlsClient(server.port(), TLS1_1_VERSION), std::runtime_error);
  EXPECT_THROW(TlsClient(server.port(), TLS1_VERSION), std::runtime_error);
}

TEST_F(CollectorTls, OneConnectionCarriesSeveralRequestsAndEndsProperly) {
  ServerOptions with_end = options();
  with_end.limits.requests_per_connection = 3;
  const RunningServer server(ok, with_end);
  const TlsClient client(server.port());
  for (int i = 0; i < 3; ++i) {
    client.send(get("/"));
    EXPECT_EQ(test::body_of(client.read_message()), "ok");
  }
  EXPECT_TRUE(client.ended_properly());
}

TEST_F(CollectorTls, ARefusedBodyIsStillAnswered) {
  const RunningServer server(ok, options());
  const TlsClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n" + std::string(100'000, 'x'));
  EXPECT_EQ(status_of(client.read_message()), 413);
}

TEST_F(CollectorTls, NoHandshakeNoConnection) {
  ServerOptions hasty = options();
  hasty.limits.header_time = std::chrono::milliseconds(300);
  const RunningServer server(ok, hasty);
  const RawSocket silent(server.port());
  const RawSocket plain(server.port());
  plain.send(get("/"));
  // A TLS record that says 512 bytes will come, of which only some do.
  const RawSocket slow(server.port());
  slow.send(std::string_view("\x16\x03\x01\x02\x00\x01", 6));
  EXPECT_EQ(silent.read_all(), "");  // closed by the server, or the read limit of 20 s fails the last line
  EXPECT_EQ(plain.read_all().find("HTTP"), std::string::npos);
  EXPECT_EQ(slow.read_all(), "");
  const TlsClient late(server.port());
  EXPECT_FALSE(late.ended_properly());  // no request within the time: cut off
  EXPECT_EQ(TlsClient(server.port()).version(), "TLSv1.3");
}

/// The lines that a server logged.
class Log {
 public:
  void add(std::string_view line) {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(line);
    changed_.notify_all();
  }
  /// The line of this number, once it is there; empty after 20 s.
  std::string line(std::size_t number) {
    std::unique_lock lock(mutex_);
    const bool there = changed_.wait_for(lock, std::chrono::seconds(20), [&] { return lines_.size() > number; });
    return there ? lines_[number] : "";
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

TEST_F(CollectorTls, HangUpReadsTheFilesAgainAndDropsNobody) {
  Log log;
  ServerOptions logging = options();
  logging.log = [&](std::string_view line) { log.add(line); };
  RunningServer server(ok, logging);
  server.server().handle_signals();
  const std::string first = shown();
  const TlsClient before(server.port());
  EXPECT_EQ(before.certificate(), first);

  write(test::make_identity("localhost"));
  ::raise(SIGHUP);
  EXPECT_EQ(log.line(0), "the certificate was read again");
  const std::string second = shown();
  ASSERT_NE(second, first);
  EXPECT_EQ(TlsClient(server.port()).certificate(), second);
  before.send(get("/"));
  EXPECT_EQ(status_of(before.read_message()), 200);

  std::ofstream(files_.key) << "half a fi";
  ::raise(SIGHUP);
  EXPECT_NE(log.line(1).find("the former certificate stays"), std::string::npos);
  EXPECT_EQ(TlsClient(server.port()).certificate(), second);
}

TEST_F(CollectorTls, UnusableFilesAreNamed) {
  const auto says = [this](const std::string& file, const std::string& why) {
    const std::string refused = refusal();
    return refused.find(file) != std::string::npos && refused.find(why) != std::string::npos;
  };
  const auto good = test::make_identity("localhost");
  EXPECT_EQ(refusal(), "accepted");
  std::filesystem::remove(files_.key);
  EXPECT_TRUE(says(files_.key, "No such file")) << refusal();
  write({good.certificate, "no key"});
  EXPECT_TRUE(says(files_.key, "no private key")) << refusal();
  write({good.certificate, ""});
  EXPECT_TRUE(says(files_.key, "empty")) << refusal();
  write({"no certificate", good.key});
  EXPECT_TRUE(says(files_.certificate, "no usable certificate")) << refusal();
  write({good.certificate, test::make_identity("localhost").key});
  EXPECT_TRUE(says(files_.key, "is not the key of the certificate")) << refusal();
}

}  // namespace
}  // namespace gpuassay
