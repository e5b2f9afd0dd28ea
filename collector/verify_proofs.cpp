#include "collector/verify_proofs.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "collector/durable_file.h"
#include "collector/log_entry.h"
#include "core/error.h"
#include "core/json_guard.h"
#include "core/receipt.h"

namespace gpuassay {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 10U;  // of a proof: 64 hashes of a tree of any size take 5 KiB
constexpr std::size_t kSaltInHex = 2 * kLogSaltBytes;

std::string content_of(const std::string& path) {
  auto content = read_small_file(path, kMostBytes);
  if (!content) throw Error(ErrorCode::unreadable_input, fmt::format("there is no file {}; check its name", path));
  return *std::move(content);
}

/// A proof as the collector wrote it. Hostile: whatever is missing or of another type is empty.
class Proof {
 public:
  explicit Proof(const std::string& path) {
    try {
      document_ = parse_untrusted_json(content_of(path));
    } catch (const Error& error) {
      throw Error(ErrorCode::unreadable_input, fmt::format("{} is no proof: {}", path, error.what()));
    }
  }

  [[nodiscard]] std::string text(const char* name) const {
    const auto found = document_.is_object() ? document_.find(name) : document_.end();
    return found != document_.end() && found->is_string() ? found->get<std::string>() : std::string();
  }
  [[nodiscard]] std::optional<std::uint64_t> number(const char* name) const {
    const auto found = document_.is_object() ? document_.find(name) : document_.end();
    if (found == document_.end() || !found->is_number_unsigned()) return std::nullopt;
    return found->get<std::uint64_t>();
  }
  /// Empty when any of them is no hash.
  [[nodiscard]] std::optional<std::vector<Digest>> hashes(const char* name) const {
    const auto found = document_.is_object() ? document_.find(name) : document_.end();
    if (found == document_.end() || !found->is_array()) return std::nullopt;
    std::vector<Digest> digests;
    digests.reserve(found->size());
    for (const nlohmann::json& item : *found) {
      const auto digest = item.is_string() ? digest_from_hex(item.get<std::string>()) : std::nullopt;
      if (!digest) return std::nullopt;
      digests.push_back(*digest);
    }
    return digests;
  }
  /// What a problem document says, for one that the collector gave in place of a proof.
  [[nodiscard]] std::string refusal() const { return text("detail"); }

 private:
  nlohmann::json document_;
};

std::vector<PublicKey> keys_of(const std::vector<std::string>& texts) {
  std::vector<PublicKey> keys;
  keys.reserve(texts.size());
  for (const std::string& text : texts) {
    const auto key = public_key_from_base64(text);
    if (!key)
      throw Error(ErrorCode::usage, fmt::format("--former-key {} is no key; write it as receipts do, in base64", text));
    keys.push_back(*key);
  }
  return keys;
}

/// For a terminal, whatever a collector wrote.
std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 200;
  std::string clean(text.substr(0, kLongest));
  std::replace_if(clean.begin(), clean.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return clean;
}

/// The 32 bytes; empty for any other text.
std::string salt_of(std::string_view text) {
  const auto salt = text.size() == kSaltInHex ? digest_from_hex(text) : std::nullopt;
  return salt ? std::string(digest_bytes(*salt)) : std::string();
}

class ProofCheck {
 public:
  ProofCheck(const VerifyProofsOptions& options, const std::function<void(std::string_view)>& say)
      : options_(options), say_(say), former_keys_(keys_of(options.former_keys)) {}

  ProofsReport run() {
    const std::string text = content_of(options_.checkpoint);
    std::string problem;
    const auto newest = verified_checkpoint(text, problem);
    if (!newest) {
      wrong(fmt::format("{}: {}", options_.checkpoint, problem));
      return report_;
    }
    newest_ = *newest;
    say_(fmt::format("checkpoint: {} leaves at {}, signed by {}", newest_.tree_size, printable(newest_.made_at),
                     base64(newest_.collector_key)));
    if (!options_.saved.empty()) check_saved();
    check_receipts();
    if (report_.problems == 0 && !options_.saved.empty()) replace_file(options_.saved, text);
    return report_;
  }

 private:
  void wrong(const std::string& line) {
    say_("PROBLEM " + line);
    ++report_.problems;
  }

  [[nodiscard]] bool is_known(const PublicKey& key) const {
    return key == newest_.collector_key ||
           std::find(former_keys_.begin(), former_keys_.end(), key) != former_keys_.end();
  }

