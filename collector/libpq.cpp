#include "collector/libpq.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "core/error.h"

namespace gpuassay::libpq {
namespace {

[[noreturn]] void throw_missing(const std::string& soname, const char* why) {
  throw Error(
      ErrorCode::library_missing,
      fmt::format("PostgreSQL's client library {} cannot be used: {}; install it (Debian, Ubuntu: apt-get install "
                  "libpq5; Fedora: dnf install libpq) or leave out --database",
                  soname, why != nullptr ? why : "unknown reason"));
}

/// Sets `function` to the function exported as `name`.
template <class Function>
void find(void* library, const std::string& soname, const char* name, Function& function) {
  void* const address = ::dlsym(library, name);
  if (address == nullptr) throw_missing(soname, fmt::format("it has no {}", name).c_str());
  function = reinterpret_cast<Function>(address);
}

}  // namespace

std::shared_ptr<const Functions> load(const std::string& soname) {
  void* const library = ::dlopen(soname.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw_missing(soname, ::dlerror());
  auto table = std::make_shared<Functions>();
  const auto bind = [&](const char* name, auto& function) { find(library, soname, name, function); };
  bind("PQconninfoParse", table->conninfo_parse);
  bind("PQconninfoFree", table->conninfo_free);
  bind("PQfreemem", table->freemem);
  bind("PQconnectdbParams", table->connectdb_params);
  bind("PQfinish", table->finish);
  bind("PQstatus", table->status);
  bind("PQtransactionStatus", table->transaction_status);
  bind("PQsocket", table->socket);
  bind("PQserverVersion", table->server_version);
  bind("PQerrorMessage", table->error_message);
  bind("PQsetnonblocking", table->set_nonblocking);
  bind("PQflush", table->flush);
  bind("PQconsumeInput", table->consume_input);
  bind("PQisBusy", table->is_busy);
  bind("PQsendQuery", table->send_query);
  bind("PQsendPrepare", table->send_prepare);
  bind("PQsendQueryPrepared", table->send_query_prepared);
  bind("PQsetSingleRowMode", table->set_single_row_mode);
  bind("PQgetResult", table->get_result);
  bind("PQresultStatus", table->result_status);
  bind("PQresultErrorField", table->result_error_field);
  bind("PQftype", table->field_type);
  bind("PQgetisnull", table->get_is_null);
  bind("PQgetlength", table->get_length);
  bind("PQgetvalue", table->get_value);
  bind("PQcmdTuples", table->command_tuples);
  bind("PQclear", table->clear);
  bind("PQsetNoticeProcessor", table->set_notice_processor);
  return table;
}

}  // namespace gpuassay::libpq
