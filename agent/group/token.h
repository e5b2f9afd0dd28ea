// Do rank 0 and a rank that connects know the same token? Both prove it before either believes the other, and neither
// sends it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "agent/group/line_socket.h"

namespace gpuassay {

inline constexpr const char* kTokenVariable = "GPUASSAY_GROUP_TOKEN";

/// What the two of one connection have said so far; empty before.
struct TokenExchange {
  std::string of_rank, of_lead;  ///< a nonce of each
};

/// Rank 0: whether the message opens an exchange.
bool opens_exchange(const nlohmann::json& message);

/// Rank 0: the answer to an opening, which proves that it knows `token`; empty for one that is none.
std::optional<nlohmann::json> answer_to_opening(const std::string& token, const nlohmann::json& opening,
                                                TokenExchange& exchange);

/// Rank 0: whether this hello comes from somebody who knows `token`, and as it is.
bool is_proven(const std::string& token, const nlohmann::json& hello, const TokenExchange& exchange);

/// Another rank: opens the exchange, waits until `deadline` for rank 0 to prove itself, and gives `hello` with the
/// proof. Throws Error{usage} where one of the two has another token or none, Error{network} where the line ends.
nlohmann::json proven_hello(LineSocket& line, const std::string& token, nlohmann::json hello, SteadyTime deadline);

}  // namespace gpuassay
