// gpuassay probe: what this machine is.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "agent/commands/commands.h"
#include "agent/inventory.h"
#include "agent/report.h"
#include "core/enums.h"
#include "core/result_json.h"

namespace gpuassay {
namespace {

std::string known(const std::optional<std::string>& value) { return value ? printable(*value) : "unknown"; }

std::string plain_text(const Machine& machine) {
  const Inventory& inventory = machine.inventory;
  const Host& host = inventory.host;
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  std::string text;
  const auto line = [&text](std::string_view label, const std::string& value) {
    text += fmt::format("  {:<16}{}\n", label, value);
  };
  line("cpu", known(host.cpu_model));
  line("logical cpus", host.logical_cpus ? std::to_string(*host.logical_cpus) : "unknown");
  line("effective cpus", host.effective_cpus ? fmt::format("{:.3g}", *host.effective_cpus) : "unknown");
  line("memory",
       host.memory_bytes ? fmt::format("{:.1f} GiB", static_cast<double>(*host.memory_bytes) / kGiB) : "unknown");
  line("system", known(host.os));
  line("kernel", known(host.kernel));
  line("virtualization", known(host.virtualization));
  line("container", known(host.container));
  for (const Device& device : inventory.devices) {
    line(fmt::format("device {}", device.index), fmt::format("{} {}", to_name(device.kind), printable(device.name)));
  }
  for (const Library& library : inventory.libraries) {
    const std::string version = library.version ? *library.version : "not usable";
    line(library.name, library.rejected_reason ? printable(*library.rejected_reason)
                                               : fmt::format("{} ({})", printable(version), library.path_kind));
  }
  if (machine.problem) line("problem", printable(*machine.problem));
  return text;
}

}  // namespace

int execute(const ProbeOptions& options, const Environment& environment) {
  Machine machine = look_at_machine(environment, {});
  hash_identifiers(machine, environment);
  print_out(options.json ? to_json(machine.inventory).dump() + "\n" : plain_text(machine));
  return 0;
}

}  // namespace gpuassay
