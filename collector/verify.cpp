#include "collector/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "collector/assessment.h"
#include "collector/log_entry.h"
#include "collector/run_query.h"
#include "core/error.h"
#include "core/key_file.h"
#include "core/receipt.h"
#include "core/score.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

using Differences = std::vector<std::string>;

void check_signature(const StoredRun& run, Differences& differences) {
  const auto key = public_key_from_base64(run.agent_key);
  const auto signature = signature_from_base64(run.signature.value_or(""));
  if (!key) differences.emplace_back("its key is none");
  if (!run.signature) return;
  if (!signature || (key && !verify_signature(*key, result_signing_message(run.body), *signature)))
    differences.emplace_back("the signature is not of this body by its key");
}

void check_receipt(const StoredRun& run, const std::vector<PublicKey>& keys, Differences& differences) {
  std::string problem;
  const auto receipt = verified_receipt(run.receipt, run.run_id, run.body, problem);
  if (!receipt) {
    differences.push_back(problem);
  } else if (std::find(keys.begin(), keys.end(), receipt->collector_key) == keys.end()) {
    differences.emplace_back("the receipt is signed by a key that is not this collector's (--former-key names others)");
  } else if (receipt->received_at != format_rfc3339_ms(run.received_at_ms)) {
    differences.push_back(fmt::format("received_at is {} in the receipt and {} in the store", receipt->received_at,
                                      format_rfc3339_ms(run.received_at_ms)));
  }
}

template <class T>
std::string shown(const T& value) {
  return fmt::format("{}", value);
}
template <class T>
std::string shown(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : "null";
}

/// What may differ without anybody's doing in a run whose score is of another version than this program's.
bool is_of_the_version(std::string_view column) {
  return column == "score_version" || column == "score" || column == "quarantine_reason";
}

/// True when the score is of another version than this program's.
bool check_columns(const StoredRun& run, Differences& differences) {
  StoredRun computed;
  try {
    computed = assessed(run);
  } catch (const Error& error) {
    differences.push_back(fmt::format("the body cannot be read: {}", error.what()));
    return false;
  }
  const bool is_of_another_version = run.score_version != computed.score_version;
  const auto compare = [&](const char* column, const auto& stored, const auto& now) {
    if (stored != now && !(is_of_another_version && is_of_the_version(column)))
      differences.push_back(
          fmt::format("{} is {} in the store, and {} follows from the body", column, shown(stored), shown(now)));
  };
  compare("run_id", run.run_id, computed.run_id);
  for_derived_columns(run, computed, compare);
  return is_of_another_version;
}

/// What the public log keeps of a run that is not retracted; both empty for one that has no place there yet.
struct StoredLeaf {
  std::optional<std::string> hash, salt;
};

void check_leaf(const StoredRun& run, const StoredLeaf& leaf, Differences& differences) {
  if (!leaf.hash) return;
  if (!leaf.salt)
    differences.emplace_back("the salt of its leaf in the public log is missing");
  else if (digest_bytes(log_leaf_hash(*leaf.salt, run.receipt)) != *leaf.hash)
    differences.emplace_back("its leaf in the public log is not that of its receipt");
}

void check_run(const StoredRun& run, bool has_body, const StoredLeaf& leaf, const std::vector<PublicKey>& keys,
               const std::function<void(std::string_view)>& say, VerifyReport& report) {
  Differences differences;
  if (!has_body) {
    differences.emplace_back("its body is missing");
  } else {
    if (sha256_hex(run.body) != run.body_sha256) differences.emplace_back("the body is not the one of its hash");
    check_signature(run, differences);
    check_receipt(run, keys, differences);
    check_leaf(run, leaf, differences);
    if (check_columns(run, differences)) ++report.of_another_version;
  }
  for (const std::string& difference : differences) say(fmt::format("{}: {}", run.run_id, difference));
  if (!differences.empty()) ++report.differing;
}

std::size_t count(Database& database, const std::string& what) {
  Statement query(database, "SELECT COUNT(*) FROM " + what);
  query.step();
  return static_cast<std::size_t>(query.integer(0));
}

