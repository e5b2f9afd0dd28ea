#include "agent/backends/network_operations.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "agent/file_descriptor.h"
#include "agent/resolve_host.h"
#include "core/error.h"

namespace gpuassay {
namespace {

using NetworkClock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kConnectTime{5'000}, kDownloadTime{2'000};
/// Less says more of the way there and back than of how much goes through.
constexpr std::int64_t kLeastBytes = std::int64_t{1} << 20;
/// What a slow line must bring at least in kDownloadTime.
constexpr std::int64_t kLeastOfSlowLine = std::int64_t{1} << 16;

[[noreturn]] void throw_problem(const std::string& what) {
  throw Error(ErrorCode::network, "the network target " + what + "; look at --network-target and the network");
}

/// The words of an error may hold the address.
template <class Action>
auto without_address(const Action& action) {
  try {
    return action();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::network) throw;
    const bool said_why = error.native_code() && *error.native_code() > 0;
    throw_problem(said_why ? "gives no answer: " + std::generic_category().message(*error.native_code())
                           : "gives no whole answer in time");
  }
}

Verification counted(std::int64_t got, std::int64_t want) {
  return {"completed", "absolute", 1, got == want ? 0.0 : 1.0, 0, got == want};
}

class Connect final : public Operation {
 public:
  explicit Connect(const HttpCall& target)
      : addresses_(without_address(
            [&] { return resolve_host(target.url.host, target.url.port, NetworkClock::now() + kConnectTime); })) {}

  /// One connection, which counts for all: a server may limit how many it takes.
  std::int64_t run_timed_ns(std::int64_t iterations) override {
    const nanoseconds once = connect_once();
    ++done_;
    return once.count() * iterations;
  }

  /// A connection that was not opened has thrown.
  Verification verify() override { return counted(done_ > 0 ? 1 : 0, 1); }
  [[nodiscard]] double min_sample_ns() const override { return 0; }

 private:
  /// The first address that answers, from then on that one.
  nanoseconds connect_once() {
    int problem = 0;
    for (std::size_t tries = addresses_.size(); tries > 0; --tries) {
      const auto begin = NetworkClock::now();
      problem = try_connect(addresses_.front());
      if (problem == 0) return NetworkClock::now() - begin;
      std::rotate(addresses_.begin(), addresses_.begin() + 1, addresses_.end());
      if (problem == ETIMEDOUT) break;
    }
    throw_problem("takes no connection: " + std::generic_category().message(problem));
  }

  static int try_connect(const SocketAddress& address) {
    const FileDescriptor socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return errno;
    const auto* const name = reinterpret_cast<const sockaddr*>(&address.storage);
    if (::connect(socket.get(), name, address.size_bytes) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    pollfd waiting{socket.get(), POLLOUT, 0};
    if (::poll(&waiting, 1, static_cast<int>(kConnectTime.count())) <= 0) return ETIMEDOUT;
    int problem = 0;
    socklen_t size_bytes = sizeof problem;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &problem, &size_bytes) != 0) return errno;
    return problem;
  }

  std::vector<SocketAddress> addresses_;
  std::int64_t done_ = 0;
};

class Download final : public Operation {
 public:
  Download(HttpCall target, std::int64_t most_bytes) : target_(std::move(target)), most_bytes_(most_bytes) {
    target_.limits.connect_time = kConnectTime;
    target_.limits.total_time = kConnectTime + kDownloadTime;
  }

  /// The first run finds out how many bytes there are, or come in time. One that is cut off later counts for all of
  /// them at its own speed.
  std::int64_t run_timed_ns(std::int64_t iterations) override {
    double total_ns = 0;
    for (std::int64_t i = 0; i < iterations; ++i) {
      const HttpDownload got =
          without_address([&] { return http_download(target_, bytes_ > 0 ? bytes_ : most_bytes_, kDownloadTime); });
      check(got);
      if (bytes_ == 0) bytes_ = got.bytes;
      last_ = got;
      total_ns +=
          static_cast<double>(got.receiving.count()) * static_cast<double>(bytes_) / static_cast<double>(got.bytes);
    }
    return static_cast<std::int64_t>(total_ns);
  }

  /// What is in them is the server's business; that all came which were counted on is not.
  Verification verify() override { return counted(last_.out_of_time ? bytes_ : last_.bytes, bytes_); }
  [[nodiscard]] std::optional<OperationParams> performed() const override {
    return NetworkParams{NetworkKind::download, bytes_};
  }
  [[nodiscard]] double min_sample_ns() const override { return 0; }
  [[nodiscard]] std::string algorithm() const override {
    return fmt::format("{}, one connection{}", target_.url.https ? "https" : "http", target_.proxy ? ", proxy" : "");
  }

 private:
  void check(const HttpDownload& got) const {
    if (got.status < 200 || got.status > 299)
      throw_problem(fmt::format("answers HTTP {}, and redirects are not followed", got.status));
    if (got.bytes < (got.out_of_time ? kLeastOfSlowLine : kLeastBytes)) {
      throw_problem(fmt::format("sent {} bytes in {:.1f} s, too few to measure by: a file of 10 MB and more would do",
                                got.bytes, std::chrono::duration<double>(got.receiving).count()));
    }
    if (bytes_ > 0 && !got.out_of_time && got.bytes != bytes_) throw_problem("does not send the same length each time");
  }

  HttpCall target_;
  std::int64_t most_bytes_;
  std::int64_t bytes_ = 0;  ///< 0: not yet known
  HttpDownload last_;
};

}  // namespace

std::unique_ptr<Operation> prepare_network(const HttpCall& target, const NetworkParams& params) {
  if (params.kind == NetworkKind::download) return std::make_unique<Download>(target, params.bytes);
  if (target.proxy) throw Error(ErrorCode::unsupported, "through a proxy the connection to the target is not seen");
  return std::make_unique<Connect>(target);
}

}  // namespace gpuassay
