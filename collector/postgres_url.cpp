#include "collector/postgres_url.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "core/error.h"

namespace gpuassay {
namespace {

[[noreturn]] void refuse() {
  throw Error(ErrorCode::usage,
              "--database is not understood (it is not shown as it may hold a password); write "
              "postgresql://USER:PASSWORD@HOST:PORT/NAME with %40 for @, %2F for / and %3A for : in the password");
}

bool is_port(std::string_view text) { return text.find_first_not_of("0123456789,") == std::string_view::npos; }

}  // namespace

bool is_postgres_url(std::string_view text) {
  return text.substr(0, 13) == "postgresql://" || text.substr(0, 11) == "postgres://";
}

std::vector<std::string> secrets_of_url(const libpq::Functions& functions, const std::string& url) {
  if (!is_postgres_url(url)) refuse();
  char* problem = nullptr;
  const std::unique_ptr<libpq::ConnectionOption[], void (*)(libpq::ConnectionOption*)> options(
      functions.conninfo_parse(url.c_str(), &problem), functions.conninfo_free);
  if (problem != nullptr) functions.freemem(problem);  // it repeats the URL
  if (options == nullptr) refuse();
  std::vector<std::string> secrets;
  for (const libpq::ConnectionOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string_view keyword = option->keyword, value = option->val;
    if ((keyword == "host" || keyword == "dbname") && value.find('@') != std::string_view::npos) refuse();
    if (keyword == "port" && !is_port(value)) refuse();
    if (std::strchr(option->dispchar, '*') != nullptr && !value.empty()) secrets.emplace_back(value);
  }
  return secrets;
}

void blank_password(char* argument) {
  char* const scheme = std::strstr(argument, "://");
  if (scheme == nullptr || std::strstr(argument, "postgres") == nullptr) return;
  char* const end = argument + std::strlen(argument);
  // Up to the last @, as a password may hold one by mistake.
  char* const at = std::find(std::make_reverse_iterator(end), std::make_reverse_iterator(scheme), '@').base();
  if (at > scheme + 3) {
    char* const user_end = std::find(scheme + 3, at, ':');
    if (user_end < at) std::fill(user_end + 1, at - 1, 'x');
  }
  for (char* query = std::strstr(argument, "password="); query != nullptr; query = std::strstr(query, "password=")) {
    query += std::strlen("password=");
    std::fill(query, std::find(query, end, '&'), 'x');
  }
}

}  // namespace gpuassay
