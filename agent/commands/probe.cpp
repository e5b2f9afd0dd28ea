// gpuassay probe: what this machine is.
#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "agent/commands/commands.h"
#include "agent/inventory.h"
#include "agent/platform_stage.h"
#include "agent/report.h"
#include "agent/spool.h"
#include "core/enums.h"
#include "core/error.h"
#include "core/result_json.h"

namespace gpuassay {
namespace {

std::string known(const std::optional<std::string>& value) { return value ? printable(*value) : "unknown"; }

/// What is known, each with where it comes from; the rest has its reason in the document.
template <class Line>
void add_platform(const Inventory& inventory, const Line& line) {
  const Platform& platform = inventory.platform;
  const auto with_source = [&](std::string_view label, const char* field, const std::optional<std::string>& value) {
    const auto source = platform.source.find(field);
    if (value && source != platform.source.end())
      line(label, fmt::format("{} ({})", printable(*value), source->second));
  };
  if (platform.provider == "unknown") line("provider", "unknown");
  with_source("provider", "provider", platform.provider);
  with_source("below it", "underlying", platform.underlying);
  with_source("instance type", "instance_type", platform.instance_type);
  with_source("region", "region", platform.region);
  with_source("zone", "zone", platform.zone);
  with_source("pricing model", "pricing_model", platform.pricing_model);
  if (!platform.host_layer.empty()) line("layers", fmt::format("{}", fmt::join(platform.host_layer, ", ")));
}

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
  add_platform(inventory, line);
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

/// Identifiers are shown as a run would publish them, hashed with a key that lies there. Without it they stay unknown.
void make_data_directory(const Environment& environment) {
  try {
    const Spool spool(environment.data_dir);
  } catch (const Error& error) {
    std::fprintf(stderr, "gpuassay: %s (identifiers are not shown)\n", printable(error.what()).c_str());
  }
}

}  // namespace

int execute(const ProbeOptions& options, const Environment& environment) {
  make_data_directory(environment);
  const IdentifierHash hash = identifier_hash(environment);
  PlatformStage platform(environment, {}, MetadataUse::describe, hash);  // first: it asks while GPUs are looked for
  Machine machine = look_at_machine(environment, {});
  hash_identifiers(machine, hash);
  platform.wait_and_put_into(machine.inventory);
  for (const std::string& problem : platform.refused())
    std::fprintf(stderr, "gpuassay: %s\n", printable(problem).c_str());
  print_out(options.json ? to_json(machine.inventory).dump() + "\n" : plain_text(machine));
  return 0;
}

}  // namespace gpuassay
