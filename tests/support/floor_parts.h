// What the routes need for verified runs, with clocks that stand still.
#pragma once

#include "collector/floor/challenges.h"
#include "collector/floor/floor_routes.h"

namespace gpuassay::test {

struct FloorParts {
  FloorParts(ConnectionPool& pool, RunStore& store)
      : proofs(pool),
        challenges(store, proofs, {[] { return 0; }, [] { return 0; }, [] {}, [](std::string_view) {}}),
        routes(challenges, proofs, store) {}

  FloorProofs proofs;
  Challenges challenges;
  FloorRoutes routes;
};

}  // namespace gpuassay::test
