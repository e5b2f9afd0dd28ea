#include "agent/platform/ask.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

namespace gpuassay {
namespace {

/// Shared with threads that may outlive the wait.
struct Answers {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::optional<MetadataFindings>> findings;
};

MetadataFindings ask_one(const PlatformRule& rule, bool known, const MetadataClientMaker& make_client,
                         const std::vector<std::string>& own_addresses) {
  MetadataFindings findings;
  try {
    const std::unique_ptr<MetadataClient> client = make_client();
    rule.ask({*client, known, own_addresses}, findings);
    if (findings.validated && findings.provider.empty()) findings.provider = rule.slug;
  } catch (const std::exception&) {  // memory, or a bug: this platform was not recognized
    findings = {};
    findings.problem = "asking the metadata service failed";
  }
  return findings;
}

/// The first validated one when nothing before it can still become one.
const MetadataFindings* decided(const Answers& answers, bool over) {
  for (const auto& findings : answers.findings) {
    if (!findings && !over) return nullptr;
    if (findings && findings->validated) return &*findings;
  }
  return nullptr;
}

bool all_ended(const Answers& answers) {
  return std::all_of(answers.findings.begin(), answers.findings.end(),
                     [](const auto& each) { return each.has_value(); });
}

}  // namespace

MetadataFindings ask_services(const MetadataQuestion& question, const MetadataClientMaker& make_client,
                              const std::vector<std::string>& own_addresses,
                              std::chrono::steady_clock::time_point deadline) {
  if (question.rules.size() == 1) return ask_one(*question.rules.front(), question.known, make_client, own_addresses);
  const auto answers = std::make_shared<Answers>();
  answers->findings.resize(question.rules.size());
  for (std::size_t i = 0; i < question.rules.size(); ++i) {
    // With a rule of its own: a thread that still waits for a server may outlive the table.
    const auto work = [answers, i, rule = *question.rules[i], known = question.known, make_client, own_addresses] {
      MetadataFindings findings = ask_one(rule, known, make_client, own_addresses);
      const std::lock_guard lock(answers->mutex);
      answers->findings[i] = std::move(findings);
      answers->changed.notify_all();
    };
    try {
      std::thread(work).detach();
    } catch (const std::system_error&) {  // no more threads: this one is not asked
      const std::lock_guard lock(answers->mutex);
      answers->findings[i].emplace();
    }
  }
  std::unique_lock lock(answers->mutex);
  answers->changed.wait_until(lock, deadline,
                              [&] { return decided(*answers, false) != nullptr || all_ended(*answers); });
  const MetadataFindings* const found = decided(*answers, true);
  return found == nullptr ? MetadataFindings{} : *found;
}

std::vector<std::string> own_ipv4_addresses() {
  std::vector<std::string> addresses;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return addresses;
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_INET) continue;
    std::array<char, INET_ADDRSTRLEN> text{};
    const auto* const address = reinterpret_cast<const sockaddr_in*>(each->ifa_addr);
    if (inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size()) != nullptr)
      addresses.emplace_back(text.data());
  }
  freeifaddrs(list);
  return addresses;
}

}  // namespace gpuassay
