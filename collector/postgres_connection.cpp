#include "collector/postgres_connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "collector/postgres_url.h"
#include "core/error.h"

namespace gpuassay {
namespace {

using Clock = std::chrono::steady_clock;

/// PostgreSQL 14 and newer can notice between rows that their client has gone: without it the locks of a killed
/// collector would last as long as its statement.
constexpr int kFirstWithConnectionCheck = 140'000;

void ignore_notice(void* /*context*/, const char* /*message*/) {}

std::string single_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

PostgresResult::PostgresResult(std::shared_ptr<const libpq::Functions> functions, libpq::ResultHandle handle)
    : handle_(handle, Clear{std::move(functions)}) {}

bool PostgresResult::is_row() const {
  const auto& functions = *handle_.get_deleter().functions;
  return functions.result_status(handle_.get()) == libpq::kSingleTuple;
}

bool PostgresResult::is_error() const {
  const int status = handle_.get_deleter().functions->result_status(handle_.get());
  return status != libpq::kSingleTuple && status != libpq::kTuplesOk && status != libpq::kCommandOk;
}

std::string PostgresResult::error() const {
  const auto& functions = *handle_.get_deleter().functions;
  const int status = functions.result_status(handle_.get());
  if (status == libpq::kEmptyQuery) return "the statement is empty";
  const char* const message = functions.result_error_field(handle_.get(), libpq::kPrimaryMessageField);
  const char* const state = functions.result_error_field(handle_.get(), libpq::kSqlStateField);
  return fmt::format("{} ({})", message != nullptr ? message : "no message", state != nullptr ? state : "no SQLSTATE");
}

std::optional<std::int64_t> PostgresResult::changed_rows() const {
  const auto& functions = *handle_.get_deleter().functions;
  if (functions.result_status(handle_.get()) != libpq::kCommandOk) return std::nullopt;
  const std::string_view text = functions.command_tuples(handle_.get());
  std::int64_t rows = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), rows);
  return problem == std::errc() ? std::optional(rows) : std::nullopt;
}

bool PostgresResult::is_null(int column) const {
  return handle_.get_deleter().functions->get_is_null(handle_.get(), 0, column) != 0;
}

std::string_view PostgresResult::value(int column) const {
  if (handle_ == nullptr) return {};
  const auto& functions = *handle_.get_deleter().functions;
  const int length = functions.get_length(handle_.get(), 0, column);
  return {functions.get_value(handle_.get(), 0, column), static_cast<std::size_t>(length)};
}

bool PostgresResult::is_bytes(int column) const {
  return handle_ != nullptr && handle_.get_deleter().functions->field_type(handle_.get(), column) == libpq::kByteaOid;
}

PostgresConnection::PostgresConnection(const PostgresOptions& options)
    : options_(options), functions_(libpq::load()), handle_(nullptr, Finish{functions_}) {
  secrets_ = secrets_of_url(*functions_, options_.url);
  const std::string connect_time = std::to_string(options_.connect_time.count());
  // The URL may change what comes before it.
  constexpr std::size_t kCount = 4;
  const std::array<const char*, kCount + 1> keywords{"connect_timeout", "application_name", "dbname", "client_encoding",
                                                     nullptr};
  const std::array<const char*, kCount + 1> values{connect_time.c_str(), "gpuassay-collector", options_.url.c_str(),
                                                   "UTF8", nullptr};
  handle_.reset(functions_->connectdb_params(keywords.data(), values.data(), 1));
  if (handle_ == nullptr) throw Error(ErrorCode::out_of_memory, "no memory for a connection to PostgreSQL");
  if (functions_->status(handle_.get()) != libpq::kConnectionOk) {
    const std::string why = library_message();
    drop();
    throw Error(ErrorCode::database,
                fmt::format("cannot connect to PostgreSQL: {}; check --database and that the server runs", why));
  }
  functions_->set_notice_processor(handle_.get(), ignore_notice, nullptr);
  functions_->set_nonblocking(handle_.get(), 1);
  set_up_session();
}

