// gpuassay upload: the local end of the shared dataset.
#include <fmt/format.h>

#include <set>

#include "agent/commands/commands.h"
#include "agent/commands/send.h"
#include "agent/exit_code.h"
#include "agent/report.h"
#include "agent/spool.h"
#include "agent/url.h"

namespace gpuassay {
namespace {

constexpr std::string_view kResultSuffix = ".json";

/// Run ids of results that have neither a receipt nor a refusal.
std::vector<std::string> unsent(const Spool& spool) {
  std::set<std::string> settled;
  for (const std::string_view suffix : {".receipt.json", ".rejected.json"}) {
    for (const std::string& name : spool.list(suffix)) settled.insert(name.substr(0, name.size() - suffix.size()));
  }
  std::vector<std::string> run_ids;
  for (const std::string& name : spool.list(kResultSuffix)) {
    std::string run_id = name.substr(0, name.size() - kResultSuffix.size());
    if (!settled.contains(run_id)) run_ids.push_back(std::move(run_id));
  }
  return run_ids;
}

}  // namespace

int execute(const UploadOptions& options, const Environment& environment) {
  (void)parse_url(options.collector);
  const std::optional<Spool> spool(std::in_place, environment.data_dir);
  int exit_code = kExitOk;
  const std::vector<std::string> run_ids = unsent(*spool);
  for (const std::string& run_id : run_ids) {
    if (options.dry_run) {
      print_out(fmt::format("{} would be sent to {}\n", run_id, options.collector));
      continue;
    }
    std::vector<std::string> notes;
    const std::optional<std::string> body = spool->read(run_id + std::string(kResultSuffix));
    if (!body) notes.push_back("NOT UPLOADED: its file cannot be read");
    if (!body || !send(run_id, *body, options.collector, spool, environment, notes)) exit_code = kExitNotSaved;
    for (const std::string& note : notes) print_out(fmt::format("{} {}\n", run_id, printable(note)));
  }
  if (run_ids.empty()) print_out("every saved result has been dealt with; nothing to send\n");
  return exit_code;
}

}  // namespace gpuassay
