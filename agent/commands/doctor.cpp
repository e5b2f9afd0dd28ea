// gpuassay doctor: what is missing, and the exact command to get it.
#include "agent/doctor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "agent/commands/commands.h"
#include "agent/dynlib/onednn.h"
#include "agent/probe/pci_bus.h"
#include "agent/probe/text_fields.h"
#include "agent/spool.h"
#include "agent/text_page.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {
namespace {

/// Long enough for "device_files", and the state behind it.
constexpr int kNameWidth = 13;
constexpr int kStateWidth = 9;

/// The value of a key of os-release, without its quotes.
std::string os_release(const SystemRoot& root, std::string_view key) {
  for (const char* path : {"/etc/os-release", "/usr/lib/os-release"}) {
    const auto text = root.read_text(path);
    const auto value = text ? value_of_key(*text, key, '=') : std::nullopt;
    if (!value) continue;
    std::string_view bare = *value;
    if (bare.size() >= 2 && (bare.front() == '"' || bare.front() == '\'')) bare = bare.substr(1, bare.size() - 2);
    return std::string(bare);
  }
  return {};
}

/// Opens the data directory as a run would, making it when missing; the message when a run could not save there.
std::string data_dir_problem(const std::filesystem::path& data_dir) {
  try {
    const Spool spool(data_dir);
    const std::filesystem::path runs = spool.path_of("");
    if (::access(runs.c_str(), W_OK) != 0) {
      return fmt::format("the folder {} cannot be written to; use --data-dir", runs.string());
    }
    std::error_code error;
    const std::filesystem::space_info space = std::filesystem::space(runs, error);
    if (!error && space.available < kMinFreeBytes) {
      return fmt::format("less than {} MiB are free below {}; make room or use --data-dir", kMinFreeBytes >> 20U,
                         data_dir.string());
    }
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

DoctorFacts gather(const Environment& environment) {
  DoctorFacts facts;
  const SystemRoot root(environment.system_root);
  facts.machine = look_at_machine(environment, {});
  facts.on_pci_bus = nvidia_pci_devices(root);
  const auto& problem = facts.machine.driver_problem;
  const bool may_hang = problem && (problem->code == "driver_hung" || problem->code == "driver_crashed");
  facts.nodes = look_at_device_nodes(root, may_hang ? NodeTest::permissions : NodeTest::open);
  facts.onednn = onednn::describe(LibrarySearch::from_environment()).front();
  facts.os_id = os_release(root, "ID");
  facts.os_like = os_release(root, "ID_LIKE");
  facts.data_dir = environment.data_dir.string();
  facts.data_dir_problem = data_dir_problem(environment.data_dir);
  return facts;
}

nlohmann::json text_or_null(const std::string& text) {
  return text.empty() ? nlohmann::json(nullptr) : nlohmann::json(printable(text));
}

std::string document_text(const Diagnosis& diagnosis, bool simulated) {
  nlohmann::json checks = nlohmann::json::array();
  for (const Check& check : diagnosis.checks) {
    checks.push_back({{"name", check.name},
                      {"state", name_of(check.state)},
                      {"what", printable(check.what)},
                      {"advice", text_or_null(check.remedy.advice)},
                      {"command", text_or_null(check.remedy.command)}});
  }
  nlohmann::json measures = nullptr;
  if (diagnosis.measures) measures = to_name(*diagnosis.measures);
  const nlohmann::json document{
      {"checks", checks}, {"measures", measures}, {"exit_code", diagnosis.exit_code}, {"simulated", simulated}};
  // A path may be no UTF-8.
  return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string conclusion(const Diagnosis& diagnosis, const Machine& machine) {
  if (!diagnosis.measures) return "nothing can be measured yet";
  if (*diagnosis.measures == DeviceKind::cpu) return "gpuassay run measures the CPU";
  const std::size_t count = machine.inventory.devices.size();
  return count == 1 ? "gpuassay run measures the GPU" : fmt::format("gpuassay run measures {} GPUs", count);
}

std::string plain_text(const Diagnosis& diagnosis, const Machine& machine, const TextStyle& style) {
  TextPage page(style, kNameWidth + kStateWidth);
  for (const Check& check : diagnosis.checks) {
    const bool fine = check.state == CheckState::ok || check.state == CheckState::none;
    const std::string label = fmt::format("{:<{}}{:<{}}", check.name, kNameWidth, name_of(check.state), kStateWidth);
    page.prose(label, check.what, fine ? std::string_view() : TextPage::kYellow);
    if (!check.remedy.advice.empty()) page.prose("", check.remedy.advice);
    if (!check.remedy.command.empty()) page.verbatim("", "$ " + check.remedy.command);
  }
  page.blank();
  page.prose("result", conclusion(diagnosis, machine) + (machine.simulated ? " (SIMULATED)" : ""), TextPage::kBold);
  return page.take();
}

}  // namespace

int execute(const DoctorOptions& options, const Environment& environment) {
  const DoctorFacts facts = gather(environment);
  const Diagnosis diagnosis = diagnose(facts);
  print_out(options.json ? document_text(diagnosis, facts.machine.simulated) + "\n"
                         : plain_text(diagnosis, facts.machine, environment.out_style));
  return diagnosis.exit_code;
}

}  // namespace gpuassay
