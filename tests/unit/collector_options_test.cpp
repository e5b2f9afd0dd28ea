#include "collector/options.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "core/error.h"

namespace gpuassay {
namespace {

CollectorCommand parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "gpuassay-collector");
  return parse_collector_options(static_cast<int>(arguments.size()), arguments.data());
}

std::string refusal_of(std::vector<const char*> arguments) {
  try {
    parse(std::move(arguments));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "accepted";
}

TEST(CollectorOptions, Export) {
  const auto options =
      std::get<ExportOptions>(parse({"export", "--parquet", "out", "--data-dir", "d", "--suppress-below", "5"}));
  EXPECT_EQ(options.target, "out");
  EXPECT_EQ(options.data_dir, "d");
  EXPECT_EQ(options.duckdb, "duckdb");
  EXPECT_EQ(options.suppress_below, 5);
  EXPECT_TRUE(std::holds_alternative<DataDictionaryOptions>(parse({"export", "--data-dictionary"})));
  EXPECT_NE(refusal_of({"export", "--data-dir", "d"}).find("--parquet"), std::string::npos);
  EXPECT_NE(refusal_of({"export", "--parquet", "out"}).find("--data-dir"), std::string::npos);
  EXPECT_NE(refusal_of({"export", "--parquet", "o", "--data-dir", "d", "--suppress-below", "-1"}).find("below"),
            std::string::npos);
}

TEST(CollectorOptions, RetractAndVerify) {
  const auto runs = std::get<RetractOptions>(parse({"retract", "--data-dir", "d", "one", "two"}));
  EXPECT_EQ(runs.run_ids, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(std::get<RetractOptions>(parse({"retract", "--data-dir", "d", "--key", "k"})).key, "k");
  EXPECT_NE(refusal_of({"retract", "--data-dir", "d"}).find("--key"), std::string::npos);
  EXPECT_NE(refusal_of({"retract", "--data-dir", "d", "--key", "k", "one"}).find("either"), std::string::npos);
  const auto verify =
      std::get<VerifyOptions>(parse({"verify", "--data-dir", "d", "--former-key", "a", "--former-key", "b"}));
  EXPECT_EQ(verify.former_keys, (std::vector<std::string>{"a", "b"}));
  EXPECT_NE(refusal_of({"verify", "--data-dir", "d", "--database", "mysql://secret"}).find("postgresql://"),
            std::string::npos);
}

TEST(CollectorOptions, VerifyOfALogNeedsNoStore) {
  const auto proofs = std::get<VerifyProofsOptions>(
      parse({"verify", "--checkpoint", "new", "--saved", "old", "--consistency", "between", "--receipt", "a",
             "--receipt", "b", "--inclusion", "c", "--inclusion", "d", "--former-key", "k"}));
  EXPECT_EQ(proofs.checkpoint + proofs.saved + proofs.consistency, "newoldbetween");
  EXPECT_EQ(proofs.receipts, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(proofs.inclusions, (std::vector<std::string>{"c", "d"}));
  EXPECT_EQ(proofs.former_keys, (std::vector<std::string>{"k"}));
  EXPECT_NE(refusal_of({"verify", "--checkpoint", "new", "--data-dir", "d"}).find("no --data-dir"), std::string::npos);
  for (const char* const without : {"--saved", "--consistency", "--receipt", "--inclusion"})
    EXPECT_NE(refusal_of({"verify", "--data-dir", "d", without, "x"}).find("--checkpoint"), std::string::npos);
}

TEST(CollectorOptions, Reassess) {
  EXPECT_EQ(std::get<ReassessOptions>(parse({"reassess", "--data-dir", "d"})).data_dir, "d");
  const auto elsewhere = std::get<ReassessOptions>(parse({"reassess", "--database", "postgresql://u@h/n"}));
  EXPECT_EQ(elsewhere.data_dir, "");
  EXPECT_EQ(elsewhere.database.url, "postgresql://u@h/n");
  EXPECT_NE(refusal_of({"reassess"}).find("--data-dir"), std::string::npos);
  EXPECT_NE(refusal_of({"reassess", "--database", "mysql://secret"}).find("postgresql://"), std::string::npos);
}

TEST(CollectorOptions, Serve) {
  const auto options = std::get<ServeOptions>(parse({"serve", "--listen", "127.0.0.1:0", "--data-dir", "d"}));
  EXPECT_EQ(options.host, "127.0.0.1");
  EXPECT_EQ(options.port, 0);
  EXPECT_EQ(options.data_dir, "d");
  EXPECT_FALSE(options.accept_simulated);
  const auto v6 =
      std::get<ServeOptions>(parse({"serve", "--accept-simulated", "--listen", "[::1]:8080", "--data-dir", "d"}));
  EXPECT_EQ(v6.host, "::1");
  EXPECT_EQ(v6.port, 8080);
  EXPECT_TRUE(v6.accept_simulated);
}

TEST(CollectorOptions, Server) {
  const std::vector<const char*> least{"serve", "--listen", "127.0.0.1:0", "--data-dir", "d"};
  const auto with = [&](std::initializer_list<const char*> more) {
    std::vector<const char*> arguments = least;
    arguments.insert(arguments.end(), more);
    return arguments;
  };
  const auto usual = std::get<ServeOptions>(parse(least));
  EXPECT_EQ(usual.limits.workers, 2U);
  EXPECT_EQ(usual.limits.connections_per_network, 256U);
  EXPECT_FALSE(usual.tls);
  EXPECT_TRUE(usual.trusted_proxies.empty());
  const auto chosen = std::get<ServeOptions>(parse(
      with({"--workers", "64", "--connections-per-network", "9", "--trusted-proxy", "192.0.2.1", "--trusted-proxy",
            "::1", "--tls-cert", "c.pem", "--tls-key", "k.pem", "--attestation-root", "r.pem"})));
  EXPECT_EQ(chosen.limits.workers, 64U);
  EXPECT_EQ(usual.database.connections, 7U);
  EXPECT_EQ(chosen.database.connections, 69U) << "no worker waits for another";
  EXPECT_EQ(std::get<ServeOptions>(parse(with({"--workers", "9", "--database-connections", "3"}))).database.connections,
            3U);
  EXPECT_EQ(usual.retention.simulated_days, std::nullopt);
  const auto kept = std::get<ServeOptions>(parse(with({"--keep-quarantined-days", "30", "--log-format", "json"})));
  EXPECT_EQ(kept.retention.quarantined_days, 30);
  EXPECT_EQ(kept.log_format, LogFormat::json);
  for (const char* days : {"0", "-1", "x", "99999999999"})
    EXPECT_THROW(parse(with({"--keep-simulated-days", days})), Error) << days;
  EXPECT_EQ(chosen.limits.connections_per_network, 9U);
  EXPECT_EQ(chosen.trusted_proxies, (std::vector<std::string>{"192.0.2.1", "::1"}));
  ASSERT_TRUE(chosen.tls);
  EXPECT_EQ(chosen.tls->certificate, "c.pem");
  EXPECT_EQ(chosen.tls->key, "k.pem");
  EXPECT_EQ(chosen.attestation_root, "r.pem");
  EXPECT_EQ(usual.attestation_root, std::nullopt);
  EXPECT_NE(refusal_of(with({"--tls-cert", "c.pem"})).find("--tls-key"), std::string::npos);
  EXPECT_NE(refusal_of(with({"--tls-key", "k.pem"})).find("--tls-cert"), std::string::npos);
  for (const char* const count : {"0", "65", "-1", "many"})
    EXPECT_NE(refusal_of(with({"--workers", count})), "accepted");
  EXPECT_NE(refusal_of(with({"--connections-per-network", "0"})), "accepted");
  EXPECT_NE(refusal_of(with({"--trusted-proxy", "proxy.example"})).find("proxy.example"), std::string::npos);
}

TEST(CollectorOptions, ImportPrices) {
  const auto options =
      std::get<ImportPricesOptions>(parse({"import-prices", "--format", "seed", "f.csv", "--data-dir", "d"}));
  EXPECT_EQ(options.file.path, "f.csv");
  EXPECT_EQ(options.file.format, "seed");
}

TEST(CollectorOptions, Database) {
  const auto file = std::get<ServeOptions>(parse({"serve", "--listen", "127.0.0.1:0", "--data-dir", "d"}));
  EXPECT_EQ(file.database.url, std::nullopt);
  EXPECT_EQ(file.database.connections, 7U);
  const auto serve = std::get<ServeOptions>(parse({"serve", "--listen", "127.0.0.1:0", "--data-dir", "d", "--database",
                                                   "postgresql://u:p@h/n", "--database-connections", "16"}));
  EXPECT_EQ(serve.database.url, "postgresql://u:p@h/n");
  EXPECT_EQ(serve.database.connections, 16U);
  ::setenv("GPUASSAY_DATABASE", "postgres://h/n", 1);
  const auto import =
      std::get<ImportPricesOptions>(parse({"import-prices", "--format", "seed", "f.csv", "--data-dir", "d"}));
  ::unsetenv("GPUASSAY_DATABASE");
  EXPECT_EQ(import.database.url, "postgres://h/n");
  const std::string refusal =
      refusal_of({"serve", "--listen", "127.0.0.1:0", "--data-dir", "d", "--database", "u:Secret1@h"});
  EXPECT_NE(refusal.find("postgresql://"), std::string::npos);
  EXPECT_EQ(refusal.find("Secret1"), std::string::npos);
  EXPECT_NE(refusal_of({"serve", "--listen", "127.0.0.1:0", "--data-dir", "d", "--database-connections", "0"}),
            "accepted");
}

TEST(CollectorOptions, HelpAndVersionAreText) {
  EXPECT_NE(std::get<ShowText>(parse({"--help"})).text.find("serve"), std::string::npos);
  EXPECT_NE(std::get<ShowText>(parse({"serve", "--help"})).text.find("--listen"), std::string::npos);
  EXPECT_EQ(std::get<ShowText>(parse({"--version"})).text.substr(0, 18), "gpuassay-collector");
}

TEST(CollectorOptions, EverythingElseIsAUsageError) {
  EXPECT_NE(refusal_of({}).find("no command"), std::string::npos);
  EXPECT_NE(refusal_of({"frob"}).find("frob"), std::string::npos);
  EXPECT_NE(refusal_of({"serve"}).find("--listen"), std::string::npos);
  EXPECT_NE(refusal_of({"serve", "--listen", "h:1", "--data-dir", "d", "--tls-cert", "f"}).find("--tls-cert"),
            std::string::npos);
  EXPECT_NE(refusal_of({"import-prices", "--format", "xml", "f", "--data-dir", "d"}).find("xml"), std::string::npos);
  for (const char* const listen :
       {"", "8080", "host", ":80", "host:", "host:x", "host:65536", "host:-1", "::1:80", "[]:80"})
    EXPECT_NE(refusal_of({"serve", "--listen", listen, "--data-dir", "d"}), "accepted") << listen;
}

}  // namespace
}  // namespace gpuassay
