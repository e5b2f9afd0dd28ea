#include "agent/floor/device_attestation.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "agent/dynlib/in_child.h"
#include "agent/dynlib/nvml.h"
#include "core/error.h"

namespace gpuassay {
namespace {

std::string bytes_from(const unsigned char* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

/// NVML fills a buffer of fixed size and says how much of it counts.
std::size_t checked_size(unsigned said, std::size_t buffer, const char* symbol) {
  if (said > buffer)
    throw Error(ErrorCode::library_failed, fmt::format("{} says {} bytes of {}", symbol, said, buffer));
  return said;
}

/// A message with one FloorAttestation; empty where the driver or the device has no such thing.
std::string ask_nvml(const AttestableDevice& asked, const Digest& nonce) {
  const nvml::LoadedLibrary library = nvml::load(asked.nvml);
  const nvml::Api& api = library.api;
  constexpr const char* kReport = "nvmlDeviceGetConfComputeGpuAttestationReport";
  constexpr const char* kCertificate = "nvmlDeviceGetConfComputeGpuCertificate";
  if (api.nvmlDeviceGetConfComputeGpuAttestationReport == nullptr ||
      api.nvmlDeviceGetConfComputeGpuCertificate == nullptr)
    return {};
  nvml::check(api, api.nvmlInit_v2(), "nvmlInit_v2");
  nvml::Device device = nullptr;
  nvml::check(api, api.nvmlDeviceGetHandleByPciBusId_v2(asked.pci_bus_id.c_str(), &device),
              "nvmlDeviceGetHandleByPciBusId_v2");
  const auto report = std::make_unique<nvml::AttestationReport>();
  const auto certificate = std::make_unique<nvml::GpuCertificate>();
  std::copy(nonce.begin(), nonce.end(), report->nonce);
  for (const auto& [symbol, status] :
       {std::pair(kReport, api.nvmlDeviceGetConfComputeGpuAttestationReport(device, report.get())),
        std::pair(kCertificate, api.nvmlDeviceGetConfComputeGpuCertificate(device, certificate.get()))}) {
    if (status == nvml::kNotSupported || status == nvml::kFunctionNotFound) return {};
    nvml::check(api, status, symbol);
  }
  const FloorAttestation said{
      asked.device, bytes_from(report->report, checked_size(report->report_bytes, nvml::kReportBytes, kReport)),
      bytes_from(certificate->attestation_chain,
                 checked_size(certificate->attestation_chain_bytes, nvml::kAttestationChainBytes, kCertificate))};
  return to_text(std::vector{said});
}

}  // namespace

DeviceAttestation attestation_of(const AttestableDevice& device, const Digest& nonce, std::chrono::milliseconds limit) {
  const ChildAnswer answer = run_in_child(limit, [&] { return ask_nvml(device, nonce); });
  if (answer.end != ChildEnd::answered) return {std::nullopt, answer.text};
  if (answer.text.empty()) return {};
  return {floor_attestations_from(answer.text).front(), {}};
}

}  // namespace gpuassay
