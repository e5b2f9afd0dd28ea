// The fake libnvidia-ml.so.1: what a GPU in confidential-compute mode says of itself (the fault `cc`), certified by the
// root of tests/fixtures/attestation. A device has new keys in every process.
#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "embedded/TestRoot.h"
#include "embedded/TestRootKey.h"
#include "tests/support/attestation_maker.h"
#include "tests/support/fake_gpu/nvml_entry.h"
#include "tests/support/fake_gpu/nvml_exports.h"

namespace gpuassay::nvml {

using fake::Machine;
using fake::nvml_query;
using fake::require_support;

namespace {

/// VALUE of the fault is the chip of the certificates; H100 and H200 are GH100.
test::AttestingDevice& attesting(const Machine& machine, const fake::Device& asked) {
  const fake::Fault* const mode = machine.setup.fault("cc", asked.ordinal());
  require_support(mode != nullptr && machine.setup.driver.branch >= 535);
  static std::map<int, test::AttestingDevice> devices;
  auto found = devices.find(asked.ordinal());
  if (found == devices.end()) {
    const test::CertifiedKey root = test::read_root(embedded::kTestRoot, embedded::kTestRootKey);
    found = devices.emplace(asked.ordinal(), test::AttestingDevice(root, mode->value.empty() ? "GH100" : mode->value))
                .first;
  }
  return found->second;
}

}  // namespace

int nvmlDeviceGetConfComputeGpuAttestationReport(Device device, AttestationReport* report) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    Digest nonce{};
    std::copy(std::begin(report->nonce), std::end(report->nonce), nonce.begin());
    const std::string bytes = attesting(machine, asked).report(nonce);
    report->has_cec_report = report->cec_report_bytes = 0;
    report->report_bytes = static_cast<unsigned>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), report->report);
  });
}

int nvmlDeviceGetConfComputeGpuCertificate(Device device, GpuCertificate* certificate) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    const std::string pem = attesting(machine, asked).certificates();
    certificate->chain_bytes = 0;
    certificate->attestation_chain_bytes = static_cast<unsigned>(pem.size());
    std::copy(pem.begin(), pem.end(), certificate->attestation_chain);
  });
}

namespace {

/// Compiles only while the prototypes are those of the agent's table.
[[maybe_unused]] const Api kSameAttestationPrototypes{
    .nvmlDeviceGetConfComputeGpuAttestationReport = nvmlDeviceGetConfComputeGpuAttestationReport,
    .nvmlDeviceGetConfComputeGpuCertificate = nvmlDeviceGetConfComputeGpuCertificate,
};

}  // namespace
}  // namespace gpuassay::nvml
