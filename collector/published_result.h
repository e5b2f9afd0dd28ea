// Which bytes of a stored result does everybody get to see?
#pragma once

#include <string>

#include "collector/export/surrogates.h"

namespace gpuassay {

/// The stored document with its hashed identifiers (uuid_hash of GPUs, instance_id_hash) keyed again, as text of the
/// same kind; every other byte stays. The agent's own key is as secret as the machine it lies on, and its hashes would
/// let anybody follow a GPU from run to run; ours do so within a month. A document without identifiers is given as it
/// is, and its signature holds.
std::string published_result(std::string body, const Surrogates& names);

}  // namespace gpuassay