/// What no run explains. The number of such rows.
std::size_t check_rests(Database& database, const std::function<void(std::string_view)>& say) {
  const std::size_t bodies = count(
      database,
      "run_body LEFT JOIN run ON run.run_id = run_body.run_id WHERE run.run_id IS NULL OR retracted_at_ms IS NOT NULL");
  const std::size_t rests =
      count(database,
            "run WHERE retracted_at_ms IS NOT NULL AND (agent_key <> '' OR body_sha256 <> '' OR score IS NOT NULL)");
  const std::size_t salts = count(
      database,
      "log_entry LEFT JOIN run ON run.run_id = log_entry.run_id WHERE salt IS NOT NULL AND (run.run_id IS NULL OR "
      "retracted_at_ms IS NOT NULL)");
  const std::size_t keys = count(database,
                                 "run LEFT JOIN signing_key ON signing_key.agent_key = run.agent_key WHERE "
                                 "retracted_at_ms IS NULL AND signing_key.agent_key IS NULL");
  if (bodies > 0) say(fmt::format("{} bodies are stored of runs that are retracted or not there", bodies));
  if (rests > 0) say(fmt::format("{} retracted runs still say something", rests));
  if (salts > 0)
    say(fmt::format("{} salts of the public log are stored of runs that are retracted or not there", salts));
  if (keys > 0) say(fmt::format("{} runs are signed by keys that are not listed", keys));
  return bodies + rests + salts + keys;
}

}  // namespace

VerifyReport verify_store(ConnectionPool& pool, const std::vector<PublicKey>& collector_keys,
                          const std::function<void(std::string_view)>& say) {
  const ConnectionPool::Lease lease = pool.take(ConnectionPool::Access::read);
  const Transaction snapshot(*lease, TransactionKind::snapshot);
  VerifyReport report;
  report.retracted = count(*lease, "run WHERE retracted_at_ms IS NOT NULL");
  report.differing = check_rests(*lease, say);
  report.log = check_public_log(*lease, collector_keys, say);
  report.differing += report.log.differing;
  RunFilter all;
  all.with_simulated = all.with_quarantined = true;
  Statement query(
      *lease,
      fmt::format(
          "SELECT sorted.*, run_body.body, run_body.receipt, run_body.signature, "
          "log_entry.leaf_hash, log_entry.salt, log_entry.leaf_index FROM (SELECT {}, body_sha256 {} ORDER BY run_id "
          "LIMIT {}) AS sorted LEFT JOIN run_body ON run_body.run_id = sorted.run_id "
          "LEFT JOIN log_entry ON log_entry.run_id = sorted.run_id",
          kRunColumns, from_where(all), INT64_MAX));
  while (query.step()) {
    StoredRun run;
    int column = read_columns(query, run);
    run.body_sha256 = query.text(column++);
    const bool has_body = !query.is_null(column);
    run.body = query.text(column++);
    run.receipt = query.text(column++);
    run.signature = query.optional_text(column++);
    const StoredLeaf leaf{query.optional_text(column), query.optional_text(column + 1)};
    ++report.runs;
    if (query.is_null(column + 2)) ++report.without_leaf;
    if (!run.signature) ++report.without_signature;
    check_run(run, has_body, leaf, collector_keys, say, report);
  }
  return report;
}

std::string describe(const VerifyReport& report) {
  const char* const all = report.of_another_version == 0 ? "all as they must be" : "all else as it must be";
  std::string of_another_version;
  if (report.of_another_version > 0)
    of_another_version =
        fmt::format("{} have a score of another version than {}, which `gpuassay-collector reassess` computes anew; ",
                    report.of_another_version, kScoreVersion);
  return fmt::format(
      "{} runs checked, {} retracted, {} without a stored signature; public log: {} leaves, {} checkpoints, {} runs "
      "wait for their leaf; {}{}\n",
      report.runs, report.retracted, report.without_signature, report.log.leaves, report.log.checkpoints,
      report.without_leaf, of_another_version,
      report.differing == 0 ? all : fmt::format("{} differ", report.differing));
}

std::vector<PublicKey> receipt_keys(const VerifyOptions& options) {
  const std::string path = (std::filesystem::path(options.data_dir) / "key").string();
  // Looking must not make one.
  if (!std::filesystem::exists(path))
    throw Error(ErrorCode::unreadable_input,
                fmt::format("there is no key {}; name the data directory that `serve` uses", path));
  std::vector<PublicKey> keys{load_or_create_key(path).public_key()};
  for (const std::string& text : options.former_keys) {
    const auto key = public_key_from_base64(text);
    if (!key)
      throw Error(ErrorCode::usage, fmt::format("--former-key {} is no key; write it as receipts do, in base64", text));
    keys.push_back(*key);
  }
  return keys;
}

}  // namespace gpuassay
