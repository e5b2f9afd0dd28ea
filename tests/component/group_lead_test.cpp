// Rank 0 and the ranks that connect, over loopback: who is taken, and how they are grouped into machines.
#include "agent/group/group_lead.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "agent/group/token.h"
#include "core/error.h"
#include "core/shared_secret.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

using Clock = std::chrono::steady_clock;
const std::string kToken = "0123456789abcdef-the-secret-of-this-launch";

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

Launch launch_of(int ranks, const std::string& token) {
  Launch launch;
  launch.launcher = "torchrun";
  launch.ranks = ranks;
  launch.host = "127.0.0.1";
  launch.port = free_port();
  launch.token = token;
  return launch;
}

Hello hello_from(int rank, int ranks, const std::string& machine) {
  const Result example = test::example_result();
  Hello hello;
  hello.rank = rank;
  hello.ranks = ranks;
  hello.version = "1";
  hello.commit = "c";
  hello.machine = machine;
  hello.host = example.host;
  hello.host.cpu_model = "CPU of " + machine;
  hello.host.effective_cpus = 1.1;  // no exact binary number
  hello.device = example.devices.at(0);
  return hello;
}

SteadyTime soon() { return Clock::now() + std::chrono::seconds(20); }

/// Rank 0 of one launch, and threads that are the others.
class Gathering {
 public:
  Gathering(int ranks, std::string token) : launch_(launch_of(ranks, token)), lead_(launch_) {}

