#include "agent/http_client.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/read_size.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <exception>

#include "agent/resolve_host.h"
#include "core/ascii.h"
#include "core/error.h"

namespace gpuassay {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using AnswerParser = http::response_parser<http::string_body>;

constexpr int kMostInterimAnswers = 5;
constexpr std::size_t kReadBytes = 65536;

std::string bracketed(const std::string& host) { return host.find(':') == std::string::npos ? host : "[" + host + "]"; }

http::request<http::string_body> to_message(const HttpCall& call) {
  http::request<http::string_body> message;
  message.version(11);
  message.method_string(call.method);
  const bool through_proxy = call.proxy && !call.url.https;
  const std::string origin = "http://" + call.url.authority();
  message.target(through_proxy ? origin + call.target : call.target);
  if (through_proxy && !call.proxy->authorization.empty())
    message.set(http::field::proxy_authorization, call.proxy->authorization);
  message.set(http::field::host, call.url.authority());
  message.set(http::field::connection, "close");
  for (const auto& [name, value] : call.headers) message.set(name, value);
  message.body() = call.body;
  message.prepare_payload();
  return message;
}

HttpAnswer to_answer(http::response<http::string_body> message) {
  HttpAnswer answer;
  answer.status = static_cast<int>(message.result_int());
  for (const auto& field : message)
    answer.headers.emplace(lower_case({field.name_string().data(), field.name_string().size()}),
                           std::string(field.value()));
  answer.body = std::move(message.body());
  return answer;
}

std::string wire_form(const http::request<http::string_body>& message) {
  std::string text = std::string(message.method_string()) + " " + std::string(message.target()) + " HTTP/1.1\r\n";
  for (const auto& field : message)
    text += std::string(field.name_string()) + ": " + std::string(field.value()) + "\r\n";
  return text + "\r\n" + message.body();
}

/// Reads until `parser` has what `enough` asks for. This loop, and a request written as one text, instead of
/// http::async_read and http::async_write: those are 770 KB of code for the two kinds of stream.
template <class Stream>
asio::awaitable<void> read_answer(Stream& stream, beast::flat_buffer& buffer, AnswerParser& parser,
                                  bool (AnswerParser::*enough)() const, boost::system::error_code& problem) {
  problem = {};
  while (!(parser.*enough)()) {
    if (buffer.size() > 0) {
      buffer.consume(parser.put(buffer.data(), problem));
      if (problem && problem != http::error::need_more) co_return;
      if (!problem) continue;
    }
    const std::size_t room = beast::read_size(buffer, kReadBytes);
    if (room == 0) {
      problem = http::error::buffer_overflow;
      co_return;
    }
    const auto into = asio::mutable_buffer(buffer.prepare(room));
    buffer.commit(co_await stream.async_read_some(into, asio::redirect_error(asio::use_awaitable, problem)));
    if (problem == asio::error::eof) {
      problem = {};
      if (parser.got_some())
        parser.put_eof(problem);
      else
        problem = http::error::end_of_stream;
      co_return;
    }
    if (problem) co_return;
  }
}

template <class Stream>
asio::awaitable<HttpAnswer> send_and_read(Stream& stream, const HttpCall& call) {
  const std::string request = wire_form(to_message(call));
  // A server that refuses may answer and close before it has read everything: its answer says more than the broken
  // pipe.
  boost::system::error_code write_error;
  co_await asio::async_write(stream, asio::buffer(request), asio::redirect_error(asio::use_awaitable, write_error));
  beast::flat_buffer buffer(call.limits.answer_bytes);
  for (int interim = 0; interim <= kMostInterimAnswers; ++interim) {
    AnswerParser parser;
    parser.header_limit(static_cast<std::uint32_t>(call.limits.answer_bytes));
    parser.body_limit(call.limits.answer_bytes);
    parser.eager(true);
    boost::system::error_code read_error;
    co_await read_answer(stream, buffer, parser, &AnswerParser::is_done, read_error);
    if (read_error) throw boost::system::system_error(write_error ? write_error : read_error);
    if (parser.get().result_int() >= 200) co_return to_answer(parser.release());
  }
  throw Error(ErrorCode::network, "the server sends interim answers without end");
}

struct DownloadLimits {
  std::int64_t most_bytes;
  std::chrono::milliseconds most_time;
};

/// The header of the answer, then bytes without a look at them.
template <class Stream>
asio::awaitable<HttpDownload> send_and_count(Stream& stream, const HttpCall& call, DownloadLimits limits) {
  const std::string request = wire_form(to_message(call));
  co_await asio::async_write(stream, asio::buffer(request), asio::use_awaitable);
  const auto begin = Clock::now();
  beast::flat_buffer buffer(call.limits.answer_bytes);
  AnswerParser parser;
  parser.header_limit(static_cast<std::uint32_t>(call.limits.answer_bytes));
  parser.body_limit(boost::none);
  boost::system::error_code problem;
  co_await read_answer(stream, buffer, parser, &AnswerParser::is_header_done, problem);
  if (problem) throw boost::system::system_error(problem);
  HttpDownload download;
  download.status = parser.get().result_int() < 1000 ? static_cast<int>(parser.get().result_int()) : 0;
  const auto promised = parser.content_length();
  std::int64_t wanted = limits.most_bytes;
  if (promised) wanted = static_cast<std::int64_t>(std::min<std::uint64_t>(*promised, std::uint64_t(wanted)));
  download.bytes = std::min(static_cast<std::int64_t>(buffer.size()), wanted);
  beast::get_lowest_layer(stream).expires_at(begin + limits.most_time);
  std::vector<char> room(std::size_t{1} << 18U);
  while (download.bytes < wanted && !problem) {
    const std::size_t got = co_await stream.async_read_some(asio::buffer(room.data(), room.size()),
                                                            asio::redirect_error(asio::use_awaitable, problem));
    download.bytes = std::min(download.bytes + static_cast<std::int64_t>(got), wanted);
  }
  download.receiving = Clock::now() - begin;
  download.out_of_time = problem == beast::error::timeout;
  const bool ended = problem == asio::error::eof || problem == ssl::error::stream_truncated;
  if (problem && !download.out_of_time && !ended) throw boost::system::system_error(problem);
  if (ended && promised && download.bytes < wanted)
    throw Error(ErrorCode::network, fmt::format("{} ended its answer before the length it promised", call.url.text()));
  co_return download;
}

/// Asks the proxy for a tunnel to the server; what comes through it afterwards is the server's own.
asio::awaitable<void> open_tunnel(beast::tcp_stream& stream, const HttpCall& call) {
  const std::string target = fmt::format("{}:{}", bracketed(call.url.host), call.url.port);
  http::request<http::string_body> message(http::verb::connect, target, 11);
  message.set(http::field::host, target);
  if (!call.proxy->authorization.empty()) message.set(http::field::proxy_authorization, call.proxy->authorization);
  const std::string request = wire_form(message);
  co_await asio::async_write(stream, asio::buffer(request), asio::use_awaitable);
  // The server speaks only after we did: nothing behind the proxy's answer can get lost in the buffer.
  beast::flat_buffer buffer(call.limits.answer_bytes);
  AnswerParser parser;
  parser.header_limit(static_cast<std::uint32_t>(call.limits.answer_bytes));
  parser.skip(true);
  boost::system::error_code read_error;
  co_await read_answer(stream, buffer, parser, &AnswerParser::is_header_done, read_error);
  if (read_error) throw boost::system::system_error(read_error);
  if (const unsigned status = parser.get().result_int(); status < 200 || status > 299)
    throw Error(ErrorCode::network,
                fmt::format("the proxy {} opens no tunnel to {}: HTTP {}", call.proxy->host, call.url.text(), status));
}

asio::awaitable<void> connect(beast::tcp_stream& stream, const HttpCall& call, Clock::time_point start) {
  const auto deadline = start + std::min(call.limits.connect_time, call.limits.total_time);
  const std::string& host = call.proxy ? call.proxy->host : call.url.host;
  const std::uint16_t port = call.proxy ? call.proxy->port : call.url.port;
  std::vector<tcp::endpoint> endpoints;
  for (const SocketAddress& address : resolve_host(host, port, deadline)) {
    tcp::endpoint endpoint;
    endpoint.resize(address.size_bytes);
    std::copy_n(reinterpret_cast<const char*>(&address.storage), address.size_bytes,
                reinterpret_cast<char*>(endpoint.data()));
    endpoints.push_back(endpoint);
  }
  stream.expires_at(deadline);
  co_await stream.async_connect(endpoints, asio::use_awaitable);
  if (call.proxy && call.url.https) co_await open_tunnel(stream, call);
  stream.expires_at(start + call.limits.total_time);
}

ssl::context verifying_context(const HttpCall& call) {
  ssl::context context(ssl::context::tls_client);
  context.set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
  context.set_verify_mode(ssl::verify_peer);
  for (const std::string& place : call.ca_bundles) {
    if (::access(place.c_str(), R_OK) != 0) continue;
    boost::system::error_code problem;
    context.load_verify_file(place, problem);
    if (problem)
      throw Error(ErrorCode::unreadable_input, fmt::format("{} holds no certificate authorities in PEM form", place));
    return context;
  }
  throw Error(ErrorCode::network,
              "no certificate authorities found; install ca-certificates, or name a file with --ca "
              "or SSL_CERT_FILE");
}

/// `talk` is what happens on the connection, for either kind of stream.
template <class Talk>
asio::awaitable<void> exchange_tls(asio::io_context& io, const HttpCall& call, Clock::time_point start, Talk talk) {
  ssl::context context = verifying_context(call);
  ssl::stream<beast::tcp_stream> stream(io, context);
  stream.set_verify_callback(ssl::host_name_verification(call.url.host));
  // The function behind the macro SSL_set_tlsext_host_name: which host's certificate is wanted.
  std::string host = call.url.host;
  ::SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data());
  co_await connect(stream.next_layer(), call, start);
  co_await stream.async_handshake(ssl::stream_base::client, asio::use_awaitable);
  co_await talk(stream);
}

