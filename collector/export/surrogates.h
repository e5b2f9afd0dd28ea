// What are a machine, its GPUs and its contributor called in the published dataset, so that nobody can follow them for
// long?
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/database.h"
#include "core/signature.h"

namespace gpuassay {

/// HMAC-SHA-256 under a secret of the store. The names of a month are the same in every export and in no other month;
/// who does not have the secret can neither compute nor link them.
class Surrogates {
 public:
  /// Reads the store's secret and makes it first where there is none; `database` must not be in a transaction.
  explicit Surrogates(Database& database);

  /// `month` is "2026-11", `machine` the key that signed the run; identifiers are the document's own hashes, which mean
  /// something only together with it.
  [[nodiscard]] std::string contributor(std::string_view month, std::string_view machine) const;
  [[nodiscard]] std::string host(std::string_view month, std::string_view machine, std::string_view instance) const;
  [[nodiscard]] std::string gpu(std::string_view month, std::string_view machine, std::string_view uuid_hash) const;
  /// Of an identifier in a document that is shown: 64 hexadecimal digits, as it had. `kind` is what it identifies. Not
  /// the name that exports have for it: who knows a run_id shall not find its row.
  [[nodiscard]] std::string shown(std::string_view month, std::string_view kind, std::string_view identifier) const;
  /// Of a run, for ever: its run_id tells the millisecond in which it began.
  [[nodiscard]] std::string run(std::string_view run_id) const;

 private:
  KeyPair secret_;
};

}  // namespace gpuassay