  void start(const Hello& hello, const std::string& token) {
    others_.emplace_back([this, hello, token] {
      LineSocket line(connect_to(launch_.host, launch_.port, soon()));
      nlohmann::json message = to_json(hello);
      if (!token.empty()) message = proven_hello(line, token, std::move(message), soon());
      line.send(message);
      while (!line.is_gone() && !is_over_) {
        if (const auto answer = line.receive()) answers_ += answer->dump();
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    });
  }
  void gather(const std::string& machine, std::chrono::milliseconds limit) {
    lead_.gather(hello_from(0, launch_.ranks, machine), Clock::now() + limit, 1,
                 [this](const std::string& line) { warnings_.push_back(line); });
    is_over_ = true;
    for (std::thread& each : others_) each.join();
  }

  [[nodiscard]] const Launch& launch() const { return launch_; }
  [[nodiscard]] std::vector<Node> nodes() const { return lead_.nodes(); }
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  [[nodiscard]] const std::string& answers() const { return answers_; }

 private:
  Launch launch_;
  GroupLead lead_;
  std::vector<std::thread> others_;
  std::vector<std::string> warnings_;
  std::string answers_;  ///< of a single other rank
  std::atomic<bool> is_over_ = false;
};

std::vector<std::vector<int>> ranks_of(const std::vector<Node>& nodes) {
  std::vector<std::vector<int>> ranks;
  for (const Node& node : nodes) {
    std::vector<int>& of_node = ranks.emplace_back();
    for (const NodeRank& rank : node.ranks) of_node.push_back(rank.rank);
  }
  return ranks;
}

TEST(GroupLead, RanksOfOneMachineAreOneNode) {
  Gathering group(5, "");
  for (const auto& [rank, machine] : {std::pair{3, "b"}, std::pair{1, "b"}, std::pair{4, "c"}, std::pair{2, "a"}})
    group.start(hello_from(rank, 5, machine), "");
  group.gather("a", std::chrono::seconds(20));
  EXPECT_EQ(ranks_of(group.nodes()), (std::vector<std::vector<int>>{{0, 2}, {1, 3}, {4}}));
  EXPECT_EQ(group.nodes().at(1).host.cpu_model, "CPU of b");
  EXPECT_EQ(group.nodes().at(2).host.cpu_model, "CPU of c");
}

TEST(GroupLead, WhoKnowsTheTokenIsTaken) {
  Gathering group(3, kToken);
  for (const int rank : {1, 2}) group.start(hello_from(rank, 3, "b"), kToken);
  group.gather("a", std::chrono::seconds(20));
  EXPECT_EQ(ranks_of(group.nodes()), (std::vector<std::vector<int>>{{0}, {1, 2}}));
  EXPECT_TRUE(group.warnings().empty());
}

TEST(GroupLead, WhoHasNoTokenIsRefusedInOneLineAndEndsNothing) {
  Gathering group(2, kToken);
  group.start(hello_from(1, 2, "b"), "");
  group.gather("a", std::chrono::milliseconds(600));
  EXPECT_EQ(ranks_of(group.nodes()), (std::vector<std::vector<int>>{{0}}));
  ASSERT_EQ(group.warnings().size(), 1U);
  EXPECT_EQ(group.warnings()[0],
            "a rank has no GPUASSAY_GROUP_TOKEN or another than rank 0; export the same one to all ranks");
  EXPECT_NE(group.answers().find("refused"), std::string::npos);
}

/// Everything that a line carries, as one on the way would read it.
struct Tapped {
  LineSocket rank, lead;
  Tapped() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    rank = LineSocket(FileDescriptor(ends[0]));
    lead = LineSocket(FileDescriptor(ends[1]));
  }
  nlohmann::json next() {
    const SteadyTime until = soon();
    while (Clock::now() < until) {
      if (const auto message = lead.receive()) return *message;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ADD_FAILURE() << "nothing came";
    return {};
  }
};

/// What became of the rank: "" when it sent its hello, else its error.
struct Outcome {
  std::string error;
  std::vector<nlohmann::json> said;
  bool proven = false;
};

Outcome talk(
    const std::string& of_rank, const std::string& of_lead,
    const std::function<void(nlohmann::json&)>& on_the_way = [](nlohmann::json&) {}) {
  Tapped tapped;
  Outcome outcome;
  std::thread rank([&] {
    try {
      tapped.rank.send(proven_hello(tapped.rank, of_rank, to_json(hello_from(1, 2, "b")), soon()));
    } catch (const Error& error) {
      outcome.error = error.what();
      tapped.rank.close();
    }
  });
  TokenExchange lead;
  outcome.said.push_back(tapped.next());
  EXPECT_TRUE(opens_exchange(outcome.said.back()));
  if (const auto answer = answer_to_opening(of_lead, outcome.said.back(), lead)) {
    outcome.said.push_back(*answer);
    tapped.lead.send(*answer);
  }
  if (of_rank == of_lead) {
    nlohmann::json hello = tapped.next();
    outcome.said.push_back(hello);
    on_the_way(hello);
    outcome.proven = is_proven(of_lead, hello, lead);
  }
  rank.join();
  return outcome;
}

TEST(GroupToken, IsProvenBothWaysAndNeverSent) {
  const Outcome outcome = talk(kToken, kToken);
  EXPECT_TRUE(outcome.proven);
  EXPECT_EQ(outcome.error, "");
  ASSERT_EQ(outcome.said.size(), 3U);
  for (const nlohmann::json& message : outcome.said) EXPECT_EQ(message.dump().find(kToken), std::string::npos);
  EXPECT_NE(talk(kToken, kToken).said[2].at("proof"), outcome.said[2].at("proof")) << "proofs cannot be used again";
}

TEST(GroupToken, ALeadWithAnotherTokenIsNotObeyed) {
  const Outcome outcome = talk(kToken, kToken + "x");
  EXPECT_EQ(outcome.error,
            "what answers at the port of rank 0 has another GPUASSAY_GROUP_TOKEN; export the same one to all ranks");
  EXPECT_EQ(outcome.said.size(), 2U) << "it did not say who it is";
}

TEST(GroupToken, AHelloThatWasChangedOnTheWayIsNotProven) {
  EXPECT_FALSE(talk(kToken, kToken, [](nlohmann::json& hello) { hello["rank"] = 3; }).proven);
  EXPECT_FALSE(talk(kToken, kToken, [](nlohmann::json& hello) { hello.erase("proof"); }).proven);
  EXPECT_FALSE(talk(kToken, kToken, [](nlohmann::json& hello) { hello["proof"] = 7; }).proven);
  EXPECT_FALSE(talk(kToken, kToken, [](nlohmann::json& hello) { hello = nlohmann::json::array(); }).proven);
}

TEST(GroupToken, OpeningsThatAreNoneAreNotAnswered) {
  for (const nlohmann::json& opening :
       {nlohmann::json{{"nonce", 1}}, nlohmann::json{{"nonce", "short"}},
        nlohmann::json{{"nonce", std::string(65, 'a')}}, nlohmann::json::array(), nlohmann::json()}) {
    TokenExchange lead;
    EXPECT_FALSE(answer_to_opening(kToken, opening, lead)) << opening;
    EXPECT_FALSE(is_proven(kToken, opening, lead));
  }
  TokenExchange once;
  EXPECT_TRUE(answer_to_opening(kToken, {{"nonce", new_nonce()}}, once));
  EXPECT_FALSE(answer_to_opening(kToken, {{"nonce", new_nonce()}}, once)) << "a second challenge on one line";
}

TEST(SharedSecret, ProofsDependOnSecretAndParts) {
  const std::string proof = proof_of("secret", {"a", "bc"});
  EXPECT_EQ(proof.size(), kProofCharacters);
  EXPECT_TRUE(is_same_proof(proof, proof_of("secret", {"a", "bc"})));
  EXPECT_FALSE(is_same_proof(proof, proof_of("secret", {"ab", "c"}))) << "parts are kept apart";
  EXPECT_FALSE(is_same_proof(proof, proof_of("Secret", {"a", "bc"})));
  EXPECT_FALSE(is_same_proof("", "")) << "nothing is no proof";
  EXPECT_NE(new_nonce(), new_nonce());
}

}  // namespace
}  // namespace gpuassay
