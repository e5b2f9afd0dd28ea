// What may be said after `gpuassay price`?
#pragma once

#include "agent/options.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the name is CLI11's, whose header is too long for this one
class App;
}

namespace gpuassay {

/// Adds `price import`, `price list` and `price match`; the one that is chosen becomes options.command. `options` must
/// outlive the parsing.
void add_price_commands(CLI::App& app, Options& options);

}  // namespace gpuassay
