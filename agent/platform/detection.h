// The platform of this machine: what it tells itself at once, what metadata services add while GPUs are looked for, and
// whether they announce its end.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/platform/background_process.h"
#include "agent/platform/local_platform.h"
#include "agent/platform/metadata_client.h"
#include "agent/platform/metadata_map.h"
#include "agent/platform/notice_pipe.h"
#include "agent/platform/overrides.h"
#include "agent/system_root.h"

namespace gpuassay {

/// What metadata services are asked, if anything: what this machine is, and then again and again whether it is to be
/// taken away.
enum class MetadataUse { none, describe, describe_and_watch };

struct DetectionInputs {
  SystemRoot root;
  PlatformVariables variables;
  MetadataMap metadata_map;
  PlatformFlags flags;
  /// Recorded files or addresses: a service that the map does not name is the one of another machine.
  bool simulated = false;
  MetadataUse use = MetadataUse::describe;
  /// How long a machine whose cloud is known may be without a network before its service is asked.
  std::chrono::seconds network_wait{0};
  /// Hears of each question about what this machine is, in the process that asks; not of those that watch for its end.
  MetadataLog log = {};
};

/// What a metadata service says is read in a process of its own, which ends with this object.
class PlatformDetection {
 public:
  /// Reads this machine and starts asking. Throws Error for flags that name no provider. Call while there is one
  /// thread.
  explicit PlatformDetection(const DetectionInputs& inputs);

  /// True when nothing more will come to be known; waits until `deadline` for that.
  bool wait_until(std::chrono::steady_clock::time_point deadline);
  /// Waits as long as the services may take, 6 s from the start where it is known whose it is (and as long as there is
  /// no network), 1.5 s where not, not beyond `limit`, and no longer once `stop_fd` is readable (-1: never).
  void wait(std::chrono::steady_clock::time_point limit, int stop_fd = -1);

  /// As far as it is known now.
  [[nodiscard]] PlatformFacts facts() const;
  [[nodiscard]] const std::vector<std::string>& layers() const { return layers_; }
  /// Where the end of this machine is announced; null when nobody watches for that.
  NoticePipe* notices() { return notices_ ? &*notices_ : nullptr; }
  /// What the user said and cannot be used: for the user's eyes.
  [[nodiscard]] const std::vector<std::string>& refused() const { return overrides_.refused; }

 private:
  [[nodiscard]] MetadataPatience patience() const;
  [[nodiscard]] BackgroundAnswer ask(const DetectionInputs& inputs) const;
  [[nodiscard]] PlatformFacts facts_with(const MetadataFindings& findings) const;
  [[nodiscard]] MetadataFindings findings() const;

  LocalPlatform local_;
  std::vector<std::string> layers_;
  PlatformOverrides overrides_;
  std::optional<std::string> given_;  ///< the provider that the user named
  MetadataQuestion question_;
  std::chrono::seconds network_wait_{0};
  std::chrono::steady_clock::time_point deadline_;
  std::optional<NoticePipe> notices_;
  std::unique_ptr<BackgroundProcess> asking_;
};

}  // namespace gpuassay
