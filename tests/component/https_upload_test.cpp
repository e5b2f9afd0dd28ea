// The agent's HTTP client and the collector's server over TLS: neither is a fake here.
#include <gtest/gtest.h>

#include <fstream>

#include "agent/http_client.h"
#include "core/error.h"
#include "tests/support/running_collector.h"
#include "tests/support/scratch_root.h"
#include "tests/support/tls_server.h"

namespace gpuassay {
namespace {

TEST(HttpsUpload, TheAgentTalksToACollectorWhoseAuthorityItKnows) {
  const test::ScratchRoot folder;
  ServeOptions options;
  options.tls = TlsFiles{(folder.path() / "cert.pem").string(), (folder.path() / "key.pem").string()};
  const auto identity = test::make_identity("localhost");
  std::ofstream(options.tls->certificate) << identity.certificate;
  std::ofstream(options.tls->key) << identity.key;
  const std::string certificate = options.tls->certificate;
  test::RunningCollector collector(std::move(options));
  HttpCall call;
  call.url = parse_url("https://localhost:" + std::to_string(collector.port()));
  call.ca_bundles = {certificate};
  call.method = "GET";
  call.target = "/healthz";
  const HttpAnswer answer = http_exchange(call);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "ok\n");
  call.url = parse_url("https://127.0.0.1:" + std::to_string(collector.port()));  // not in the certificate
  EXPECT_THROW(http_exchange(call), Error);
}

}  // namespace
}  // namespace gpuassay
