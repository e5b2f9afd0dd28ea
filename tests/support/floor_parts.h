// What the routes need for verified runs, with clocks that stand still.
#pragma once

#include "collector/floor/challenges.h"
#include "collector/floor/floor_routes.h"

namespace gpuassay::test {

struct FloorParts {
  FloorParts(ConnectionPool& pool, RunStore& store)
      : proofs(pool),
        challenges(store, proofs, {[] { return 0; }, [] { return 0; }, [] {}, [](std::string_view) {}}),
        pool_checks(pool),
        routes(challenges, proofs, pool_checks, store) {}

  FloorProofs proofs;
  Challenges challenges;
  PoolChecks pool_checks;
  FloorRoutes routes;
};

}  // namespace gpuassay::test
