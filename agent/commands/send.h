// Sends a saved result and keeps what came back beside it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "agent/commands/collector_target.h"
#include "agent/environment.h"
#include "agent/spool.h"
#include "agent/upload.h"

namespace gpuassay {

/// Ends of the names of files beside a run. docs/UPLOADING.md says what each means.
inline constexpr const char* kReceiptSuffix = ".receipt.json";
inline constexpr const char* kRejectedSuffix = ".rejected.json";
inline constexpr const char* kWithdrawnSuffix = ".withdrawn.json";
inline constexpr const char* kDeletedSuffix = ".deleted.json";

/// A run that has ended does not wait for a busy collector: the result is safe, and `gpuassay upload` resumes.
inline constexpr std::chrono::milliseconds kRunPatience{10'000};
/// `gpuassay upload` does, since the last result that was taken.
inline constexpr std::chrono::milliseconds kUploadPatience{600'000};

struct SendReport {
  bool accepted = false;
  bool next_may_succeed = true;
  bool comparison_works = true;    ///< the collector said how the run compares, or that it does not know the question
  std::vector<std::string> notes;  ///< what a person is told, one line each
};

/// Signs `body` with the key of the data directory (made on first use) and sends it, retrying for at most `patience`. A
/// signed receipt is kept as RUN_ID.receipt.json, a final refusal as RUN_ID.rejected.json; accepted only with a
/// receipt. After that the collector is asked how the run compares with others. Never throws: a result is not lost by
/// failing to send it.
SendReport send(const std::string& run_id, const std::string& body, const CollectorTarget& target,
                const std::optional<Spool>& spool, const Environment& environment, std::chrono::milliseconds patience,
                bool compare = true);

/// The real world, which tells on stderr when it waits long.
UploadWorld upload_world(const Environment& environment);

}  // namespace gpuassay
