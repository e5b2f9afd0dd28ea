#include "core/receipt.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json_guard.h"

namespace gpuassay {
namespace {

std::string text_member(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// A statement of one kind by a collector: how both programs name it in a sentence, the member that holds what it is
/// about, and what that is. Without such a member it is about the collector itself.
struct StatementKind {
  std::string_view kind, name;
  const char* subject_member;
  std::string_view subject;
};
constexpr StatementKind kReceipt{"gpuassay-receipt-v1", "receipt", "run_id", "run"};
constexpr StatementKind kTombstone{"gpuassay-tombstone-v1", "proof of deletion", "run_id", "run"};
constexpr StatementKind kKeyRevocation{"gpuassay-key-revocation-v1", "confirmation", "key", "key"};
constexpr StatementKind kCheckpoint{"gpuassay-checkpoint-v1", "checkpoint", nullptr, {}};
constexpr StatementKind kAnyReceipt{kReceipt.kind, kReceipt.name, nullptr, {}};

std::string signed_statement(nlohmann::json statement, const KeyPair& collector) {
  statement["collector_key"] = base64(collector.public_key());
  statement["signature"] = base64(collector.sign(statement.dump()));
  return statement.dump();
}

/// Empty when `document` is a statement of this kind about `subject` whose signature verifies.
std::string problem_of(const nlohmann::json& document, const StatementKind& expected, std::string_view subject) {
  if (!document.is_object() || text_member(document, "kind") != expected.kind)
    return fmt::format("the answer is not a {}", expected.name);
  const auto key = public_key_from_base64(text_member(document, "collector_key"));
  const auto signature = signature_from_base64(text_member(document, "signature"));
  if (!key || !signature) return fmt::format("the {} has no readable signature", expected.name);
  nlohmann::json unsigned_part = document;
  unsigned_part.erase("signature");
  if (!verify_signature(*key, unsigned_part.dump(), *signature))
    return fmt::format("the {}'s signature does not verify", expected.name);
  if (expected.subject_member != nullptr && text_member(document, expected.subject_member) != subject)
    return fmt::format("the {} is for another {}", expected.name, expected.subject);
  return {};
}

/// The statement in `text`; null with the reason in `problem` when it is not a genuine one about `subject`.
nlohmann::json verified_statement(std::string_view text, const StatementKind& expected, std::string_view subject,
                                  std::string& problem) {
  nlohmann::json document;
  try {
    document = parse_untrusted_json(text);
  } catch (const Error&) {
    problem = fmt::format("the answer is not a {}", expected.name);
    return nullptr;
  }
  problem = problem_of(document, expected, subject);
  return problem.empty() ? document : nlohmann::json(nullptr);
}

Receipt receipt_of(const nlohmann::json& document) {
  return Receipt{text_member(document, "run_id"), text_member(document, "body_sha256"),
                 text_member(document, "received_at"), *public_key_from_base64(text_member(document, "collector_key"))};
}

}  // namespace

std::string signed_receipt(std::string run_id, std::string_view body, std::string received_at,
                           const KeyPair& collector) {
  return signed_receipt_of_hash(std::move(run_id), sha256_hex(body), std::move(received_at), collector);
}

std::string signed_receipt_of_hash(std::string run_id, std::string body_sha256, std::string received_at,
                                   const KeyPair& collector) {
  return signed_statement({{"kind", kReceipt.kind},
                           {"run_id", std::move(run_id)},
                           {"body_sha256", std::move(body_sha256)},
                           {"received_at", std::move(received_at)}},
                          collector);
}

std::optional<Receipt> verified_receipt(std::string_view json, std::string_view run_id, std::string_view body,
                                        std::string& problem) {
  const nlohmann::json document = verified_statement(json, kReceipt, run_id, problem);
  if (problem.empty() && text_member(document, "body_sha256") != sha256_hex(body))
    problem = "the receipt is for another body";
  if (!problem.empty()) return std::nullopt;
  return receipt_of(document);
}

std::optional<Receipt> genuine_receipt(std::string_view json, std::string& problem) {
  const nlohmann::json document = verified_statement(json, kAnyReceipt, {}, problem);
  if (!problem.empty()) return std::nullopt;
  return receipt_of(document);
}

std::string signed_tombstone(std::string run_id, std::string deleted_at, const KeyPair& collector) {
  return signed_statement(
      {{"kind", kTombstone.kind}, {"run_id", std::move(run_id)}, {"deleted_at", std::move(deleted_at)}}, collector);
}

std::optional<Tombstone> verified_tombstone(std::string_view json, std::string_view run_id, std::string& problem) {
  const nlohmann::json document = verified_statement(json, kTombstone, run_id, problem);
  if (!problem.empty()) return std::nullopt;
  return Tombstone{text_member(document, "run_id"), text_member(document, "deleted_at"),
                   *public_key_from_base64(text_member(document, "collector_key"))};
}

std::string signed_key_revocation(const PublicKey& key, const std::optional<PublicKey>& replaced_by,
                                  std::string revoked_at, const KeyPair& collector) {
  nlohmann::json statement{{"kind", kKeyRevocation.kind}, {"key", base64(key)}, {"revoked_at", std::move(revoked_at)}};
  statement["replaced_by"] = replaced_by ? nlohmann::json(base64(*replaced_by)) : nlohmann::json(nullptr);
  return signed_statement(std::move(statement), collector);
}

std::optional<KeyRevocation> verified_key_revocation(std::string_view json, const PublicKey& key,
                                                     const std::optional<PublicKey>& replaced_by,
                                                     std::string& problem) {
  const nlohmann::json document = verified_statement(json, kKeyRevocation, base64(key), problem);
  if (problem.empty() && text_member(document, "replaced_by") != (replaced_by ? base64(*replaced_by) : ""))
    problem = "the confirmation names another new key";
  if (!problem.empty()) return std::nullopt;
  return KeyRevocation{key, replaced_by, text_member(document, "revoked_at"),
                       *public_key_from_base64(text_member(document, "collector_key"))};
}

std::string signed_checkpoint(const Checkpoint& checkpoint, const KeyPair& collector) {
  return signed_statement({{"kind", kCheckpoint.kind},
                           {"tree_size", checkpoint.tree_size},
                           {"root_hash", hex(checkpoint.root_hash)},
                           {"made_at", checkpoint.made_at}},
                          collector);
}

std::optional<Checkpoint> verified_checkpoint(std::string_view json, std::string& problem) {
  const nlohmann::json document = verified_statement(json, kCheckpoint, {}, problem);
  if (!problem.empty()) return std::nullopt;
  const auto size = document.find("tree_size");
  const auto root = digest_from_hex(text_member(document, "root_hash"));
  if (size == document.end() || !size->is_number_unsigned() || !root) {
    problem = "the checkpoint names no tree";
    return std::nullopt;
  }
  return Checkpoint{size->get<std::uint64_t>(), *root, text_member(document, "made_at"),
                    *public_key_from_base64(text_member(document, "collector_key"))};
}

}  // namespace gpuassay
