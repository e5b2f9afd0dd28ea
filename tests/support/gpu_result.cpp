#include "tests/support/gpu_result.h"

#include "core/normalize.h"
#include "core/score.h"
#include "tests/support/example_result.h"

namespace gpuassay::test {

Result simulated_v100_result(int count) {
  Result result = example_result();
  result.simulated = true;
  result.started_at = "2022-08-01T12:00:00.000Z";
  result.finished_at = "2022-08-01T12:01:00.500Z";
  result.platform.provider = "tencent";
  result.devices.clear();
  for (int index = 0; index < count; ++index) {
    Device device;
    device.index = index;
    device.kind = DeviceKind::cuda;
    device.simulated = true;
    device.name = "Tesla V100-SXM2-32GB";
    device.model = "Tesla V100";
    device.memory_bytes = std::int64_t{32510} << 20U;  // what the driver leaves of 32 GiB
    result.devices.push_back(device);
  }
  // One device is measured: eight would pass the limit on the values of a document.
  result.measurements = normalize_all(network_measurements(10'000, 600), result.devices);
  result.summary = summarize(result.devices, result.measurements);
  result.score = score_run(result.devices, result.measurements);
  return result;
}

std::string upload_message(const std::string& body, const KeyPair& key, const std::string& content_type) {
  return "POST /v1/results HTTP/1.1\r\nHost: test\r\nContent-Type: " + content_type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nGpuassay-Key: " + base64(key.public_key()) +
         "\r\nGpuassay-Signature: " + base64(key.sign(result_signing_message(body))) + "\r\n\r\n" + body;
}

}  // namespace gpuassay::test
