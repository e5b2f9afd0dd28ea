// A collector's database that leaves nothing behind.
#pragma once

#include <memory>

#include "collector/collector_database.h"
#include "core/sqlite.h"

namespace gpuassay::test {

/// One connection, as every connection would have a memory of its own.
inline std::unique_ptr<ConnectionPool> memory_pool() {
  PoolOptions options;
  options.connections = 1;
  auto pool = std::make_unique<ConnectionPool>([] { return std::make_unique<SqliteDatabase>(":memory:"); }, options);
  migrate_collector(*pool->take(ConnectionPool::Access::write));
  return pool;
}

}  // namespace gpuassay::test
