#include "collector/export/surrogates.h"

#include <fmt/format.h>

#include "core/error.h"

namespace gpuassay {
namespace {

std::optional<std::string> stored_secret(Database& database) {
  Statement query(database, "SELECT secret FROM surrogate_secret");
  if (!query.step()) return std::nullopt;
  return query.text(0);
}

/// Two exports that begin at once both take the one that was stored first.
KeyPair load_or_make(Database& database) {
  if (const auto secret = stored_secret(database)) return KeyPair::from_file_content(*secret);
  Statement insert(database, "INSERT INTO surrogate_secret (id, secret) VALUES (1, ?) ON CONFLICT (id) DO NOTHING");
  insert.bind(1, std::string_view(KeyPair::generate().file_content())).run();
  if (const auto secret = stored_secret(database)) return KeyPair::from_file_content(*secret);
  throw Error(ErrorCode::database, "the store did not keep the secret of the export's names; try again");
}

/// 128 bits: no two of a billion are the same by chance.
constexpr std::size_t kNameLength = 32;

std::string name(const KeyPair& secret, std::string_view kind, std::string_view month, std::string_view identifier) {
  return secret.identifier_hash(fmt::format("export {} {}", kind, month), identifier).substr(0, kNameLength);
}

}  // namespace

Surrogates::Surrogates(Database& database) : secret_(load_or_make(database)) {}

std::string Surrogates::contributor(std::string_view month, std::string_view machine) const {
  return name(secret_, "contributor", month, machine);
}
std::string Surrogates::host(std::string_view month, std::string_view machine, std::string_view instance) const {
  return name(secret_, "host", month, fmt::format("{}\n{}", machine, instance));
}
std::string Surrogates::gpu(std::string_view month, std::string_view machine, std::string_view uuid_hash) const {
  return name(secret_, "gpu", month, fmt::format("{}\n{}", machine, uuid_hash));
}
std::string Surrogates::shown(std::string_view month, std::string_view kind, std::string_view identifier) const {
  return secret_.identifier_hash(fmt::format("shown {} {}", kind, month), identifier);
}
std::string Surrogates::run(std::string_view run_id) const { return name(secret_, "run", "", run_id); }

}  // namespace gpuassay
