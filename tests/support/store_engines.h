// The two databases that a collector can have, each empty for every test.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "collector/collector_database.h"
#include "collector/run_record.h"
#include "collector/store.h"
#include "core/database.h"
#include "tests/support/postgres_server.h"
#include "tests/support/scratch_root.h"

namespace gpuassay::test {

enum class Engine { sqlite, postgres };

/// The server of this test program, started by the first test that needs it.
PostgresServer& postgres_server();

/// A test that runs on both engines; skipped on PostgreSQL where that is not installed.
class OnEachEngine : public testing::TestWithParam<Engine> {
 protected:
  void SetUp() override;

  [[nodiscard]] bool on_postgres() const { return GetParam() == Engine::postgres; }
  /// Where the collector's database of this test is.
  [[nodiscard]] DatabaseOptions options() const;
  [[nodiscard]] std::unique_ptr<ConnectionPool> open() const { return open_collector_database(options()); }
  /// A connection to that database without the collector's tables, unless open() made them.
  [[nodiscard]] std::unique_ptr<Database> connect(std::chrono::milliseconds lock_time = kShort) const;

  static constexpr std::chrono::milliseconds kShort{200};
  ScratchRoot folder_;
  std::optional<std::string> url_;
};

/// With a store in it.
class StoreOnEachEngine : public OnEachEngine {
 protected:
  void SetUp() override {
    OnEachEngine::SetUp();
    if (IsSkipped()) return;
    pool_ = open();
    store_.emplace(*pool_);
  }

  std::unique_ptr<ConnectionPool> pool_;
  std::optional<RunStore> store_;
};

/// The engine's name for the names of tests.
std::string name_of_engine(const testing::TestParamInfo<Engine>& info);

/// A run that nothing else is like: `number` is in its run_id, body and times.
StoredRun made_up_run(int number);

/// The numbers of all runs that fit, in the order of an export.
std::string exported(const RunStore& store, const RunFilter& filter);

}  // namespace gpuassay::test
