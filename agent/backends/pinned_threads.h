// Who runs our own kernels? A fixed team of threads, each bound to one CPU, that spins only while it works.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace gpuassay {

/// Lets `parties` threads wait for each other, spinning: an operation of a microsecond is no place to sleep.
/// After kYieldAfter turns it yields, so that an oversubscribed machine still progresses.
class SpinBarrier {
 public:
  explicit SpinBarrier(int parties) : parties_(parties) {}
  void wait();

 private:
  const int parties_;
  std::atomic<int> arrived_{0};
  std::atomic<unsigned> generation_{0};
};

/// A team of `cpus.size()` threads; the thread that constructs it is member 0 and is bound to cpus[0].
/// Binding is best effort: a CPU taken away meanwhile leaves its thread unbound. Use from that thread only.
class PinnedThreads {
 public:
  explicit PinnedThreads(const std::vector<int>& cpus);
  PinnedThreads(const PinnedThreads&) = delete;
  PinnedThreads& operator=(const PinnedThreads&) = delete;
  ~PinnedThreads();

  [[nodiscard]] int size() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls work(member) on every member at once and returns when all have ended. `work` must not throw.
  void run(const std::function<void(int member)>& work);

  /// For use inside run(): waits until all members are here.
  void barrier() { barrier_.wait(); }

 private:
  void serve(int member);

  std::vector<std::thread> workers_;
  SpinBarrier barrier_;
  std::mutex mutex_;
  std::condition_variable wake_;
  const std::function<void(int)>* work_ = nullptr;
  unsigned round_ = 0;
  bool stopping_ = false;
};

}  // namespace gpuassay