  void check_saved() {
    const auto text = read_small_file(options_.saved, kMostBytes);
    if (!text) {
      say_(
          fmt::format("first use: nothing was saved before, so this key and this log are taken as they are; kept in {}",
                      options_.saved));
      return;
    }
    std::string problem;
    const auto saved = verified_checkpoint(*text, problem);
    if (!saved)
      throw Error(ErrorCode::unreadable_input,
                  fmt::format("{}: {}; name the file that was saved the last time", options_.saved, problem));
    if (!is_known(saved->collector_key))
      return wrong(
          fmt::format("the saved checkpoint was signed by another key, {}; name it with --former-key if the "
                      "collector says that it changed its key",
                      base64(saved->collector_key)));
    compare_with(*saved);
  }

  void compare_with(const Checkpoint& saved) {
    if (saved.tree_size > newest_.tree_size)
      return wrong(fmt::format("the log had {} leaves at {} and has {} now: it lost some", saved.tree_size,
                               printable(saved.made_at), newest_.tree_size));
    std::vector<Digest> hashes;
    if (saved.tree_size != 0 && saved.tree_size != newest_.tree_size) hashes = consistency_from(saved.tree_size);
    if (!merkle_is_consistent(saved.tree_size, saved.root_hash, newest_.tree_size, newest_.root_hash, hashes))
      return wrong(fmt::format("the first {} leaves are not those of {}: the log was rewritten, or its proof is none",
                               saved.tree_size, printable(saved.made_at)));
    say_(fmt::format("consistent: it begins with the {} leaves of {}", saved.tree_size, printable(saved.made_at)));
  }

  std::vector<Digest> consistency_from(std::uint64_t from) {
    if (options_.consistency.empty())
      throw Error(ErrorCode::usage,
                  fmt::format("--consistency FILE is needed, with what GET /v1/log/consistency?from={}&to={} gives",
                              from, newest_.tree_size));
    const Proof proof(options_.consistency);
    if (!proof.refusal().empty()) say_(fmt::format("the collector gave no proof: {}", printable(proof.refusal())));
    // An empty proof proves nothing of these sizes.
    return proof.hashes("proof").value_or(std::vector<Digest>());
  }

  void check_receipts() {
    for (std::size_t place = 0; place < options_.receipts.size(); ++place) {
      const std::string& path = options_.receipts[place];
      const std::string text = content_of(path);
      std::string problem;
      const auto receipt = genuine_receipt(text, problem);
      if (!receipt) {
        wrong(fmt::format("{}: {}", path, problem));
        continue;
      }
      const std::string run_id = printable(receipt->run_id);
      if (!is_known(receipt->collector_key)) {
        wrong(fmt::format("{}: the receipt is signed by another key than the log", run_id));
      } else if (place >= options_.inclusions.size()) {
        throw Error(ErrorCode::usage,
                    fmt::format("--inclusion FILE is needed for each --receipt, in the same order: for {} what "
                                "GET /v1/log/inclusion?run_id={}&size={} gives",
                                run_id, run_id, newest_.tree_size));
      } else {
        check_inclusion(run_id, text, Proof(options_.inclusions[place]));
      }
    }
  }

  void check_inclusion(const std::string& run_id, std::string_view receipt, const Proof& proof) {
    const auto index = proof.number("leaf_index");
    const auto path = proof.hashes("path");
    const std::string salt = salt_of(proof.text("salt"));
    if (!proof.refusal().empty()) say_(fmt::format("the collector gave no proof: {}", printable(proof.refusal())));
    if (!index || !path || salt.empty()) return wrong(fmt::format("{}: its proof is none", run_id));
    if (!merkle_is_included(log_leaf_hash(salt, receipt), *index, newest_.tree_size, *path, newest_.root_hash))
      return wrong(fmt::format("{}: the proof does not lead from this receipt to the checkpoint of {} leaves", run_id,
                               newest_.tree_size));
    say_(fmt::format("included: {} is leaf {}", run_id, *index));
  }

  const VerifyProofsOptions& options_;
  const std::function<void(std::string_view)>& say_;
  std::vector<PublicKey> former_keys_;
  ProofsReport report_;
  Checkpoint newest_;
};

}  // namespace

ProofsReport verify_proofs(const VerifyProofsOptions& options, const std::function<void(std::string_view)>& say) {
  return ProofCheck(options, say).run();
}

}  // namespace gpuassay
