#include "collector/reassess.h"

#include <fmt/format.h>

#include <type_traits>
#include <vector>

#include "collector/assessment.h"
#include "collector/run_query.h"
#include "core/error.h"
#include "core/signature.h"
#include "core/utf8.h"

namespace gpuassay {
namespace {

using Access = ConnectionPool::Access;

/// Of one batch: others quarantine and retract a run now and then, never the same ones all the time.
constexpr int kMostTries = 20;

struct StoredBody {
  StoredRun run;
  bool has_body = false;
};

struct Renewal {
  StoredRun stored, now;
};

/// In the order of run_ids, which is also that of the primary key.
std::vector<StoredBody> bodies_after(ConnectionPool& pool, const std::string& run_id, std::size_t limit) {
  return pool.use(Access::read, [&](Database& database) {
    // As the columns of both tables have one name for the run_id, the page is cut first.
    Statement query(database, fmt::format("SELECT page.*, run_body.body FROM (SELECT {}, body_sha256 FROM run WHERE "
                                          "retracted_at_ms IS NULL AND run_id > ?1 ORDER BY run_id LIMIT ?2) AS page "
                                          "LEFT JOIN run_body ON run_body.run_id = page.run_id ORDER BY page.run_id",
                                          kRunColumns));
    query.bind(1, std::string_view(run_id)).bind(2, static_cast<std::int64_t>(limit));
    std::vector<StoredBody> bodies;
    while (query.step()) {
      StoredBody& row = bodies.emplace_back();
      int column = read_columns(query, row.run);
      row.run.body_sha256 = query.text(column++);
      row.has_body = !query.is_null(column);
      row.run.body = query.text(column);
    }
    return bodies;
  });
}

/// Throws Error saying why nothing follows from the body.
StoredRun renewed(const StoredBody& row) {
  if (!row.has_body) throw Error(ErrorCode::unreadable_input, "its body is missing");
  if (sha256_hex(row.run.body) != row.run.body_sha256)
    throw Error(ErrorCode::unreadable_input, "the body is not the one of its hash");
  StoredRun now = assessed(row.run);
  if (now.run_id != row.run.run_id) throw Error(ErrorCode::unreadable_input, "the body is of the run " + now.run_id);
  return now;
}

bool is_changed(const Renewal& renewal) {
  bool changed = false;
  for_derived_columns(renewal.stored, renewal.now,
                      [&](const char*, const auto& stored, const auto& now) { changed = changed || stored != now; });
  return changed;
}

/// What to write of one batch, and what to say.
struct Batch {
  std::vector<Renewal> renewals;
  std::vector<std::string> left;
};

Batch assess(const std::vector<StoredBody>& bodies) {
  Batch batch;
  for (const StoredBody& row : bodies) {
    try {
      Renewal renewal{row.run, renewed(row)};
      if (is_changed(renewal)) batch.renewals.push_back(std::move(renewal));
    } catch (const Error& error) {  // one document that nobody can read must not keep all others from their scores
      batch.left.push_back(fmt::format("{}: left as it is: {}", row.run.run_id, printable_utf8(error.what())));
    }
  }
  return batch;
}

/// The derived columns are the parameters from 1 on, then come the run_id and the quarantine that was seen.
std::string update_statement() {
  std::string assignments;
  int next = 1;
  for_derived_columns({}, {}, [&](const char* column, const auto&, const auto&) {
    assignments += fmt::format("{}{} = ?{}", next == 1 ? "" : ", ", column, next);
    ++next;
  });
  return fmt::format(
      "UPDATE run SET {} WHERE run_id = ?{} AND retracted_at_ms IS NULL AND COALESCE(quarantine_reason, '') = ?{}",
      assignments, next, next + 1);
}

void bind_renewal(Statement& update, const Renewal& renewal) {
  int next = 1;
  for_derived_columns(renewal.stored, renewal.now, [&](const char*, const auto&, const auto& now) {
    if constexpr (std::is_same_v<std::decay_t<decltype(now)>, bool>) {
      update.bind(next++, std::int64_t{now});
    } else if constexpr (std::is_same_v<std::decay_t<decltype(now)>, std::string>) {
      update.bind(next++, std::string_view(now));
    } else {
      update.bind(next++, now);
    }
  });
  update.bind(next, std::string_view(renewal.stored.run_id));
  const std::string seen = renewal.stored.quarantine_reason.value_or("");
  update.bind(next + 1, std::string_view(seen));
}

/// False when somebody else changed one of these runs since it was read: the others are written.
bool write(ConnectionPool& pool, const std::vector<Renewal>& renewals, ReassessReport& report) {
  if (renewals.empty()) return true;
  const ReassessReport written = pool.use(Access::write, [&](Database& database) {
    ReassessReport counted;
    Transaction transaction(database, TransactionKind::concurrent);
    Statement update(database, update_statement());
    for (const Renewal& renewal : renewals) {
      bind_renewal(update, renewal);
      update.run();
      if (database.changes() != 1) continue;
      const bool was_out = renewal.stored.quarantine_reason.has_value(),
                 is_out = renewal.now.quarantine_reason.has_value();
      ++counted.changed;
      if (is_out && !was_out) ++counted.quarantined;
      if (was_out && !is_out) ++counted.released;
    }
    transaction.commit();
    return counted;
  });
  report.changed += written.changed;
  report.quarantined += written.quarantined;
  report.released += written.released;
  return written.changed == renewals.size();
}

}  // namespace

ReassessReport reassess_store(ConnectionPool& pool, const std::function<void(std::string_view)>& say,
                              const std::function<void(const ReassessReport&)>& progress, std::size_t at_once) {
  ReassessReport report;
  std::string done_to;
  int tries = 0;
  for (;;) {
    const std::vector<StoredBody> bodies = bodies_after(pool, done_to, at_once);
    if (bodies.empty()) return report;
    const Batch batch = assess(bodies);
    // Whoever was faster has written something that stays: the batch is looked at once more.
    if (!write(pool, batch.renewals, report)) {
      if (++tries < kMostTries) continue;
      throw Error(ErrorCode::database, "other programs change the same runs again and again; try once more");
    }
    tries = 0;
    for (const std::string& line : batch.left) say(line);
    report.runs += bodies.size();
    report.left += batch.left.size();
    done_to = bodies.back().run.run_id;
    progress(report);
  }
}

std::size_t count_runs(ConnectionPool& pool) {
  return pool.use(Access::read, [](Database& database) {
    Statement query(database, "SELECT COUNT(*) FROM run WHERE retracted_at_ms IS NULL");
    query.step();
    return static_cast<std::size_t>(query.integer(0));
  });
}

std::string describe(const ReassessReport& report) {
  return fmt::format(
      "{} runs read, {} changed, {} newly quarantined, {} released from quarantine, {} left as they were\n",
      report.runs, report.changed, report.quarantined, report.released, report.left);
}

}  // namespace gpuassay
