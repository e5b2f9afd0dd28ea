#include "agent/commands/send.h"

#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "agent/upload.h"
#include "core/build_info.h"
#include "core/error.h"
#include "core/key_file.h"

namespace gpuassay {
namespace {

UploadRequest request_for(const std::string& run_id, const std::string& body, const std::string& collector_url,
                          const Environment& environment) {
  const char* ca_file = std::getenv("SSL_CERT_FILE");
  const std::optional<std::string> ca = ca_file != nullptr ? std::optional<std::string>(ca_file) : std::nullopt;
  return {collector_url,
          run_id,
          body,
          load_or_create_key((environment.data_dir / "key").string()),
          std::nullopt,
          ca_bundle_places(ca),
          fmt::format("gpuassay/{}", build_info().version)};
}

/// What is kept of a refusal, so that nobody wonders later why the run is not in the dataset.
std::string rejection_text(const UploadOutcome& outcome, const std::string& collector_url) {
  nlohmann::json text{{"collector", collector_url}, {"reason", outcome.reason}};
  if (outcome.http_status) text["http_status"] = *outcome.http_status;
  return text.dump();
}

bool keep(const UploadOutcome& outcome, const std::string& run_id, const std::string& collector_url,
          const std::optional<Spool>& spool, const std::string& invocation, std::vector<std::string>& notes) {
  switch (outcome.status) {
    case UploadStatus::accepted:
      notes.push_back("uploaded: " + run_link(collector_url, run_id));
      if (spool) spool->save(run_id + ".receipt.json", outcome.receipt);
      return true;
    case UploadStatus::rejected:
      notes.push_back("NOT UPLOADED, the collector refuses this result: " + outcome.reason);
      if (spool) spool->save(run_id + ".rejected.json", rejection_text(outcome, collector_url));
      return false;
    case UploadStatus::deferred:
      notes.push_back(fmt::format("NOT UPLOADED: {}; try again with: {} upload --collector {}", outcome.reason,
                                  invocation, collector_url));
      return false;
  }
  return false;
}

}  // namespace

bool send(const std::string& run_id, const std::string& body, const std::string& collector_url,
          const std::optional<Spool>& spool, const Environment& environment, std::vector<std::string>& notes) {
  try {
    const UploadOutcome outcome =
        upload_result(request_for(run_id, body, collector_url, environment), real_upload_world());
    return keep(outcome, run_id, collector_url, spool, environment.invocation, notes);
  } catch (const Error& error) {
    notes.push_back(std::string("NOT UPLOADED: ") + error.what());
    return false;
  }
}

}  // namespace gpuassay
