// Which functions of PostgreSQL's client library (libpq.so.5) does the collector call, and is the library here?
// It is opened at run time, so that the portable release needs no PostgreSQL (docs/adr/0007-libpq-at-run-time.md). The
// declarations are our own; tests/component/libpq_abi_test.cpp compares them with <libpq-fe.h>.
#pragma once

#include <memory>
#include <string>

namespace gpuassay::libpq {

inline constexpr const char* kSoname = "libpq.so.5";

// ---- the ABI of libpq 5; enums travel as int ----
struct ConnectionRecord;
struct ResultRecord;
using ConnectionHandle = ConnectionRecord*;
using ResultHandle = ResultRecord*;

struct ConnectionOption {
  char *keyword, *envvar, *compiled, *val, *label, *dispchar;
  int dispsize;
};

enum ConnectionStatus : int { kConnectionOk = 0 };
enum ResultStatus : int { kEmptyQuery = 0, kCommandOk = 1, kTuplesOk = 2, kSingleTuple = 9 };
enum TransactionStatus : int { kInError = 3 };
inline constexpr int kSqlStateField = 'C';        // PG_DIAG_SQLSTATE
inline constexpr int kPrimaryMessageField = 'M';  // PG_DIAG_MESSAGE_PRIMARY
inline constexpr unsigned kByteaOid = 17;         // BYTEAOID of catalog/pg_type_d.h

/// The functions, found once.
struct Functions {
  ConnectionOption* (*conninfo_parse)(const char*, char**);
  void (*conninfo_free)(ConnectionOption*);
  void (*freemem)(void*);
  ConnectionHandle (*connectdb_params)(const char* const*, const char* const*, int);
  void (*finish)(ConnectionHandle);
  int (*status)(ConnectionHandle);
  int (*transaction_status)(ConnectionHandle);
  int (*socket)(ConnectionHandle);
  int (*server_version)(ConnectionHandle);
  char* (*error_message)(ConnectionHandle);
  int (*set_nonblocking)(ConnectionHandle, int);
  int (*flush)(ConnectionHandle);
  int (*consume_input)(ConnectionHandle);
  int (*is_busy)(ConnectionHandle);
  int (*send_query)(ConnectionHandle, const char*);
  int (*send_prepare)(ConnectionHandle, const char*, const char*, int, const unsigned*);
  int (*send_query_prepared)(ConnectionHandle, const char*, int, const char* const*, const int*, const int*, int);
  int (*set_single_row_mode)(ConnectionHandle);
  ResultHandle (*get_result)(ConnectionHandle);
  int (*result_status)(ResultHandle);
  char* (*result_error_field)(ResultHandle, int);
  unsigned (*field_type)(ResultHandle, int);
  int (*get_is_null)(ResultHandle, int, int);
  int (*get_length)(ResultHandle, int, int);
  char* (*get_value)(ResultHandle, int, int);
  char* (*command_tuples)(ResultHandle);
  void (*clear)(ResultHandle);
  void (*(*set_notice_processor)(ConnectionHandle, void (*)(void*, const char*), void*))(void*, const char*);
};

/// Opens `soname`; it stays in the process. Throws Error{library_missing} saying which package has it.
std::shared_ptr<const Functions> load(const std::string& soname = kSoname);

}  // namespace gpuassay::libpq
