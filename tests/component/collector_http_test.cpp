// The real server against clients that are polite, rude or broken.
#include <gtest/gtest.h>

#include <vector>

#include "core/error.h"
#include "core/receipt.h"
#include "core/result_json.h"
#include "core/sqlite.h"
#include "tests/support/example_result.h"
#include "tests/support/gpu_result.h"
#include "tests/support/http_text.h"
#include "tests/support/raw_socket.h"
#include "tests/support/running_collector.h"

namespace gpuassay {
namespace {

using test::ask;
using test::body_of;
using test::get;
using test::RawSocket;
using test::RunningCollector;
using test::status_of;

ServerLimits short_limits() {
  ServerLimits limits;
  limits.header_time = limits.body_time = std::chrono::milliseconds(300);
  return limits;
}

class CollectorHttp : public testing::Test {
 protected:
  KeyPair key_ = KeyPair::generate();
  std::string body_ = canonical_json(test::example_result());
  std::string run_id_ = test::example_result().run_id;
};

TEST_F(CollectorHttp, AcceptsReplaysAndGivesBack) {
  RunningCollector collector(false);
  const auto first = ask(collector.port(), test::upload_message(body_, key_));
  ASSERT_EQ(status_of(first), 201) << first;
  EXPECT_NE(first.find("Location: /v1/results/" + run_id_), std::string::npos);
  std::string problem;
  EXPECT_TRUE(verified_receipt(body_of(first), run_id_, body_, problem)) << problem;
  const auto second = ask(collector.port(), test::upload_message(body_, key_));
  EXPECT_EQ(status_of(second), 200);
  EXPECT_EQ(body_of(second), body_of(first));
  const auto stored = ask(collector.port(), get("/v1/results/" + run_id_));
  EXPECT_EQ(status_of(stored), 200);
  EXPECT_EQ(body_of(stored), body_);
  EXPECT_NE(ask(collector.port(), get("/r/" + run_id_)).find("<title>gpuassay run " + run_id_), std::string::npos);
}

TEST_F(CollectorHttp, AcknowledgedRunSurvivesARestart) {
  test::ScratchRoot folder;
  std::string receipt;
  for (const int expected : {201, 200}) {
    Collector collector(
        {"127.0.0.1", 0, folder.path().string(), false}, [] { return std::int64_t{1'700'000'000'000}; },
        test::silent_log());
    std::thread thread([&collector] { collector.server().run(); });
    const auto reply = ask(collector.server().port(), test::upload_message(body_, key_));
    EXPECT_EQ(status_of(reply), expected);
    if (receipt.empty()) receipt = body_of(reply);
    EXPECT_EQ(body_of(reply), receipt);
    collector.server().stop();
    thread.join();
  }
}

TEST_F(CollectorHttp, ConflictKeepsTheFirstBody) {
  RunningCollector collector(false);
  ask(collector.port(), test::upload_message(body_, key_));
  auto other = test::example_result();
  other.duration_s = 99;
  const auto reply = ask(collector.port(), test::upload_message(canonical_json(other), key_));
  EXPECT_EQ(status_of(reply), 409);
  EXPECT_NE(reply.find("application/problem+json"), std::string::npos);
  EXPECT_EQ(body_of(ask(collector.port(), get("/v1/results/" + run_id_))), body_);
}

TEST_F(CollectorHttp, SimulatedRunsNeedTheFlag) {
  const auto message = test::upload_message(canonical_json(test::simulated_v100_result()), key_);
  RunningCollector strict(false);
  EXPECT_EQ(status_of(ask(strict.port(), message)), 403);
  RunningCollector lenient(true);
  EXPECT_EQ(status_of(ask(lenient.port(), message)), 201);
}

TEST_F(CollectorHttp, RefusalsSayWhy) {
  RunningCollector collector(false);
  const auto post = [&](const std::string& body, const std::string& type = "application/json") {
    return status_of(ask(collector.port(), test::upload_message(body, key_, type)));
  };
  EXPECT_EQ(post(body_, "text/plain"), 415);
  EXPECT_EQ(post(body_, "application/json-seq"), 415);
  EXPECT_EQ(post(body_, "Application/JSON ; charset=utf-8"), 201);
  EXPECT_EQ(post("{"), 400);
  EXPECT_EQ(post(""), 400);
  EXPECT_EQ(post("{}"), 422);
  EXPECT_EQ(post(std::string(900'000, '[')), 400);
  auto foreign = test::upload_message(body_, key_);
  foreign.replace(foreign.find("Gpuassay-Key"), 12, "X-assay-KeyX");
  EXPECT_EQ(status_of(ask(collector.port(), foreign)), 400);
  auto encoded = test::upload_message(body_, key_);
  encoded.insert(encoded.find("Content-Type"), "Content-Encoding: br\r\n");
  EXPECT_EQ(status_of(ask(collector.port(), encoded)), 415);
}

TEST_F(CollectorHttp, UnknownAddressesAndMethods) {
  RunningCollector collector(false);
  EXPECT_EQ(body_of(ask(collector.port(), get("/healthz"))), "ok\n");
  EXPECT_EQ(status_of(ask(collector.port(), get("/healthz?x=1"))), 200);
  for (const char* const path :
       {"/", "/nothing", "/v1/results/", "/v1/results/'%20OR%201=1", "/r/none", "/v1/resultsx"})
    EXPECT_EQ(status_of(ask(collector.port(), get(path))), 404) << path;
  const auto wrong = ask(collector.port(), "PUT /v1/results HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(status_of(wrong), 405);
  EXPECT_NE(wrong.find("Allow: GET, POST, HEAD"), std::string::npos);
  EXPECT_EQ(status_of(ask(collector.port(), "PATCH /v1/results/x HTTP/1.1\r\nHost: h\r\n\r\n")), 405);
}

TEST_F(CollectorHttp, OneConnectionCarriesSeveralRequests) {
  RunningCollector collector(false);
  const RawSocket socket(collector.port());
  for (int i = 0; i < 3; ++i) {
    socket.send(get("/healthz"));
    EXPECT_EQ(status_of(socket.read_message()), 200);
  }
  socket.send(get("/healthz") + get("/nothing"));  // pipelined
  EXPECT_EQ(status_of(socket.read_message()), 200);
  EXPECT_EQ(status_of(socket.read_message()), 404);
}

TEST_F(CollectorHttp, ConnectionEndsAfterItsShareOfRequests) {
  ServerLimits limits;
  limits.requests_per_connection = 2;
  RunningCollector collector(false, limits);
  const RawSocket socket(collector.port());
  socket.send(get("/healthz") + get("/healthz") + get("/healthz"));
  socket.finish_sending();
  const auto replies = socket.read_all();
  EXPECT_NE(replies.find("Connection: close"), std::string::npos);
  EXPECT_EQ(replies.find("ok\n", replies.find("ok\n", replies.find("ok\n") + 1) + 1), std::string::npos);
}

TEST_F(CollectorHttp, TooLargeIsSaidBeforeTheBodyIsRead) {
  RunningCollector collector(false);
  EXPECT_EQ(status_of(ask(collector.port(), "POST /v1/results HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n")),
            413);
  // The client of a chunked body cannot say its size; it is cut off on the way and still gets the answer.
  const RawSocket socket(collector.port());
  socket.send("POST /v1/results HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n");
  socket.send(std::string(0x200000, 'x'));
  EXPECT_EQ(status_of(socket.read_message()), 413);
  EXPECT_EQ(status_of(ask(collector.port(), "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(9000, 'x') + "\r\n\r\n")),
            431);
}

TEST_F(CollectorHttp, ExpectContinueIsAnswered) {
  RunningCollector collector(false);
  auto message = test::upload_message(body_, key_);
  message.insert(message.find("Content-Type"), "Expect: 100-continue\r\n");
  const auto body_at = message.find("\r\n\r\n") + 4;
  const RawSocket socket(collector.port());
  socket.send(message.substr(0, body_at));
  EXPECT_EQ(status_of(socket.read_until("\r\n\r\n")), 100);
  socket.send(message.substr(body_at));
  EXPECT_EQ(status_of(socket.read_message()), 201);
}

TEST_F(CollectorHttp, BrokenHttpIsAnswered400) {
  RunningCollector collector(false);
  for (const char* const message :
       {"nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
        "GET / HTTP/1.1\r\nA B: c\r\n\r\n"})
    EXPECT_EQ(status_of(ask(collector.port(), message)), 400) << message;
}

TEST_F(CollectorHttp, SlowHeaderAndSlowBodyAreCutOff) {
  RunningCollector collector(false, short_limits());
  const RawSocket header(collector.port());
  header.send("POST /v1/results HTTP/1.1\r\nHo");
  const RawSocket body(collector.port());
  body.send(test::upload_message(body_, key_).substr(0, 600));
  const RawSocket silent(collector.port());
  EXPECT_EQ(header.read_all(), "");  // closed by the server, or the read limit of 20 s fails the next line
  EXPECT_EQ(body.read_all(), "");
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_EQ(status_of(ask(collector.port(), get("/healthz"))), 200);
}

TEST_F(CollectorHttp, CutUploadIsNotStored) {
  RunningCollector collector(false);
  const auto message = test::upload_message(body_, key_);
  for (const std::size_t length : {std::size_t{1}, std::size_t{100}, message.size() / 2, message.size() - 1}) {
    const RawSocket socket(collector.port());
    socket.send(message.substr(0, length));
    socket.finish_sending();
    EXPECT_NE(status_of(socket.read_all()), 201) << length;
  }
  EXPECT_EQ(status_of(ask(collector.port(), get("/v1/results/" + run_id_))), 404);
  EXPECT_EQ(status_of(ask(collector.port(), message)), 201);
}

TEST_F(CollectorHttp, ConnectionsBeyondTheCapAreTurnedAway) {
  ServerLimits limits;
  limits.connections = 2;
  RunningCollector collector(false, limits);
  std::vector<RawSocket> held;
  for (int i = 0; i < 2; ++i) {
    held.emplace_back(collector.port());
    held.back().send(get("/healthz"));
    ASSERT_EQ(status_of(held.back().read_message()), 200);
  }
  const RawSocket third(collector.port());
  EXPECT_EQ(status_of(third.read_all()), 503);
  held.back().send(get("/healthz"));
  EXPECT_EQ(status_of(held.back().read_message()), 200);
}

TEST_F(CollectorHttp, StopEndsIdleConnections) {
  RunningCollector collector(false);
  const RawSocket idle(collector.port());
  idle.send(get("/healthz"));
  ASSERT_EQ(status_of(idle.read_message()), 200);
  collector.stop();
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_THROW(RawSocket(collector.port()), std::runtime_error);
}

TEST_F(CollectorHttp, LockedDatabaseIsABoundedWaitAnd503) {
  RunningCollector collector(false);
  SqliteDatabase other(collector.database());
  {
    Transaction lock(other);
    const auto reply = ask(collector.port(), test::upload_message(body_, key_));
    EXPECT_EQ(status_of(reply), 503);
    EXPECT_NE(reply.find("Retry-After: 5"), std::string::npos);
  }
  EXPECT_EQ(status_of(ask(collector.port(), test::upload_message(body_, key_))), 201);
}

TEST_F(CollectorHttp, TakenAddressIsAnError) {
  RunningCollector collector(false);
  test::ScratchRoot folder;
  EXPECT_THROW(Collector(
                   {"127.0.0.1", collector.port(), folder.path().string(), false}, [] { return std::int64_t{0}; },
                   test::silent_log()),
               Error);
}

}  // namespace
}  // namespace gpuassay
