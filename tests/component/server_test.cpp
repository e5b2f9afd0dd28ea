// What the server does around a handler: content codings, HEAD, streams, failures of its own.
#include "collector/server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <future>
#include <semaphore>
#include <thread>

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
      EXPECT_EQ(
          test::without_date(test::head_of(head)),
          test::without_date(test::head_of(ask(server.port(), get(path, headers + "Connection: keep-alive\r\n")))));
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

/// "/long": made when `make` says so. Everything else: a short text.
Server::Handler with_long_reply(const std::function<HttpReply(const HttpReply::StillWanted&)>& make) {
  return [make](const HttpRequest& request) {
    HttpReply reply{200, "text/plain", "short", {}, {}};
    if (request.path == "/long") reply.make = make;
    return reply;
  };
}

TEST(CollectorServer, LongRepliesHoldUpNobodyAndAreFew) {
  std::counting_semaphore<> begun(0), may_end(0);
  ServerOptions options;
  options.limits.workers = 1;
  options.limits.long_replies = 2;
  std::atomic<int> last{0};
  options.refused = [&](int status) { last = status; };
  RunningServer server(with_long_reply([&](const HttpReply::StillWanted&) {
                         begun.release();
                         may_end.acquire();
                         return HttpReply{200, "text/plain", kLong, {}, {}};
                       }),
                       options);
  const RawSocket first(server.port()), second(server.port());
  first.send(get("/long"));
  second.send(get("/long", "Accept-Encoding: gzip\r\n"));
  begun.acquire();
  begun.acquire();
  EXPECT_EQ(body_of(ask(server.port(), get("/short"))), "short") << "the only worker is free";
  const auto third = ask(server.port(), get("/long"));
  EXPECT_EQ(status_of(third), 503);
  EXPECT_TRUE(has_header(third, "Retry-After: 5"));
  EXPECT_EQ(last, 503);
  may_end.release(2);
  EXPECT_EQ(body_of(first.read_message()), kLong);
  EXPECT_EQ(unpacked(body_of(second.read_message())), kLong);
}

TEST(CollectorServer, ALongReplyEndsWithItsClientOrTheServer) {
  for (const bool leaves : {true, false}) {
    std::promise<void> begun, given_up;
    ServerOptions options;
    options.limits.look_time = std::chrono::milliseconds(1);
    RunningServer server(with_long_reply([&](const HttpReply::StillWanted& still_wanted) {
                           begun.set_value();
                           while (still_wanted()) std::this_thread::yield();
                           given_up.set_value();
                           return HttpReply{503, "text/plain", "", {}, {}};
                         }),
                         options);
    std::optional<RawSocket> client(server.port());
    client->send(get("/long"));
    begun.get_future().wait();
    if (leaves)
      client.reset();
    else
      server.server().stop();
    EXPECT_EQ(given_up.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
    if (!leaves) {
      EXPECT_EQ(status_of(client->read_all()), 503);
    }
  }
}

TEST(CollectorServer, AStreamEndsInTheEndHoweverItIsRead) {
  ServerOptions options;
  options.limits.stream_time = std::chrono::milliseconds(200);
  RunningServer server(
      [](const HttpRequest&) {
        HttpReply reply{200, "text/plain", {}, {}, {}};
        reply.next = [] { return kLong; };
        return reply;
      },
      options);
  const RawSocket client(server.port());
  client.send(get("/"));
  EXPECT_EQ(joined_chunks(body_of(client.read_all())), "") << "cut, not ended";
}

TEST(CollectorServer, WithoutACertificateSighupEndsNothing) {
  std::promise<std::string> said;
  ServerOptions options;
  options.log = [&](std::string_view line) { said.set_value(std::string(line)); };
  RunningServer server(example_handler, options);
  server.server().handle_signals();
  ::raise(SIGHUP);
  auto line = said.get_future();
  ASSERT_EQ(line.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_EQ(line.get(), "SIGHUP: there is no certificate to be read again");
  EXPECT_EQ(status_of(ask(server.port(), get("/"))), 200);
}

TEST(CollectorServer, BodiesHaveOneSpaceTogether) {
  std::binary_semaphore begun(0), may_end(0);
  ServerOptions options;
  options.limits.all_body_bytes = 1'000;
  options.limits.workers = 2;
  std::atomic<int> last{0};
  options.refused = [&](int status) { last = status; };
  RunningServer server(
      [&](const HttpRequest& request) {
        if (request.body.starts_with('w')) {
          begun.release();
          may_end.acquire();
        }
        return HttpReply{200, "text/plain", std::to_string(request.body.size()), {}, {}};
      },
      options);
  for (int round = 0; round < 3; ++round)
    EXPECT_EQ(body_of(ask(server.port(), post(std::string(900, 'x'), ""))), "900") << "what is answered is given back";
  const auto large = ask(server.port(), post(std::string(1'001, 'x'), ""));
  EXPECT_EQ(status_of(large), 503);
  EXPECT_TRUE(has_header(large, "Retry-After: 5"));
  EXPECT_EQ(last, 503);
  const RawSocket waiting(server.port());
  waiting.send(post(std::string(600, 'w'), ""));
  begun.acquire();
  EXPECT_EQ(status_of(ask(server.port(), post(std::string(600, 'x'), ""))), 503);
  EXPECT_EQ(body_of(ask(server.port(), post(std::string(400, 'x'), ""))), "400");
  may_end.release();
  EXPECT_EQ(body_of(waiting.read_message()), "600");
}

TEST(CollectorServer, RequestsNameTheirHostOnceAndMayNameItInTheirTarget) {
  RunningServer server([](const HttpRequest& request) {
    return HttpReply{200, "text/plain", request.path + " " + request.query, {}, {}};
  });
  const auto answer = [&](const std::string& message) { return ask(server.port(), message); };
  EXPECT_EQ(status_of(answer("GET / HTTP/1.1\r\n\r\n")), 400);
  EXPECT_EQ(status_of(answer("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")), 400);
  EXPECT_EQ(status_of(answer("GET / HTTP/1.0\r\n\r\n")), 200);
  EXPECT_EQ(body_of(answer(get("http://h:1/a/b?c=d"))), "/a/b c=d");
  EXPECT_EQ(body_of(answer(get("HTTPS://h?c=d"))), " c=d");
  EXPECT_EQ(body_of(answer(get("http://h"))), "/ ");
  EXPECT_EQ(body_of(answer(get("/http://h"))), "/http://h ");
  const std::string head = test::head_of(answer(get("/")));
  EXPECT_NE(head.find(" GMT\r\n"), std::string::npos) << head;
  EXPECT_EQ(test::without_date(head).find("GMT"), std::string::npos);
}

TEST(CollectorServer, CutUploadsAreCounted) {
  std::promise<int> counted;
  ServerOptions options;
  options.refused = [&](int status) { counted.set_value(status); };
  RunningServer server(example_handler, options);
  {
    const RawSocket client(server.port());
    client.send(post("half", "").substr(0, 53));
  }
  auto status = counted.get_future();
  ASSERT_EQ(status.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_EQ(status.get(), 499);
}

}  // namespace
}  // namespace gpuassay
