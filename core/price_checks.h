// Can this price be true? The load checks that every source shares.
#pragma once

#include <string>
#include <vector>

#include "core/import_report.h"
#include "core/prices.h"

namespace gpuassay {

/// Clouds mostly count one of the two devices on a K80 board; CUDA counts both: above 18 GiB per stated device the
/// count doubles. Before the prices are computed.
void count_k80_devices(PriceRow& row);

/// Why the row is quarantined, empty when it is not. A zero price and a contradiction between memory and model are kept
/// in the store but never joined or not stored at all, see `is_kept`.
std::string reason_to_quarantine(const PriceRow& row);

/// A quarantined row that the store keeps so that a join can name its reason: a price of zero.
bool is_kept(const PriceRow& row);

/// Adds warnings to the report: on-demand below spot, spot equal to on-demand for every offer that has both.
void warn_about_spot(const std::vector<PriceRow>& rows, ImportReport& report);

}  // namespace gpuassay