void PostgresConnection::set_up_session() {
  std::string settings = fmt::format(
      "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = 0; "
      "SET client_min_messages = error; SET extra_float_digits = 1; SET bytea_output = hex; "
      "SET standard_conforming_strings = on; "
      // 'off' would acknowledge what a crash of the server loses.
      "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'; "
      // The server packs bodies of 100 KB; the method it ships with takes longer for that than all the rest of an
      // insert.
      "SELECT set_config(name, 'lz4', false) FROM pg_settings WHERE name = 'default_toast_compression' "
      "AND 'lz4' = ANY (enumvals); "
      // Tables that were filled faster than analysed look so large that seconds go into compiling a query of
      // milliseconds.
      "SELECT set_config(name, 'off', false) FROM pg_settings WHERE name = 'jit';",
      options_.statement_time.count(), options_.lock_time.count());
  if (functions_->server_version(handle_.get()) >= kFirstWithConnectionCheck)
    settings += " SET client_connection_check_interval = 1000;";
  command(settings);
}

std::string PostgresConnection::without_secrets(std::string text) const {
  for (const std::string& secret : secrets_)
    for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at))
      text.replace(at, secret.size(), "");
  return text;
}

std::string PostgresConnection::library_message() const {
  return without_secrets(single_line(functions_->error_message(handle_.get())));
}

void PostgresConnection::lose(const std::string& why) {
  drop();
  throw Error(ErrorCode::database, fmt::format("the connection to PostgreSQL is lost: {}; try again", why));
}

void PostgresConnection::require_sendable(int accepted) {
  if (accepted == 0) lose(library_message());
}

bool PostgresConnection::wait_for_socket(bool to_write, Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  pollfd waiting{functions_->socket(handle_.get()), static_cast<short>(to_write ? POLLIN | POLLOUT : POLLIN), 0};
  const int ready = ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
  return ready != 0 || Clock::now() < deadline;  // a signal is no answer, and no reason to give up
}

void PostgresConnection::wait_until_answered() {
  const auto deadline =
      Clock::now() + (is_patient_ ? options_.long_answer_time : options_.statement_time + options_.answer_grace);
  for (int flushed = 1; flushed == 1;) {
    flushed = functions_->flush(handle_.get());
    if (flushed < 0) lose(library_message());
    if (flushed == 0) break;
    if (!wait_for_socket(true, deadline)) lose("the server takes no more data");
    // The server may be unable to read on before its own answer is taken.
    if (functions_->consume_input(handle_.get()) == 0) lose(library_message());
  }
  while (functions_->is_busy(handle_.get()) != 0) {
    if (!wait_for_socket(false, deadline)) lose("the server did not answer in time");
    if (functions_->consume_input(handle_.get()) == 0) lose(library_message());
  }
}

PostgresResult PostgresConnection::next_result() {
  if (is_lost()) lose("it was lost before");
  wait_until_answered();
  PostgresResult result(functions_, functions_->get_result(handle_.get()));
  if (!result || !result.is_error()) return result;
  std::string why = without_secrets(single_line(result.error()));
  if (functions_->status(handle_.get()) != libpq::kConnectionOk) lose(why);
  for (PostgresResult more = std::move(result); more;) {
    wait_until_answered();
    more = PostgresResult(functions_, functions_->get_result(handle_.get()));
  }
  if (functions_->status(handle_.get()) != libpq::kConnectionOk) lose(why);
  throw Error(ErrorCode::database, fmt::format("a database statement failed: {}; try again, or look into "
                                               "PostgreSQL's log when it stays",
                                               why));
}

void PostgresConnection::command(const std::string& sql) {
  if (is_lost()) lose("it was lost before");
  require_sendable(functions_->send_query(handle_.get(), sql.c_str()));
  while (next_result()) {
  }
}

void PostgresConnection::prepare(const std::string& name, const std::string& sql) {
  if (is_lost()) lose("it was lost before");
  require_sendable(functions_->send_prepare(handle_.get(), name.c_str(), sql.c_str(), 0, nullptr));
  while (next_result()) {
  }
}

void PostgresConnection::send(const std::string& name, const std::vector<PostgresParameter>& parameters) {
  if (is_lost()) lose("it was lost before");
  std::vector<const char*> values;
  std::vector<int> lengths, formats;
  for (const PostgresParameter& parameter : parameters) {
    values.push_back(parameter.is_null ? nullptr : parameter.value.c_str());
    lengths.push_back(static_cast<int>(parameter.value.size()));
    formats.push_back(parameter.is_binary ? 1 : 0);
  }
  constexpr int kTextResults = 0;
  require_sendable(functions_->send_query_prepared(handle_.get(), name.c_str(), static_cast<int>(values.size()),
                                                   values.data(), lengths.data(), formats.data(), kTextResults));
  functions_->set_single_row_mode(handle_.get());
}

bool PostgresConnection::has_failed_transaction() const {
  return !is_lost() && functions_->transaction_status(handle_.get()) == libpq::kInError;
}

}  // namespace gpuassay
