// Microsoft Azure (cloud-init sources/azure/imds.py). Only the branch `compute`, and of it only what is named here: the
// rest has subscription, names, tags and keys.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/http_date.h"
#include "agent/platform/metadata_reader.h"
#include "agent/platform/rules.h"
#include "agent/platform/words.h"
#include "core/ascii.h"

namespace gpuassay {
namespace {

/// The tag that all Azure machines have and other Hyper-V machines have not.
std::string_view recognize_azure(const Evidence& evidence) {
  return evidence.firmware.chassis_asset_tag == "7783-7084-3265-9085-8269-3286-77" ? source::kFirmware : "";
}

std::optional<std::string> pricing_of(const nlohmann::json& compute) {
  const auto priority = text_at(compute, "priority");
  if (!priority) return std::nullopt;
  if (equals_text(*priority, "Spot") || equals_text(*priority, "Low")) return "spot";
  if (priority->empty() || equals_text(*priority, "Regular")) return "on_demand";
  return std::nullopt;
}

bool is_azures(const nlohmann::json& compute) {
  return text_at(compute, "azEnvironment").value_or("").starts_with("Azure") && text_at(compute, "vmSize");
}

MetadataReader reader_of(MetadataClient& client) {
  MetadataReader reader(client, "169.254.169.254");
  reader.send_always("Metadata", "true");
  return reader;
}

void ask_azure(const MetadataContext& context, MetadataFindings& findings) {
  MetadataReader reader = reader_of(context.client);
  if (context.known) reader.let_not_found_pass();
  auto compute = reader.get_json("/metadata/instance/compute?api-version=2021-02-01&format=json");
  constexpr int kVersionUnknown = 400;
  if (!compute && reader.last_status() == kVersionUnknown)
    compute = reader.get_json("/metadata/instance/compute?api-version=2019-06-01&format=json");
  if (compute && is_azures(*compute)) {
    findings.validated = true;
    reader.forget_problem();
    findings.set(PlatformField::instance_type, word(*text_at(*compute, "vmSize")));
    findings.set(PlatformField::region, region_word(text_at(*compute, "location").value_or("")));
    findings.set(PlatformField::zone, word(text_at(*compute, "zone").value_or("")));
    if (!findings.values.contains(PlatformField::zone))
      findings.reasons[PlatformField::zone] = "the machine is in no particular zone";
    findings.set(PlatformField::pricing_model, pricing_of(*compute));
    findings.set(PlatformField::instance_id, word(lower_case(text_at(*compute, "vmId").value_or(""))));
  } else if (compute) {
    reader.note("the metadata service does not answer as Azure's");
  }
  findings.problem = reader.problem();
}

/// What an event announces, if it is the end of a machine. `NotBefore` is as HTTP writes dates, and blank once the
/// event has begun.
std::optional<Notice> end_of_machine(const nlohmann::json& event) {
  const auto type = text_at(event, "EventType"), status = text_at(event, "EventStatus");
  if (type != "Preempt" && type != "Terminate") return std::nullopt;
  if (status != "Scheduled" && status != "Started") return std::nullopt;
  if (text_at(event, "ResourceType") != "VirtualMachine") return std::nullopt;
  const auto time = text_at(event, "NotBefore");
  if (!time) return std::nullopt;
  if (time->empty()) return Notice{};
  if (const auto seconds = http_date_s(*time)) return Notice{*seconds * 1000};
  return notice_at(*time);
}

bool concerns(const nlohmann::json& event, std::string_view machine) {
  const auto machines = event.find("Resources");
  return machines != event.end() && machines->is_array() &&
         std::any_of(machines->begin(), machines->end(), [&](const nlohmann::json& each) {
           return each.is_string() && equals_text(each.get_ref<const std::string&>(), machine);
         });
}

/// "Azure Metadata Service: Scheduled Events for Linux VMs". Machines of one scale set see each other's events, so this
/// machine's name is asked for when there is one; it goes no further.
std::optional<Notice> azure_notice(MetadataClient& client) {
  constexpr std::string_view kName = "/metadata/instance/compute/name?api-version=2021-02-01&format=text";
  MetadataReader reader = reader_of(client);
  const auto document = reader.get_json("/metadata/scheduledevents?api-version=2020-07-01");
  if (!document || !document->contains("Events") || !document->at("Events").is_array()) return std::nullopt;
  const nlohmann::json& events = document->at("Events");
  const bool any_end = std::any_of(events.begin(), events.end(),
                                   [](const nlohmann::json& each) { return end_of_machine(each).has_value(); });
  const auto name = any_end ? reader.get_word(kName) : std::nullopt;
  if (!name) return std::nullopt;
  for (const nlohmann::json& event : events) {
    if (const auto notice = end_of_machine(event); notice && concerns(event, *name)) return notice;
  }
  return std::nullopt;
}

}  // namespace

PlatformRule azure_rule() {
  PlatformRule rule;
  rule.slug = "azure";
  rule.recognized = recognize_azure;
  rule.ask = ask_azure;
  rule.blind = Blind::always;
  rule.notice = azure_notice;
  rule.notice_time = std::chrono::minutes(2);  // the first question switches the service on
  return rule;
}

}  // namespace gpuassay
