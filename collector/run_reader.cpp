#include <fmt/format.h>

#include "collector/run_query.h"
#include "collector/store.h"

namespace gpuassay {
namespace {

constexpr std::string_view kBytes =
    ", (SELECT body FROM run_body WHERE run_body.run_id = run.run_id), body_sha256, "
    "(SELECT receipt FROM run_body WHERE run_body.run_id = run.run_id)";

}  // namespace

/// Declared in the order in which each part needs those before it.
struct RunReader::Parts {
  Parts(ConnectionPool::Lease connection, const RunFilter& filter, RunContents contents)
      : lease(std::move(connection)),
        snapshot(*lease, TransactionKind::snapshot),
        is_whole(contents == RunContents::whole),
        query(*lease, fmt::format("SELECT {}{} {} ORDER BY received_at_ms, run_id", kRunColumns, is_whole ? kBytes : "",
                                  from_where(filter))),
        has_row(begin(filter)) {}

  /// The snapshot is of this instant, not of the first call of next().
  bool begin(const RunFilter& filter) {
    bind_filter(query, filter);
    return query.step();
  }

  ConnectionPool::Lease lease;
  Transaction snapshot;
  bool is_whole;
  Statement query;
  bool has_row;
};

RunReader::RunReader(ConnectionPool::Lease lease, const RunFilter& filter, RunContents contents)
    : parts_(std::make_unique<Parts>(std::move(lease), filter, contents)) {}
RunReader::~RunReader() = default;

std::optional<StoredRun> RunReader::next() {
  if (!parts_->has_row) return std::nullopt;
  StoredRun run;
  int column = read_columns(parts_->query, run);
  if (parts_->is_whole) {
    run.body = parts_->query.text(column++);
    run.body_sha256 = parts_->query.text(column++);
    run.receipt = parts_->query.text(column);
  }
  parts_->has_row = parts_->query.step();
  return run;
}

}  // namespace gpuassay
