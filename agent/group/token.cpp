#include "agent/group/token.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/text_page.h"
#include "core/error.h"
#include "core/shared_secret.h"

namespace gpuassay {
namespace {

/// What each side's proof is about: neither can be sent back as the other.
constexpr std::string_view kOfLead = "gpuassay group: rank 0", kOfRank = "gpuassay group: another rank";

std::string text_of(const nlohmann::json& message) {
  return message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// The string of that name; empty where there is none of the right size.
std::string proof_in(const nlohmann::json& message, const char* name) {
  const auto found = message.find(name);
  if (found == message.end() || !found->is_string()) return {};
  std::string text = found->get<std::string>();
  return text.size() == kProofCharacters ? text : std::string();
}

std::string lead_proof(const std::string& token, const TokenExchange& exchange) {
  return proof_of(token, {kOfLead, exchange.of_rank, exchange.of_lead});
}

std::string rank_proof(const std::string& token, const TokenExchange& exchange, const nlohmann::json& hello) {
  return proof_of(token, {kOfRank, exchange.of_lead, exchange.of_rank, text_of(hello)});
}

nlohmann::json next_message(LineSocket& line, SteadyTime deadline) {
  while (!line.is_gone()) {
    if (auto message = line.receive()) return *message;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    constexpr std::int64_t kLongestMs = 60'000;
    pollfd waiting{line.fd(), POLLIN, 0};
    if (!line.is_gone()) ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left.count() + 1, kLongestMs)));
  }
  throw Error(
      ErrorCode::network,
      fmt::format("rank 0 did not answer the question for {}; is it running, with the same one?", kTokenVariable));
}

}  // namespace

bool opens_exchange(const nlohmann::json& message) { return message.is_object() && message.contains("nonce"); }

std::optional<nlohmann::json> answer_to_opening(const std::string& token, const nlohmann::json& opening,
                                                TokenExchange& exchange) {
  std::string nonce = proof_in(opening, "nonce");
  if (nonce.empty() || !exchange.of_rank.empty()) return std::nullopt;
  exchange = {std::move(nonce), new_nonce()};
  return nlohmann::json{{"challenge", exchange.of_lead}, {"proof", lead_proof(token, exchange)}};
}

bool is_proven(const std::string& token, const nlohmann::json& hello, const TokenExchange& exchange) {
  if (!hello.is_object() || exchange.of_rank.empty()) return false;
  nlohmann::json without = hello;
  without.erase("proof");
  return is_same_proof(proof_in(hello, "proof"), rank_proof(token, exchange, without));
}

nlohmann::json proven_hello(LineSocket& line, const std::string& token, nlohmann::json hello, SteadyTime deadline) {
  TokenExchange exchange{new_nonce(), {}};
  line.send({{"nonce", exchange.of_rank}});
  const nlohmann::json answer = next_message(line, deadline);
  if (answer.is_object() && answer.contains("refused") && answer.at("refused").is_string())
    throw Error(ErrorCode::usage, printable(answer.at("refused").get<std::string>()).substr(0, 250));
  exchange.of_lead = answer.is_object() ? proof_in(answer, "challenge") : std::string();
  if (exchange.of_lead.empty() || !is_same_proof(proof_in(answer, "proof"), lead_proof(token, exchange)))
    throw Error(ErrorCode::usage,
                fmt::format("what answers at the port of rank 0 has another {}; export the same one to all ranks",
                            kTokenVariable));
  hello["proof"] = rank_proof(token, exchange, hello);
  return hello;
}

}  // namespace gpuassay
