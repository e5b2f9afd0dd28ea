// What the server does around a handler: content codings, HEAD, streams, failures of its own.
#include "collector/server.h"

#include <gtest/gtest.h>

#include <atomic>

#include "collector/gzip.h"
#include "core/receipt.h"
#include "core/result_json.h"
#include "tests/support/example_result.h"
#include "tests/support/gpu_result.h"
#include "tests/support/gzip_text.h"
#include "tests/support/http_text.h"
#include "tests/support/running_collector.h"
#include "tests/support/running_server.h"

namespace gpuassay {
namespace {

using test::ask;
using test::body_of;
using test::get;
using test::has_header;
using test::joined_chunks;
using test::packed;
using test::RawSocket;
using test::RunningCollector;
using test::RunningServer;
using test::status_of;
using test::unpacked;

const std::string kLong(5'000, 'x');

/// "/stream": kLong in five pieces. "/long": kLong. Everything else: the method and what came.
HttpReply example_handler(const HttpRequest& request) {
  if (request.path == "/long") return {200, "text/plain", kLong, {}, {}};
  if (request.path != "/stream") return {200, "text/plain", request.method + " " + request.body, {}, {}};
  HttpReply reply{200, "text/plain", kLong.substr(0, 1'000), {}, {}};
  reply.next = [pieces = 0]() mutable { return ++pieces < 5 ? kLong.substr(0, 1'000) : std::string(); };
  return reply;
}

std::string post(std::string_view body, std::string_view headers) {
  return "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(headers) + "\r\n" + std::string(body);
}

/// The upload with its body packed; the signature stays that of the plain one.
std::string packed_upload(const std::string& body, const KeyPair& key) {
  std::string message = test::upload_message(body, key);
  message.resize(message.find("\r\n\r\n") + 2);
  const std::string bytes = packed(body);
  message.replace(message.find("Content-Length: "),
                  std::string("Content-Length: ").size() + std::to_string(body.size()).size(),
                  "Content-Length: " + std::to_string(bytes.size()));
  return message + "Content-Encoding: gzip\r\n\r\n" + bytes;
}

std::string everything_of(std::uint16_t port, std::string_view message) {
  const RawSocket socket(port);
  socket.send(message);
  return socket.read_all();
}

TEST(CollectorServer, APackedUploadIsTheSameUpload) {
  RunningCollector collector(false);
  const KeyPair key = KeyPair::generate();
  const std::string body = canonical_json(test::example_result());
  const std::string run_id = test::example_result().run_id;
  const auto first = ask(collector.port(), packed_upload(body, key));
  ASSERT_EQ(status_of(first), 201) << first;
  std::string problem;
  EXPECT_TRUE(verified_receipt(body_of(first), run_id, body, problem)) << problem;
  const auto plain = ask(collector.port(), test::upload_message(body, key));
  EXPECT_EQ(status_of(plain), 200);
  EXPECT_EQ(body_of(plain), body_of(first));
  EXPECT_EQ(body_of(ask(collector.port(), get("/v1/results/" + run_id))), body);
  const auto again = ask(collector.port(), get("/v1/results/" + run_id, "Accept-Encoding: gzip\r\n"));
  EXPECT_TRUE(has_header(again, "Content-Encoding: gzip"));
  EXPECT_EQ(unpacked(body_of(again)), body);
}

TEST(CollectorServer, PackedBodiesHaveTwoLimits) {
  RunningServer server(
      [](const HttpRequest& request) { return HttpReply{200, "text/plain", std::to_string(request.body.size()), {}}; });
  constexpr std::size_t kMost = 4U << 20U;
  const auto send = [&](const std::string& bytes) {
    return ask(server.port(), post(bytes, "Content-Encoding: gzip\r\n"));
  };
  EXPECT_EQ(body_of(send(packed(std::string(kMost, 'x')))), std::to_string(kMost));
  EXPECT_EQ(status_of(send(packed(std::string(kMost + 1, 'x')))), 413);
  EXPECT_EQ(status_of(send(packed(std::string(std::size_t{64} << 20U, '\0')))), 413);
  EXPECT_EQ(status_of(send(packed("x") + packed("y"))), 400);
  EXPECT_EQ(status_of(send(packed("some text").substr(0, 15))), 400);
  const auto other = ask(server.port(), post("x", "Content-Encoding: br\r\n"));
  EXPECT_EQ(status_of(other), 415);
  EXPECT_TRUE(has_header(other, "Accept-Encoding: gzip, identity"));
  // Two lines are one list, whichever comes first.
  EXPECT_EQ(status_of(ask(server.port(), post("x", "Content-Encoding: identity\r\nContent-Encoding: gzip\r\n"))), 415);
}

TEST(CollectorServer, RepliesArePackedForThoseWhoAskForIt) {
  RunningServer server(example_handler);
  const auto small = ask(server.port(), get("/echo", "Accept-Encoding: gzip\r\n"));
  EXPECT_EQ(body_of(small), "GET ");
  const auto plain = ask(server.port(), get("/long"));
  EXPECT_EQ(body_of(plain), kLong);
  EXPECT_TRUE(has_header(plain, "Vary: Accept-Encoding"));
  const auto long_one = ask(server.port(), get("/long", "Accept-Encoding: br, gzip;q=0.5\r\n"));
  EXPECT_TRUE(has_header(long_one, "Content-Encoding: gzip"));
  EXPECT_TRUE(has_header(long_one, "Vary: Accept-Encoding"));
  EXPECT_EQ(unpacked(body_of(long_one)), kLong);
  EXPECT_EQ(status_of(ask(server.port(), get("/long", "Accept-Encoding: br\r\nAccept-Encoding: *;q=0\r\n"))), 406);
}

TEST(CollectorServer, StreamsCanBePackedToo) {
  RunningServer server(example_handler);
  const auto plain = everything_of(server.port(), get("/stream", "Connection: close\r\n"));
  EXPECT_TRUE(has_header(plain, "Transfer-Encoding: chunked"));
  EXPECT_EQ(joined_chunks(body_of(plain)), kLong);
  const auto small = everything_of(server.port(), get("/stream", "Connection: close\r\nAccept-Encoding: gzip\r\n"));
  EXPECT_TRUE(has_header(small, "Content-Encoding: gzip"));
  EXPECT_EQ(unpacked(joined_chunks(body_of(small))), kLong);
}

TEST(CollectorServer, AClientOfHttp10GetsAStreamToItsEnd) {
  RunningServer server(example_handler);
  const auto reply = everything_of(server.port(), "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(has_header(reply, "Connection: close"));
  EXPECT_EQ(reply.find("Transfer-Encoding"), std::string::npos);
  EXPECT_EQ(body_of(reply), kLong);
}

TEST(CollectorServer, HeadIsGetWithoutItsBody) {
  RunningServer server(example_handler);
  const RawSocket socket(server.port());
  for (const std::string path : {"/long", "/stream", "/echo"}) {
    for (const std::string headers : {"", "Accept-Encoding: gzip\r\n"}) {
      socket.send("HEAD " + path + " HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n");
      const auto head = socket.read_until("\r\n\r\n");
      // The next reply on the connection begins right behind it: there was no body.
      socket.send(get("/long", "Connection: keep-alive\r\n"));
      EXPECT_EQ(body_of(socket.read_message()), kLong) << path;
      EXPECT_EQ(test::head_of(head),
                test::head_of(ask(server.port(), get(path, headers + "Connection: keep-alive\r\n"))));
    }
  }
  const auto alone = everything_of(server.port(), "HEAD /stream HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(body_of(alone), "");
  EXPECT_TRUE(has_header(alone, "Transfer-Encoding: chunked"));
}

TEST(CollectorServer, EveryRefusalOfItsOwnIsCounted) {
  std::atomic<int> last{0};
  ServerOptions options;
  options.refused = [&](int status) { last = status; };
  RunningServer server(example_handler, options);
  for (const auto& [message, status] :
       std::vector<std::pair<std::string, int>>{{"nonsense\r\n\r\n", 400},
                                                {get("/", "X: " + std::string(9'000, 'x') + "\r\n"), 431},
                                                {"POST / HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n", 413},
                                                {post("x", "Content-Encoding: gzip\r\n"), 400},
                                                {post("x", "Content-Encoding: zstd\r\n"), 415},
                                                {get("/", "Accept-Encoding: *;q=0\r\n"), 406}}) {
    last = 0;
    EXPECT_EQ(status_of(ask(server.port(), message)), status);
    EXPECT_EQ(last, status);
  }
  last = 0;
  EXPECT_EQ(status_of(ask(server.port(), get("/"))), 200);
  EXPECT_EQ(last, 0);
}

TEST(CollectorServer, TooManyWaitingRequestsHear503) {
  ServerOptions options;
  options.limits.waiting_requests = 0;
  RunningServer server(example_handler, options);
  const auto reply = ask(server.port(), get("/"));
  EXPECT_EQ(status_of(reply), 503);
  EXPECT_TRUE(has_header(reply, "Retry-After: 5"));
}

}  // namespace
}  // namespace gpuassay
