#include "core/receipt.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json_guard.h"

namespace gpuassay {
namespace {

constexpr std::string_view kKind = "gpuassay-receipt-v1";

std::string text_member(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Empty when `document` is a receipt whose signature verifies.
std::string problem_of(const nlohmann::json& document) {
  if (!document.is_object() || text_member(document, "kind") != kKind) return "the answer is not a receipt";
  const auto key = public_key_from_base64(text_member(document, "collector_key"));
  const auto signature = signature_from_base64(text_member(document, "signature"));
  if (!key || !signature) return "the receipt has no readable signature";
  nlohmann::json unsigned_part = document;
  unsigned_part.erase("signature");
  if (!verify_signature(*key, unsigned_part.dump(), *signature)) return "the receipt's signature does not verify";
  return {};
}

}  // namespace

std::string signed_receipt(std::string run_id, std::string_view body, std::string received_at,
                           const KeyPair& collector) {
  nlohmann::json receipt{{"kind", kKind},
                         {"run_id", std::move(run_id)},
                         {"body_sha256", sha256_hex(body)},
                         {"received_at", std::move(received_at)},
                         {"collector_key", base64(collector.public_key())}};
  receipt["signature"] = base64(collector.sign(receipt.dump()));
  return receipt.dump();
}

std::optional<Receipt> verified_receipt(std::string_view json, std::string_view run_id, std::string_view body,
                                        std::string& problem) {
  nlohmann::json document;
  try {
    document = parse_untrusted_json(json);
  } catch (const Error&) {
    problem = "the answer is not a receipt";
    return std::nullopt;
  }
  problem = problem_of(document);
  if (problem.empty() && text_member(document, "run_id") != run_id) problem = "the receipt is for another run";
  if (problem.empty() && text_member(document, "body_sha256") != sha256_hex(body))
    problem = "the receipt is for another body";
  if (!problem.empty()) return std::nullopt;
  return Receipt{text_member(document, "run_id"), text_member(document, "body_sha256"),
                 text_member(document, "received_at"), *public_key_from_base64(text_member(document, "collector_key"))};
}

}  // namespace gpuassay
