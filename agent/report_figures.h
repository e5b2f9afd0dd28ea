// Which figures of a result does a person see? The lines of the report between score and verdict. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/text_page.h"
#include "core/model.h"

namespace gpuassay {

/// Three significant digits without exponent: 0.000352, 0.151, 12.3, 1240.
std::string short_number(double value);

/// The burst of that name: what quick has as well.
std::optional<double> figure_of(const std::map<std::string, RegimeValues>& figures, std::string_view name);

/// Values, unit, and in parentheses what is known about them; no line without values.
void add_figure_line(TextPage& page, std::string_view label, std::vector<std::string> words, std::string_view unit,
                     std::vector<std::string> notes, const std::optional<double>& noise);

/// One line per kind of figure that was measured, for all devices together (rates are sums, latencies the slowest),
/// with its unit, its typical noise and the fraction of the theoretical peak where that is known. Where there are
/// several devices, each has a line with its own headline figures.
void add_figure_lines(TextPage& page, const Result& result);

}  // namespace gpuassay
