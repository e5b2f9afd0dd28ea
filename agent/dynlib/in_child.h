// How can untrusted library code be looked at without risking this process? It runs in a forked child that answers
// with text; a crash or a hang of the library ends the child and nothing else.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

namespace gpuassay {

/// How the child ended.
enum class ChildEnd {
  answered,  ///< the body returned; `text` is what it returned
  refused,   ///< the body threw; `text` is what()
  crashed,   ///< it ended without an answer; `text` says how: "killed by signal 11", "ended with status 1"
  hung,      ///< it did not end in time and was killed; `text` says how long it had
};

struct ChildAnswer {
  ChildEnd end = ChildEnd::crashed;
  std::string text;  ///< one line unless the body's own answer has more
};

/// How long each of several tries may take: `each`, but none beyond the deadline of all.
struct TryLimit {
  std::chrono::milliseconds each;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();

  /// For a try that begins now; zero when the time is over.
  [[nodiscard]] std::chrono::milliseconds now() const;
};

/// An answer longer than this is not from our code; it counts as a crash.
inline constexpr std::size_t kMaxAnswerBytes = std::size_t{64} << 10;

/// Runs `body` in a child process for at most `limit` and returns its answer. The child dies with this process, writes
/// no core file, and what libraries print to standard output goes to standard error. Its memory, libraries, threads and
/// environment never reach the caller. Call it while this process has a single thread: only that one is copied.
/// Throws Error{internal} when no process can be started.
ChildAnswer run_in_child(std::chrono::milliseconds limit, const std::function<std::string()>& body);

}  // namespace gpuassay
