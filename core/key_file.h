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

/// Puts the key file `next` in the place of `path`, at once and durably; the former key stays as `kept`, in the place
/// of what was there. Throws Error{not_saved}.
void replace_key_file(const std::string& path, const std::string& next, const std::string& kept);

/// Renames the key file `path` to `kept`, durably, so that a new key is made on next use. Throws Error{not_saved}.
void retire_key_file(const std::string& path, const std::string& kept);

}  // namespace gpuassay
