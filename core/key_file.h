// Where does this machine's Ed25519 key live, and is the file safe to trust?
#pragma once

#include <string>

#include "core/signature.h"

namespace gpuassay {

/// The key pair in the file `path`, made there first when the file does not exist: mode 0600, written whole and
/// synced before it appears under its name, so that a kill leaves no key or a whole one. Two programs starting
/// together get the same key. A symbolic link, another owner, permissions for others or damaged content are refused:
/// Error{unreadable_input}; a folder that cannot be written: Error{not_saved}.
KeyPair load_or_create_key(const std::string& path);

}  // namespace gpuassay
