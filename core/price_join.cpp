#include "core/price_join.h"

#include <fmt/format.h>

#include <string>

#include "core/error.h"
#include "core/price_text.h"
#include "core/prices.h"
#include "core/stats.h"
#include "embedded/JoinSql.h"
#include "embedded/JoinTables.h"

namespace gpuassay {
namespace {

/// Reads the columns of one row from left to right, in the order that join.sql states.
class Columns {
 public:
  explicit Columns(const Statement& row) : row_(row) {}
  std::string text() { return row_.text(next_++); }
  std::optional<std::string> optional_text() { return row_.optional_text(next_++); }
  std::int64_t integer() { return row_.integer(next_++); }
  std::optional<std::int64_t> optional_integer() { return row_.optional_integer(next_++); }
  std::optional<bool> flag() {
    const auto value = optional_integer();
    return value ? std::optional(*value != 0) : std::nullopt;
  }
  std::optional<double> optional_real() {
    const int column = next_++;
    return row_.is_null(column) ? std::nullopt : std::optional(row_.real(column));
  }

 private:
  const Statement& row_;
  int next_ = 0;
};

PriceAnswer read_answer(Columns column) {
  PriceAnswer answer;
  answer.match_level = column.text();
  answer.reason = column.optional_text();
  answer.price_id = column.optional_text();
  answer.price_provider = column.optional_text();
  answer.source_ref = column.optional_text();
  answer.amount = column.optional_text();
  answer.currency = column.optional_text();
  answer.unit = column.optional_text();
  answer.fx_rate = column.optional_text();
  answer.fx_date = column.optional_text();
  answer.price_instance_hour_usd = column.optional_integer();
  answer.price_gpu_hour_usd = column.optional_integer();
  answer.candidates = column.integer();
  answer.lowest_gpu_hour_usd = column.optional_integer();
  answer.highest_gpu_hour_usd = column.optional_integer();
  answer.region_match = column.optional_text();
  answer.memory_check = column.optional_text();
  answer.variant_check = column.optional_text();
  answer.count_scaled = column.flag();
  answer.age_days = column.optional_integer();
  answer.stale = column.flag();
  answer.as_of_precision = column.optional_text();
  answer.tax = column.optional_text();
  answer.pricing_model = column.text();
  answer.pricing_model_assumed = column.integer() != 0;
  answer.cost_basis = column.optional_text();
  answer.cost_hour_usd = column.optional_integer();
  constexpr int kDigits = 6;
  if (const auto value = column.optional_real()) answer.score_per_usd_hour = round_significant(*value, kDigits);
  return answer;
}

void insert_question(Statement& insert, std::size_t number, const PriceQuestion& question) {
  insert.bind(1, std::to_string(number)).bind(2, question.provider);
  insert.bind(3, question.instance_type ? std::optional(instance_key(*question.instance_type)) : std::nullopt);
  insert.bind(4, question.region).bind(5, question.gpu_model).bind(6, question.gpu_variant);
  insert.bind(7, question.gpu_count)
      .bind(8, question.gpus_used)
      .bind(9, gpu_memory_mib(question.gpu_memory_gib_total, question.gpu_count));
  insert.bind(10, scaled_quantity(question.vcpus, 1000)).bind(11, scaled_quantity(question.memory_gib, 1024));
  insert.bind(12, question.pricing_model).bind(13, question.commitment_months).bind(14, question.measured_at_ms);
  insert.bind(15, question.score).run();
}

void insert_options(Database& database, const JoinOptions& options) {
  Statement insert(database, "INSERT INTO temp.options VALUES (?, ?, ?, ?, ?, 'linux', 'shared')");
  insert.bind(1, options.pricing_model).bind(2, options.commitment_months).bind(3, options.max_age_days);
  insert.bind(4, std::int64_t{options.rental_equivalent});
  insert.bind(5, std::string_view(options.gpu_share ? "gpu_share" : "machine")).run();
}

/// Tables of their own for one question; they hide tables and views of the same name until they are dropped.
class TemporaryTables {
 public:
  explicit TemporaryTables(Database& database) : database_(database) {
    database_.execute(std::string(kDrop) + std::string(embedded::kJoinTables));
  }
  TemporaryTables(const TemporaryTables&) = delete;
  TemporaryTables& operator=(const TemporaryTables&) = delete;
  // It fails when the connection is lost, and its temporary tables with it.
  ~TemporaryTables() { drop(); }

 private:
  bool drop() noexcept {
    try {
      database_.execute(std::string(kDrop));
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  static constexpr std::string_view kDrop = "DROP TABLE IF EXISTS temp.results; DROP TABLE IF EXISTS temp.options;";
  Database& database_;
};

std::vector<PriceAnswer> ask(Database& database, std::size_t count) {
  std::vector<PriceAnswer> answers(count);
  Statement query(database, join_sql());
  while (query.step()) {
    Columns column(query);
    const std::size_t number = std::stoul(column.text());
    answers.at(number) = read_answer(column);
  }
  return answers;
}

}  // namespace

std::string_view join_sql() { return embedded::kJoinSql; }

std::vector<PriceAnswer> join_prices(Database& database, const std::vector<PriceQuestion>& questions,
                                     const JoinOptions& options) {
  const TemporaryTables tables(database);
  Statement insert(database, "INSERT INTO temp.results VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  for (std::size_t number = 0; number < questions.size(); ++number) insert_question(insert, number, questions[number]);
  insert_options(database, options);
  return ask(database, questions.size());
}

}  // namespace gpuassay
