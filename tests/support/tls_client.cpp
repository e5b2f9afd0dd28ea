#include "tests/support/tls_client.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <stdexcept>

#include "tests/support/raw_socket.h"

namespace gpuassay::test {
namespace {

template <auto kFree>
struct Free {
  template <class Thing>
  void operator()(Thing* thing) const {
    kFree(thing);
  }
};

}  // namespace

struct TlsClient::Parts {
  explicit Parts(std::uint16_t port) : socket(port) {}
  RawSocket socket;  // last to go
  std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>> context{SSL_CTX_new(TLS_client_method())};
  std::unique_ptr<SSL, Free<SSL_free>> tls;

  /// One byte, or the reason why there is none.
  int read_byte(char& byte) const {
    const int length = SSL_read(tls.get(), &byte, 1);
    return length == 1 ? SSL_ERROR_NONE : SSL_get_error(tls.get(), length);
  }
};

TlsClient::TlsClient(std::uint16_t port, int only_version) : parts_(std::make_unique<Parts>(port)) {
  SSL_CTX* const context = parts_->context.get();
  // OpenSSL itself refuses old versions above level 0; here the server shall.
  SSL_CTX_set_cipher_list(context, "DEFAULT@SECLEVEL=0");
  SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, only_version, nullptr);
  SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, only_version, nullptr);
  parts_->tls.reset(SSL_new(context));
  SSL_set_fd(parts_->tls.get(), parts_->socket.descriptor());
  if (SSL_connect(parts_->tls.get()) != 1) throw std::runtime_error("no TLS handshake");
}

TlsClient::~TlsClient() = default;

void TlsClient::send(std::string_view bytes) const {
  SSL_write(parts_->tls.get(), bytes.data(), static_cast<int>(bytes.size()));
}

std::string TlsClient::read_message() const {
  std::string text;
  std::size_t whole = 0;
  char byte = 0;
  while ((whole == 0 || text.size() < whole) && parts_->read_byte(byte) == SSL_ERROR_NONE) {
    text += byte;
    if (whole != 0 || !text.ends_with("\r\n\r\n")) continue;
    const auto length = text.find("Content-Length: ");
    whole = text.size() + (length == std::string::npos ? 0 : std::stoul(text.substr(length + 16)));
  }
  return text;
}

bool TlsClient::ended_properly() const {
  char byte = 0;
  return parts_->read_byte(byte) == SSL_ERROR_ZERO_RETURN;
}

std::string TlsClient::version() const { return SSL_get_version(parts_->tls.get()); }

std::string TlsClient::certificate() const {
  const std::unique_ptr<X509, Free<X509_free>> shown(SSL_get1_peer_certificate(parts_->tls.get()));
  const std::unique_ptr<BIO, Free<BIO_free>> memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(memory.get(), shown.get());
  std::string text(BIO_ctrl_pending(memory.get()), '\0');
  BIO_read(memory.get(), text.data(), static_cast<int>(text.size()));
  return text;
}

}  // namespace gpuassay::test
