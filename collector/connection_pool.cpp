#include "collector/connection_pool.h"

namespace gpuassay {

ConnectionPool::Lease::~Lease() {
  if (database_ != nullptr) pool_->give_back(std::move(database_));
}

ConnectionPool::ConnectionPool(Open open, PoolOptions options) : open_(std::move(open)), options_(options) {
  idle_.reserve(options_.connections);  // giving back must not throw
  idle_.push_back(open_());
}

ConnectionPool::Lease ConnectionPool::take(Access access) {
  std::unique_lock<std::timed_mutex> turn;
  if (access == Access::write && options_.one_writer) {
    // Before the connection, so that waiting writers leave the connections to readers.
    turn = std::unique_lock(write_turn_, options_.longest_wait);
    if (!turn) throw Error(ErrorCode::database, "other writers hold the database for too long; try again");
  }
  std::unique_ptr<Database> database = idle_or_room();
  if (database == nullptr) {
    try {
      database = open_();
    } catch (...) {
      give_back(nullptr);
      throw;
    }
  }
  return {*this, std::move(database), std::move(turn)};
}

/// An idle connection, or nullptr when another one may be opened. Either way it counts as leased.
std::unique_ptr<Database> ConnectionPool::idle_or_room() {
  std::unique_lock lock(mutex_);
  const bool free =
      freed_.wait_for(lock, options_.longest_wait, [this] { return !idle_.empty() || leased_ < options_.connections; });
  if (!free) throw Error(ErrorCode::database, "all connections to the database are in use; try again");
  ++leased_;
  if (idle_.empty()) return nullptr;
  std::unique_ptr<Database> database = std::move(idle_.back());
  idle_.pop_back();
  return database;
}

void ConnectionPool::give_back(std::unique_ptr<Database> database) noexcept {
  const bool lost = database != nullptr && database->is_lost();
  std::vector<std::unique_ptr<Database>> closed_outside_the_lock;
  {
    const std::lock_guard lock(mutex_);
    --leased_;
    // The server has gone, and the others that are idle lost it too: they would fail one after the other.
    if (lost) closed_outside_the_lock.swap(idle_);
    if (lost) idle_.reserve(options_.connections);
    if (database != nullptr && !lost) idle_.push_back(std::move(database));
  }
  freed_.notify_one();
}

}  // namespace gpuassay
