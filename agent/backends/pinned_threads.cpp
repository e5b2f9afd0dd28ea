#include "agent/backends/pinned_threads.h"

#include <immintrin.h>
#include <pthread.h>
#include <sched.h>

namespace gpuassay {
namespace {

/// About 0.1 ms of pauses; members that share a CPU would otherwise wait for each other's whole time slice.
constexpr int kYieldAfter = 3000;

void bind_this_thread(int cpu) {
  if (cpu < 0 || cpu >= CPU_SETSIZE) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  (void)pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

}  // namespace

void SpinBarrier::wait() {
  const unsigned generation = generation_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == parties_) {
    arrived_.store(0, std::memory_order_relaxed);
    generation_.store(generation + 1, std::memory_order_release);
    return;
  }
  for (int turn = 0; generation_.load(std::memory_order_acquire) == generation; ++turn) {
    if (turn < kYieldAfter) {
      _mm_pause();
    } else {
      sched_yield();
    }
  }
}

PinnedThreads::PinnedThreads(const std::vector<int>& cpus) : barrier_(static_cast<int>(cpus.size())) {
  for (std::size_t member = 1; member < cpus.size(); ++member) {
    workers_.emplace_back([this, member, cpu = cpus[member]] {
      bind_this_thread(cpu);
      serve(static_cast<int>(member));
    });
  }
  if (!cpus.empty()) bind_this_thread(cpus[0]);
}

PinnedThreads::~PinnedThreads() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void PinnedThreads::run(const std::function<void(int)>& work) {
  {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    ++round_;
  }
  wake_.notify_all();
  work(0);
  barrier_.wait();
}

void PinnedThreads::serve(int member) {
  unsigned done = 0;
  for (;;) {
    const std::function<void(int)>* work = nullptr;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || round_ != done; });
      if (stopping_) return;
      done = round_;
      work = work_;
    }
    (*work)(member);
    barrier_.wait();
  }
}

}  // namespace gpuassay
