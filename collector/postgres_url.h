// What in a connection URL may be shown? Nothing; and which parts of it must be cut out of what others write?
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collector/libpq.h"

namespace gpuassay {

/// Whether the text begins like a connection URL of PostgreSQL.
bool is_postgres_url(std::string_view text);

/// The passwords in `url`. Throws Error{usage}, never repeating any of it, when it is not a URL that libpq understands,
/// or when an unescaped character makes a part of a password look like a host, port or database.
std::vector<std::string> secrets_of_url(const libpq::Functions& functions, const std::string& url);

/// Overwrites the password in a URL, wherever it is written, with 'x': for the arguments of the running process, which
/// other users of the machine can read.
void blank_password(char* argument);

}  // namespace gpuassay
