// Asks the person at the terminal, after the result is shown, whether to contribute it.
#pragma once

#include <optional>
#include <string>

#include "agent/commands/collector_target.h"
#include "agent/environment.h"
#include "agent/options.h"
#include "agent/spool.h"
#include "core/model.h"

namespace gpuassay {

/// The collector that this run may ask about: GPUASSAY_COLLECTOR, at a terminal, when nothing on the command line has
/// decided already. Error{usage} when it is then no usable address.
std::optional<CollectorTarget> collector_to_ask_about(const RunOptions& options, const Environment& environment);

/// `spool` holds the result. Asks, or takes the remembered answer to this version of the question for this collector,
/// and sends the saved result when it is yes. A new answer is remembered in DATA/consent.json; no answer within a
/// minute is a no for this time. Tells everything on stderr. False only when the result was to be sent and was not.
bool offer_contribution(const Result& result, const std::string& body, const CollectorTarget& target,
                        const std::optional<Spool>& spool, const Environment& environment);

}  // namespace gpuassay
