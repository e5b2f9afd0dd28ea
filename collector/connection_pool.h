// How do several threads share a few connections to one database?
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "core/database.h"
#include "core/error.h"

namespace gpuassay {

struct PoolOptions {
  std::size_t connections = 4;
  std::chrono::milliseconds longest_wait{5'000};  ///< for a free connection, and for the turn to write
  /// Writers come one after the other: SQLite has one at a time, and waiting in a queue is fairer than its polling.
  bool one_writer = false;
};

/// Opens connections as they are needed and keeps them. Safe to use from any thread.
class ConnectionPool {
 public:
  using Open = std::function<std::unique_ptr<Database>()>;
  enum class Access { read, write };

  /// One connection for one thread until it is destroyed.
  class Lease {
   public:
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&& other) = delete;
    ~Lease();
    Database& operator*() const { return *database_; }
    Database* operator->() const { return database_.get(); }

   private:
    friend class ConnectionPool;
    Lease(ConnectionPool& pool, std::unique_ptr<Database> database, std::unique_lock<std::timed_mutex> turn)
        : pool_(&pool), database_(std::move(database)), turn_(std::move(turn)) {}
    ConnectionPool* pool_;
    std::unique_ptr<Database> database_;
    std::unique_lock<std::timed_mutex> turn_;
  };

  /// Opens the first connection at once, and throws what `open` throws.
  explicit ConnectionPool(Open open, PoolOptions options = {});

  /// Throws Error{database} when none becomes free in time or a new one cannot be opened.
  Lease take(Access access);

  /// Calls `action` with a connection. When the server had gone away it is called once more with a new connection:
  /// `action` must give the same when its first COMMIT may or may not have arrived.
  template <class Action>
  auto use(Access access, const Action& action) {
    {
      Lease lease = take(access);
      try {
        return action(*lease);
      } catch (const Error&) {
        if (!lease->is_lost()) throw;
      }
    }
    Lease lease = take(access);
    return action(*lease);
  }

 private:
  void give_back(std::unique_ptr<Database> database) noexcept;
  std::unique_ptr<Database> idle_or_room();

  Open open_;
  PoolOptions options_;
  std::timed_mutex write_turn_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Database>> idle_;
  std::size_t leased_ = 0;
};

}  // namespace gpuassay