template <class Talk>
asio::awaitable<void> exchange(asio::io_context& io, const HttpCall& call, Clock::time_point start, Talk talk) {
  if (call.url.https) {
    co_await exchange_tls(io, call, start, std::move(talk));
    co_return;
  }
  beast::tcp_stream stream(io);
  co_await connect(stream, call, start);
  co_await talk(stream);
}

template <class Talk>
void run_exchange(const HttpCall& call, Talk talk) {
  asio::io_context io(1);
  std::exception_ptr failure;
  asio::co_spawn(io, exchange(io, call, Clock::now(), std::move(talk)),
                 [&](std::exception_ptr problem) { failure = std::move(problem); });
  io.run();
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    throw Error(ErrorCode::network,
                fmt::format("no answer from {}{}: {}; check the address and the network", call.url.text(),
                            call.proxy ? " through the proxy " + call.proxy->host : "",
                            error.code() == beast::error::timeout ? "it took too long" : error.code().message()),
                error.code().value());
  }
}

}  // namespace

std::vector<std::string> ca_bundle_places(const std::optional<std::string>& ssl_cert_file) {
  if (ssl_cert_file && !ssl_cert_file->empty()) return {*ssl_cert_file};
  return {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
          "/etc/ssl/cert.pem"};
}

HttpAnswer http_exchange(const HttpCall& call) {
  HttpAnswer answer;
  run_exchange(call, [&](auto& stream) -> asio::awaitable<void> { answer = co_await send_and_read(stream, call); });
  return answer;
}

HttpDownload http_download(const HttpCall& call, std::int64_t most_bytes, std::chrono::milliseconds most_time) {
  HttpDownload download;
  const DownloadLimits limits{most_bytes, most_time};
  run_exchange(
      call, [&](auto& stream) -> asio::awaitable<void> { download = co_await send_and_count(stream, call, limits); });
  return download;
}

}  // namespace gpuassay
