// Who is this server to its TLS clients?
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "collector/server.h"

namespace gpuassay {

/// TLS 1.2 and 1.3 with the certificate and key of `files`. Throws Error{unreadable_input} naming the file and what is
/// wrong with it.
std::shared_ptr<boost::asio::ssl::context> read_tls_identity(const TlsFiles& files);

}  // namespace gpuassay
