// Which figures of a result does a person see? The lines of the report between score and verdict. Pure.
#pragma once

#include <string>

#include "agent/text_page.h"
#include "core/model.h"

namespace gpuassay {

/// Three significant digits without exponent: 0.000352, 0.151, 12.3, 1240.
std::string short_number(double value);

/// One line per kind of figure that was measured, for all devices together (rates are sums, latencies the slowest),
/// with its unit, its typical noise and the fraction of the theoretical peak where that is known. Where there are
/// several devices, each has a line with its own headline figures.
void add_figure_lines(TextPage& page, const Result& result);

}  // namespace gpuassay
