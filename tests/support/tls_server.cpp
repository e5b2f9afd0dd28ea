#include "tests/support/tls_server.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <thread>

namespace gpuassay::test {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

template <class Write>
std::string pem_of(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), BIO_free);
  write(memory.get());
  std::string text(BIO_ctrl_pending(memory.get()), '\0');
  BIO_read(memory.get(), text.data(), static_cast<int>(text.size()));
  return text;
}

}  // namespace

TestIdentity make_identity(const std::string& host) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"),
                                                                EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(host.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  const std::string names = "DNS:" + host;
  X509_EXTENSION* const extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, const_cast<char*>(names.c_str()));
  X509_add_ext(certificate.get(), extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  return {pem_of([&](BIO* out) { PEM_write_bio_X509(out, certificate.get()); }),
          pem_of([&](BIO* out) { PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); })};
}

struct TlsServer::Parts {
  TestIdentity identity;
  std::string reply;
  asio::io_context io;
  asio::ssl::context context{asio::ssl::context::tls_server};
  tcp::acceptor acceptor{io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::uint16_t port = acceptor.local_endpoint().port();
  std::atomic<bool> stopping{false};
  std::thread thread;

  void serve() {
    while (!stopping) {
      boost::system::error_code error;
      tcp::socket socket(io);
      acceptor.accept(socket, error);
      if (error || stopping) continue;
      asio::ssl::stream<tcp::socket> stream(std::move(socket), context);
      stream.handshake(asio::ssl::stream_base::server, error);
      if (error) continue;
      // The whole request, which comes in several records: a server that closes early breaks the client's writing.
      beast::flat_buffer buffer;
      beast::http::request<beast::http::string_body> request;
      beast::http::read(stream, buffer, request, error);
      asio::write(stream, asio::buffer(reply), error);
      stream.shutdown(error);
    }
  }
};

TlsServer::TlsServer(const std::string& certificate_host, std::string reply) : parts_(std::make_unique<Parts>()) {
  parts_->identity = make_identity(certificate_host);
  parts_->reply = std::move(reply);
  parts_->context.use_certificate(asio::buffer(parts_->identity.certificate), asio::ssl::context::pem);
  parts_->context.use_private_key(asio::buffer(parts_->identity.key), asio::ssl::context::pem);
  parts_->thread = std::thread([parts = parts_.get()] { parts->serve(); });
}

TlsServer::~TlsServer() {
  parts_->stopping = true;
  asio::io_context io;
  tcp::socket wake(io);
  boost::system::error_code ignored;
  wake.connect(tcp::endpoint(asio::ip::address_v4::loopback(), parts_->port), ignored);
  parts_->thread.join();
}

std::uint16_t TlsServer::port() const { return parts_->port; }
const std::string& TlsServer::certificate_pem() const { return parts_->identity.certificate; }

}  // namespace gpuassay::test
