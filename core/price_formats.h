// Which price formats are there, and which one is this file?
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/price_sources/source.h"

namespace gpuassay {

struct PriceFormat {
  std::string_view name;  ///< as --format takes it
  PriceReader read = nullptr;
  /// What the beginning of such a file contains, in any order: column names or JSON keys.
  std::vector<std::string_view> marks;
};

/// All of them; the ones with more marks come first.
std::span<const PriceFormat> price_formats();

/// Throws Error{usage} listing the known names.
const PriceFormat& price_format_named(std::string_view name);

/// The format whose marks the beginning of the file has. Throws Error{unreadable_input} when there is none.
const PriceFormat& recognise_price_format(const std::string& path);

/// "normalized seed gpuhunt ..." for help texts.
std::vector<std::string> price_format_names();

}  // namespace gpuassay
