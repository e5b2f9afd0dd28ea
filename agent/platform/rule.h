// One platform: how it is recognized, what this machine tells without a network, and what its metadata service is
// asked. Each has a file of its own here; rules.h lists them in the order in which they are tried.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/platform/evidence.h"
#include "agent/platform/facts.h"
#include "agent/platform/metadata_client.h"
#include "agent/platform/notice.h"

namespace gpuassay {

/// What a metadata service said.
struct MetadataFindings {
  bool validated = false;  ///< only this platform's service answers like this; nothing else of it counts otherwise
  std::string provider;    ///< where the answers say more than the rule's slug
  std::map<PlatformField, std::string> values;
  std::map<PlatformField, std::string> reasons;  ///< of absent values that have a reason of their own
  std::string problem;                           ///< why something, or everything, is missing

  void set(PlatformField field, const std::optional<std::string>& value) {
    if (value) values[field] = *value;
  }
};

/// What the questions depend on.
struct MetadataContext {
  MetadataClient& client;
  bool known;                              ///< firmware, environment or the user say that it is this platform
  std::vector<std::string> own_addresses;  ///< IPv4 addresses of this machine; never leave it
};

/// Whether an unknown machine is asked if it is this platform's.
enum class Blind {
  never,         ///< the address may be somebody else's there, or the answer proves nothing
  always,        ///< the question is harmless and the answer proves what it is
  paperspace_vm  ///< only where a local mark speaks for it: the service is on the open internet
};

struct PlatformRule {
  std::string_view slug;
  /// Runs inside another provider's machine, which firmware and link-local metadata would name instead.
  bool inside_another = false;
  /// The source (facts.h) that shows it is this platform; empty when none does. Null where nothing known shows it.
  std::string_view (*recognized)(const Evidence&) = nullptr;
  /// Adds what is known without asking anybody.
  void (*tell)(const Evidence&, PlatformFacts&) = nullptr;
  /// Asks the metadata service.
  void (*ask)(const MetadataContext&, MetadataFindings&) = nullptr;
  Blind blind = Blind::never;
  /// Asks once whether this machine is to be taken away. A notice is only what has the platform's own form, and says or
  /// is shown to be this platform's. Null where nothing documents such a question: SIGTERM is the notice there.
  std::optional<Notice> (*notice)(MetadataClient&) = nullptr;
  /// How long an answer to that may take.
  std::chrono::milliseconds notice_time{2000};
  /// Of a managed service: the cloud below whose metadata is asked, if firmware shows that cloud.
  std::string_view asks_as = {};
  /// Why these stay unknown where the platform itself does not tell them; empty where it does.
  std::string_view no_type = {}, no_region = {}, no_pricing = {}, no_id = {};
};

}  // namespace gpuassay
