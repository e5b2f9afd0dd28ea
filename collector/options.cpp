#include "collector/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <map>

#include "collector/client_address.h"
#include "core/build_info.h"
#include "core/error.h"
#include "core/price_formats.h"

namespace gpuassay {
namespace {

/// Splits "HOST:PORT" or "[IPV6]:PORT".
void parse_listen(const std::string& text, ServeOptions& options) {
  const std::size_t colon = text.rfind(':');
  std::string host = colon == std::string::npos ? std::string() : text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const char* const first = text.data() + (colon == std::string::npos ? text.size() : colon + 1);
  const char* const last = text.data() + text.size();
  const auto [end, problem] = std::from_chars(first, last, options.port);
  const bool plain_host = !host.empty() && (bracketed || host.find_first_of(":[]") == std::string::npos);
  if (!plain_host || problem != std::errc() || end != last)
    throw Error(ErrorCode::usage, fmt::format("--listen {} is not HOST:PORT; write for instance 127.0.0.1:8080", text));
  options.host = host;
}

void add_server_options(CLI::App& command, ServeOptions& serve, TlsFiles& tls) {
  auto* const certificate =
      command.add_option("--tls-cert", tls.certificate, "HTTPS with this certificate and its chain (PEM)")
          ->type_name("FILE");
  auto* const key = command.add_option("--tls-key", tls.key, "Its private key (PEM, no passphrase)")->type_name("FILE");
  certificate->needs(key);
  key->needs(certificate);
  command
      .add_option("--trusted-proxy", serve.trusted_proxies,
                  "Proxy whose last X-Forwarded-For entry is the client's address; repeatable")
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
  constexpr std::size_t kMostWorkers = 64;
  command
      .add_option("--workers", serve.limits.workers, "Threads that answer requests, each with a database connection")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, kMostWorkers));
  command
      .add_option("--connections-per-network", serve.limits.connections_per_network,
                  "Open at once from one /24 or /48; trusted proxies apart")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, serve.limits.connections));
}

void add_attestation_option(CLI::App& command, ServeOptions& serve) {
  command
      .add_option("--attestation-root", serve.attestation_root,
                  "Roots (PEM) by which the makers of devices certify them; without it no run is `attested`")
      ->type_name("FILE");
}

void add_log_options(CLI::App& command, ServeOptions& serve) {
  command.add_option("--log-format", serve.log_format, "Lines for people, or JSON objects")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, LogFormat>{{"text", LogFormat::text}, {"json", LogFormat::json}}))
      ->default_str("text")
      ->type_name("text|json");
  command.add_flag("--log-requests", serve.log_requests, "A line for each request: route, status, time; no address");
}

void add_retention_options(CLI::App& command, RetentionPolicy& retention) {
  constexpr std::int64_t kMostDays = 36'500;
  const auto days = [&](const char* name, std::optional<std::int64_t>& value, const char* help) {
    command.add_option(name, value, help)->type_name("DAYS")->check(CLI::Range(std::int64_t{1}, kMostDays));
  };
  days("--keep-simulated-days", retention.simulated_days, "Remove simulated runs after so long (else never)");
  days("--keep-quarantined-days", retention.quarantined_days, "Remove implausible runs after so long (else never)");
}

/// A name or a network would silently match nobody.
void require_proxy_addresses(const ServeOptions& serve) { (void)TrustedProxies(serve.trusted_proxies); }

void add_import_options(CLI::App& command, ImportPricesOptions& import) {
  command.add_option("--format", import.file.format, "Format of the file")
      ->required()
      ->check(CLI::IsMember(price_format_names()));
  command.add_option("FILE", import.file.path, "The price file")->required();
  command.add_option("--provider", import.file.provider, "Whose prices these are (gpuhunt, skypilot)");
  command.add_option("--as-of", import.file.as_of, "When they held, for formats whose files do not say");
  command.add_option("--rates", import.file.rates_path, "Exchange rates: date,currency,usd_per_unit,source");
}

}  // namespace

CollectorCommand parse_collector_options(int argc, const char* const* argv) {
  ServeOptions serve;
  TlsFiles tls;
  ImportPricesOptions import;
  std::string listen;
  CLI::App app("Collects gpuassay results and hourly prices.", "gpuassay-collector");
  app.set_version_flag("--version", fmt::format("gpuassay-collector {}", build_info().version));
  app.require_subcommand(0, 1);  // none is reported below, after an unknown one has been named

  CLI::App* const serve_command = app.add_subcommand("serve", "Accept results over HTTP until SIGTERM");
  serve_command->add_option("--listen", listen, "Address; port 0 takes a free one")->required()->type_name("HOST:PORT");
  serve_command->add_option("--data-dir", serve.data_dir, "Folder of database and key")->required()->type_name("DIR");
  serve_command->add_flag("--accept-simulated", serve.accept_simulated, "Take simulated results too (for tests)");

  add_server_options(*serve_command, serve, tls);
  add_attestation_option(*serve_command, serve);
  add_log_options(*serve_command, serve);
  add_retention_options(*serve_command, serve.retention);
  add_database_options(*serve_command, serve.database);
  const auto hourly = [&](const char* name, RateLimit& limit, const char* help) {
    serve_command->add_option(name, limit.per_hour, help)->capture_default_str()->check(CLI::NonNegativeNumber);
  };
  hourly("--uploads-per-hour-of-key", serve.per_key, "New runs that one key may send, on average; 0: no limit");
  hourly("--uploads-per-hour-of-network", serve.per_network, "Uploads of one /24 or /48, on average; 0: no limit");

  CLI::App* const import_command = app.add_subcommand("import-prices", "Load a price file into the database");
  add_import_options(*import_command, import);
  import_command->add_option("--data-dir", import.data_dir, "Folder of the database")->required()->type_name("DIR");
  add_database_options(*import_command, import.database);
  const DatasetOptions dataset(app);

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForVersion& version) {
    return ShowText{std::string(version.what()) + "\n"};
  } catch (const CLI::Success&) {  // --help, of the program or of a command
    const auto chosen = app.get_subcommands();
    return ShowText{chosen.empty() ? app.help() : chosen.front()->help()};
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorCode::usage, fmt::format("{}; see gpuassay-collector --help", error.what()));
  }
  if (app.get_subcommands().empty())
    throw Error(ErrorCode::usage,
                "no command given: serve, import-prices, export, retract, vouch, verify or reassess; see "
                "gpuassay-collector --help");
  if (auto command = dataset.chosen())
    return std::visit([](auto& chosen) { return CollectorCommand(std::move(chosen)); }, *command);
  require_postgres_url(import_command->parsed() ? import.database : serve.database);
  if (import_command->parsed()) return import;
  // The aggregates, what removes old runs, the public log, exports.
  const std::size_t beside_workers = 3 + serve.limits.long_replies;
  if (serve_command->count("--database-connections") == 0)
    serve.database.connections = serve.limits.workers + beside_workers;
  parse_listen(listen, serve);
  require_proxy_addresses(serve);
  if (serve_command->count("--tls-cert") > 0) serve.tls = tls;
  return serve;
}

}  // namespace gpuassay
