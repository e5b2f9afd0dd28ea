// Has the collector deleted this run? The only proof is a tombstone for this run whose signature verifies.
#pragma once

#include <string>

#include "agent/short_request.h"

namespace gpuassay {

enum class DeletionStatus {
  deleted,      ///< the tombstone is genuine
  gone,         ///< 410: it had been deleted before
  never_there,  ///< 404: this collector has no such run
  refused,      ///< another 4xx, for instance because another key signed the upload
  deferred,     ///< not now: ask again some day
};

struct DeletionReply {
  DeletionStatus status = DeletionStatus::deferred;
  std::string tombstone;  ///< deleted: its exact bytes
  std::string reason;     ///< refused, deferred: one line, printable ASCII
};

/// DELETE /v1/results/{run_id}, signed (docs/UPLOADING.md). Retried like an upload, for 10 s at most: a person waits.
/// Never throws for what the network does; Error{usage} for a bad collector_url.
DeletionReply delete_result(const CollectorAccess& access, const std::string& run_id, const UploadWorld& world);

}  // namespace gpuassay
