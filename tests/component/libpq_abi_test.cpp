// Compile-only: our declarations of libpq's ABI are those of <libpq-fe.h>. Built where that header is.
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <cstddef>

#include "collector/libpq.h"
#include "tests/support/same_signature.h"

namespace gpuassay::libpq {
namespace {

template <auto kOurMember, class Theirs>
constexpr bool kSame = test::kSameSignature<Functions, kOurMember, Theirs>;

static_assert(kSame<&Functions::conninfo_parse, decltype(&::PQconninfoParse)>);
static_assert(kSame<&Functions::conninfo_free, decltype(&::PQconninfoFree)>);
static_assert(kSame<&Functions::freemem, decltype(&::PQfreemem)>);
static_assert(kSame<&Functions::connectdb_params, decltype(&::PQconnectdbParams)>);
static_assert(kSame<&Functions::finish, decltype(&::PQfinish)>);
static_assert(kSame<&Functions::status, decltype(&::PQstatus)>);
static_assert(kSame<&Functions::transaction_status, decltype(&::PQtransactionStatus)>);
static_assert(kSame<&Functions::socket, decltype(&::PQsocket)>);
static_assert(kSame<&Functions::server_version, decltype(&::PQserverVersion)>);
static_assert(kSame<&Functions::error_message, decltype(&::PQerrorMessage)>);
static_assert(kSame<&Functions::set_nonblocking, decltype(&::PQsetnonblocking)>);
static_assert(kSame<&Functions::flush, decltype(&::PQflush)>);
static_assert(kSame<&Functions::consume_input, decltype(&::PQconsumeInput)>);
static_assert(kSame<&Functions::is_busy, decltype(&::PQisBusy)>);
static_assert(kSame<&Functions::send_query, decltype(&::PQsendQuery)>);
static_assert(kSame<&Functions::send_prepare, decltype(&::PQsendPrepare)>);
static_assert(kSame<&Functions::send_query_prepared, decltype(&::PQsendQueryPrepared)>);
static_assert(kSame<&Functions::set_single_row_mode, decltype(&::PQsetSingleRowMode)>);
static_assert(kSame<&Functions::get_result, decltype(&::PQgetResult)>);
static_assert(kSame<&Functions::result_status, decltype(&::PQresultStatus)>);
static_assert(kSame<&Functions::result_error_field, decltype(&::PQresultErrorField)>);
static_assert(kSame<&Functions::field_type, decltype(&::PQftype)>);
static_assert(kSame<&Functions::get_is_null, decltype(&::PQgetisnull)>);
static_assert(kSame<&Functions::get_length, decltype(&::PQgetlength)>);
static_assert(kSame<&Functions::get_value, decltype(&::PQgetvalue)>);
static_assert(kSame<&Functions::command_tuples, decltype(&::PQcmdTuples)>);
static_assert(kSame<&Functions::clear, decltype(&::PQclear)>);
static_assert(kSame<&Functions::set_notice_processor, decltype(&::PQsetNoticeProcessor)>);
// The comparison itself can fail.
static_assert(!kSame<&Functions::clear, decltype(&::PQcmdTuples)>);

static_assert(test::kSameLayout<ConnectionOption, ::PQconninfoOption>);
static_assert(offsetof(ConnectionOption, keyword) == offsetof(::PQconninfoOption, keyword));
static_assert(offsetof(ConnectionOption, val) == offsetof(::PQconninfoOption, val));
static_assert(offsetof(ConnectionOption, dispchar) == offsetof(::PQconninfoOption, dispchar));

static_assert(kConnectionOk == int{CONNECTION_OK} && kInError == int{PQTRANS_INERROR});
static_assert(kEmptyQuery == int{PGRES_EMPTY_QUERY} && kCommandOk == int{PGRES_COMMAND_OK});
static_assert(kTuplesOk == int{PGRES_TUPLES_OK} && kSingleTuple == int{PGRES_SINGLE_TUPLE});
static_assert(kSqlStateField == PG_DIAG_SQLSTATE && kPrimaryMessageField == PG_DIAG_MESSAGE_PRIMARY);

TEST(LibpqAbi, OurDeclarationsAreThoseOfTheHeader) { SUCCEED() << "checked by the compiler"; }

}  // namespace
}  // namespace gpuassay::libpq
