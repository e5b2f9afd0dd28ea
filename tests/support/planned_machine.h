// Machines of the cards in gpu_specs.csv, for tests of what is planned on them.
#pragma once

#include <string>
#include <vector>

#include "core/model.h"

namespace gpuassay::test {

/// From K80 to RTX 5090: one of each architecture that the product is for.
inline constexpr const char* kSevenGpus[] = {"K80 (one GK210)", "P100-PCIE-16GB", "V100-SXM2-16GB", "T4",
                                             "A100-SXM4-40GB",  "H200-SXM",       "RTX 5090"};

/// A machine with these cards; `rows` are `gpu` values of the table.
Inventory machine(const std::vector<std::string>& rows);

bool has_case(const std::vector<Case>& cases, const std::string& id, int device = 0);
bool has_prefix(const std::vector<Case>& cases, const std::string& prefix);

}  // namespace gpuassay::test
