#include "agent/platform/evidence.h"

#include <algorithm>
#include <array>

#include "agent/platform/words.h"
#include "agent/probe/container.h"
#include "agent/probe/text_fields.h"

namespace gpuassay {
namespace {

/// `secret`: that it is set is evidence, what it says is nobody's business.
struct Variable {
  std::string_view name;
  bool secret = false;
};

constexpr std::array<Variable, 33> kVariables{{
    // marketplaces
    {"VAST_CONTAINERLABEL"},
    {"CONTAINER_ID"},
    {"CONTAINER_API_KEY", true},
    {"RUNPOD_POD_ID"},
    {"RUNPOD_DC_ID"},
    {"RUNPOD_POD_HOSTNAME", true},
    {"RUNPOD_ENDPOINT_ID", true},
    // notebooks
    {"KAGGLE_KERNEL_RUN_TYPE"},
    {"KAGGLE_URL_BASE", true},
    {"COLAB_RELEASE_TAG"},
    {"COLAB_BACKEND_VERSION"},
    {"COLAB_JUPYTER_IP", true},
    {"COLAB_GPU"},
    {"PAPERSPACE_METRIC_WORKLOAD_ID"},
    {"PAPERSPACE_CLUSTER_ID", true},
    {"PAPERSPACE_FQDN", true},
    // managed services
    {"VERTEX_PRODUCT"},
    {"CLOUD_ML_JOB_ID", true},
    {"CLOUD_ML_PROJECT_ID", true},
    {"CLOUD_ML_REGION"},
    {"TRAINING_JOB_NAME", true},
    {"SM_CURRENT_INSTANCE_TYPE"},
    {"AWS_REGION"},
    {"AWS_DEFAULT_REGION"},
    {"AZUREML_RUN_ID", true},
    // layers
    {"KUBERNETES_SERVICE_HOST", true},
    {"COREWEAVE_NODE_NAME", true},
    {"SLURM_JOB_ID", true},
    {"SLURM_JOB_NODELIST", true},
    // what the user says: overrides.h
    {"GPUASSAY_PROVIDER"},
    {"GPUASSAY_INSTANCE_TYPE"},
    {"GPUASSAY_REGION"},
    {"GPUASSAY_PRICING_MODEL"},
}};
/// VAST_TCP_PORT_22 and so on: one for each open port.
constexpr std::string_view kVastPort = "VAST_TCP_PORT_";

constexpr std::array<std::string_view, 19> kMarks{"/root/.vast_containerlabel",
                                                  "/etc/.vast_containerlabel",
                                                  "/.vast_containerlabel",
                                                  "/root/.vast_api_key",
                                                  "/kaggle/working",
                                                  "/content",
                                                  "/home/jl_fs",
                                                  "/home/paperspace",
                                                  "/opt/ml",
                                                  "/etc/lambda/guest-agent",
                                                  "/mnt/cloud-metadata/parent-id",
                                                  "/var/run/scaleway",
                                                  "/run/scaleway",
                                                  "/etc/scw-release",
                                                  "/etc/vultr",
                                                  "/var/run/secrets/kubernetes.io/serviceaccount",
                                                  "/run/secrets/kubernetes.io/serviceaccount",
                                                  "/dev/disk/by-label/METADATA",
                                                  "/dev/disk/by-uuid/9796-932E"};

/// What a board's maker writes into a field nobody filled.
constexpr std::array<std::string_view, 9> kPlaceholders{
    "Not Specified", "To be filled by O.E.M.", "None", "Default string", "Not Applicable", "System Product Name",
    // Identifiers that whole series of boards have.
    "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "03000200-0400-0500-0006-000700080009"};
/// Firmware strings are 64 bytes at most where the kernel takes them from a table; some firmware goes beyond.
constexpr std::size_t kLongestFirmwareText = 256;
constexpr std::size_t kLongestVariable = 1024;

void keep(std::string_view text, PlatformVariables& variables) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return;
  const std::string_view name = text.substr(0, equals);
  if (name.starts_with(kVastPort)) {
    variables.try_emplace(std::string(kVastPort));
    return;
  }
  const auto* known =
      std::find_if(kVariables.begin(), kVariables.end(), [&](const Variable& v) { return v.name == name; });
  if (known == kVariables.end()) return;
  const std::string_view value = text.substr(equals + 1).substr(0, kLongestVariable);
  if (value.empty()) return;  // set to nothing is how a variable is taken back
  variables.try_emplace(std::string(name), known->secret ? "" : std::string(value));
}

/// "NAME=value" or 'NAME="value"' lines, as PAM reads them.
std::string unquoted(std::string_view line) {
  std::string plain(trim(line));
  if (plain.starts_with("export ")) plain.erase(0, 7);
  std::erase(plain, '"');
  return plain;
}

/// Logins lose a container's variables: those of process 1, and of the file that images copy them to, fill the gaps.
PlatformVariables with_fallbacks(const SystemRoot& root, PlatformVariables variables) {
  const std::string process_1 = root.read_text("/proc/1/environ").value_or("");
  for (const std::string_view text : split(process_1, '\0')) keep(text, variables);
  const std::string file = root.read_text("/etc/environment").value_or("");
  for (const std::string_view line : split(file, '\n')) keep(unquoted(line), variables);
  return variables;
}

std::string firmware_text(const SystemRoot& root, const std::string& name) {
  const std::string text = root.read_trimmed("/sys/class/dmi/id/" + name).value_or("").substr(0, kLongestFirmwareText);
  const bool placeholder = std::any_of(kPlaceholders.begin(), kPlaceholders.end(),
                                       [&](std::string_view each) { return equals_text(text, each); });
  return placeholder ? "" : text;
}

Firmware read_firmware(const SystemRoot& root) {
  Firmware firmware;
  firmware.sys_vendor = firmware_text(root, "sys_vendor");
  firmware.product_name = firmware_text(root, "product_name");
  firmware.bios_vendor = firmware_text(root, "bios_vendor");
  firmware.bios_version = firmware_text(root, "bios_version");
  firmware.board_asset_tag = firmware_text(root, "board_asset_tag");
  firmware.chassis_asset_tag = firmware_text(root, "chassis_asset_tag");
  firmware.product_uuid = firmware_text(root, "product_uuid");
  firmware.product_serial = firmware_text(root, "product_serial");
  return firmware;
}

}  // namespace

PlatformVariables platform_variables(const char* const* environment) {
  PlatformVariables variables;
  for (; environment != nullptr && *environment != nullptr; ++environment) keep(*environment, variables);
  return variables;
}

std::string_view Evidence::value(std::string_view variable) const {
  const auto found = variables.find(variable);
  return found == variables.end() ? std::string_view{} : std::string_view(found->second);
}

bool Evidence::unbranded_vm() const {
  return equals_text(firmware.sys_vendor, "QEMU") || equals_text(firmware.sys_vendor, "Xen") ||
         contains_text(firmware.product_name, "Standard PC") || contains_text(firmware.product_name, "KVM");
}

Evidence read_evidence(const SystemRoot& root, const PlatformVariables& own_variables) {
  Evidence evidence;
  evidence.firmware = read_firmware(root);
  evidence.hypervisor_uuid = root.read_trimmed("/sys/hypervisor/uuid").value_or("");
  evidence.variables = with_fallbacks(root, own_variables);
  for (const std::string_view path : kMarks) {
    if (root.exists(path)) evidence.marks.emplace(path);
  }
  evidence.sagemaker_resources = root.read_text("/opt/ml/input/config/resourceconfig.json").value_or("");
  evidence.sagemaker_metadata = root.read_text("/opt/ml/metadata/resource-metadata.json").value_or("");
  evidence.host_name = root.read_trimmed("/proc/sys/kernel/hostname").value_or("");
  const std::string command_line = root.read_trimmed("/proc/cmdline").value_or("");
  for (const std::string_view each : split_fields(command_line)) {
    if (each == "scaleway" || each == "vultr") evidence.kernel_words.emplace(each);
  }
  const auto container = detect_container(root).value;
  if (container && *container != "none") evidence.container = *container;
  return evidence;
}

}  // namespace gpuassay
