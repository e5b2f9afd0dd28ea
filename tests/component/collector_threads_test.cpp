// Everything behind the server, used by many clients and several workers at once. ThreadSanitizer sees the rest.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "core/result_json.h"
#include "tests/support/example_result.h"
#include "tests/support/gpu_result.h"
#include "tests/support/http_text.h"
#include "tests/support/running_collector.h"
#include "tests/support/running_server.h"

namespace gpuassay {
namespace {

using test::ask;
using test::body_of;
using test::get;
using test::RunningCollector;
using test::RunningServer;
using test::status_of;

ServeOptions with_workers(std::size_t workers) {
  ServeOptions options;
  options.limits.workers = workers;
  return options;
}

std::string run_id(int number) {
  const std::string digits = std::to_string(number);
  return "0190b5a4-7c1d-7b3e-9f00-" + std::string(12 - digits.size(), '0') + digits;
}

/// Runs `action(number)` in as many threads.
template <class Action>
void at_once(int threads, const Action& action) {
  std::vector<std::thread> running;
  running.reserve(static_cast<std::size_t>(threads));
  for (int number = 0; number < threads; ++number) running.emplace_back([&action, number] { action(number); });
  for (std::thread& thread : running) thread.join();
}

TEST(CollectorThreads, WorkersAnswerAtTheSameTime) {
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;
  // Each request waits for the other one: with a single worker neither would end before the time given.
  RunningServer server([&](const HttpRequest&) {
    std::unique_lock lock(mutex);
    ++inside;
    changed.notify_all();
    const bool met = changed.wait_for(lock, std::chrono::seconds(15), [&] { return inside == 2; });
    return HttpReply{met ? 200 : 500, "text/plain", "", {}};
  });
  at_once(2, [&](int) { EXPECT_EQ(status_of(ask(server.port(), get("/"))), 200); });
}

TEST(CollectorThreads, OneRunFromManyAtOnceIsStoredOnce) {
  RunningCollector collector(with_workers(8));
  const auto message = test::upload_message(canonical_json(test::example_result()), KeyPair::generate());
  std::mutex mutex;
  std::set<std::string> receipts;
  std::multiset<int> statuses;
  at_once(8, [&](int) {
    const auto reply = ask(collector.port(), message);
    const std::lock_guard lock(mutex);
    statuses.insert(status_of(reply));
    receipts.insert(body_of(reply));
  });
  EXPECT_EQ(statuses.count(201), 1U);
  EXPECT_EQ(statuses.count(200), 7U);
  EXPECT_EQ(receipts.size(), 1U);
}

TEST(CollectorThreads, UploadsAndReadersDoNotDisturbEachOther) {
  constexpr int kRuns = 4;
  RunningCollector collector(with_workers(6));
  std::atomic<int> wrong{0};
  at_once(8, [&](int number) {
    const KeyPair key = KeyPair::generate();
    for (int round = 0; round < kRuns; ++round) {
      if (number % 2 == 0) {
        auto result = test::example_result();
        result.run_id = run_id(number * kRuns + round);
        if (status_of(ask(collector.port(), test::upload_message(canonical_json(result), key))) != 201) ++wrong;
        if (status_of(ask(collector.port(), test::upload_message("{}", key))) != 422) ++wrong;
        if (status_of(ask(collector.port(), get("/v1/results/" + result.run_id))) != 200) ++wrong;
        continue;
      }
      for (const char* const path : {"/v1/results", "/healthz", "/readyz"})
        if (status_of(ask(collector.port(), get(path))) != 200) ++wrong;
      for (const char* const path : {"/v1/gpus", "/v1/offers"}) {
        const int status = status_of(ask(collector.port(), get(path)));
        if (status != 200 && status != 503) ++wrong;  // 503 until the first aggregates are there
      }
      const test::RawSocket socket(collector.port());
      socket.send(get("/v1/export.csv", "Connection: close\r\nAccept-Encoding: gzip\r\n"));
      const int status = status_of(socket.read_all());
      if (status != 200 && status != 503) ++wrong;  // 503 beyond two at once
    }
  });
  EXPECT_EQ(wrong, 0);
  for (int number = 0; number < 8 * kRuns; ++number)
    EXPECT_EQ(status_of(ask(collector.port(), get("/v1/results/" + run_id(number)))),
              (number / kRuns) % 2 == 0 ? 200 : 404);
}

}  // namespace
}  // namespace gpuassay
