#include "collector/tls_identity.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>

#include "core/error.h"

namespace gpuassay {
namespace {

namespace ssl = boost::asio::ssl;

/// OpenSSL's own words for a missing file name neither the file nor the reason.
void require_readable(const char* option, const std::string& path) {
  errno = 0;
  std::ifstream file(path);
  if (file.peek() != std::ifstream::traits_type::eof()) return;
  if (errno != 0) throw_errno(ErrorCode::unreadable_input, fmt::format("cannot read {} {}", option, path), errno);
  throw Error(ErrorCode::unreadable_input, fmt::format("{} {} is empty", option, path));
}

}  // namespace

std::shared_ptr<ssl::context> read_tls_identity(const TlsFiles& files) {
  require_readable("--tls-cert", files.certificate);
  require_readable("--tls-key", files.key);
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  context->set_options(ssl::context::no_sslv2 | ssl::context::no_sslv3 | ssl::context::no_tlsv1 |
                       ssl::context::no_tlsv1_1);
  // A client of TLS 1.2 could otherwise make the server sign again and again on one connection.
  SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_RENEGOTIATION);
  // Without this OpenSSL would ask for a passphrase on the terminal.
  context->set_password_callback([](std::size_t, ssl::context::password_purpose) { return std::string(); });
  boost::system::error_code error;
  // The key first: a certificate that comes after it is not compared before we ask.
  context->use_private_key_file(files.key, ssl::context::pem, error);
  if (error)
    throw Error(ErrorCode::unreadable_input,
                fmt::format("--tls-key {} holds no private key in PEM form without a passphrase ({})", files.key,
                            error.message()));
  context->use_certificate_chain_file(files.certificate, error);
  if (error)
    throw Error(ErrorCode::unreadable_input, fmt::format("--tls-cert {} holds no usable certificate in PEM form ({})",
                                                         files.certificate, error.message()));
  if (SSL_CTX_check_private_key(context->native_handle()) != 1)
    throw Error(
        ErrorCode::unreadable_input,
        fmt::format("--tls-key {} is not the key of the certificate in --tls-cert {}", files.key, files.certificate));
  return context;
}

}  // namespace gpuassay
