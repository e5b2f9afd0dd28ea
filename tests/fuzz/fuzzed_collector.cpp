#include "tests/fuzz/fuzzed_collector.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "collector/beast_message.h"
#include "collector/content_coding.h"
#include "core/receipt.h"
#include "core/result_json.h"
#include "core/schema.h"
#include "tests/support/example_result.h"
#include "tests/support/memory_pool.h"

namespace gpuassay::fuzz {
namespace {

namespace http = boost::beast::http;

constexpr std::int64_t kNowMs = 1'800'000'000'000;  // a year after every seed
constexpr std::string_view kResults = "/v1/results";

/// The same in each run: an input must always do the same.
KeyPair fixed_key(char letter) {
  constexpr std::size_t kSeedBytes = 32;
  return KeyPair::from_file_content("gpuassay-ed25519-v1 " + base64(std::string(kSeedBytes, letter)));
}

bool is_one_of(int status, std::initializer_list<int> expected) {
  return std::find(expected.begin(), expected.end(), status) != expected.end();
}

std::string whole_body(HttpReply& reply) {
  std::string body = reply.body;
  if (!reply.next) return body;
  for (std::string piece = reply.next(); !piece.empty(); piece = reply.next()) body += piece;
  return body;
}

/// What every client may rely on.
void check_reply(const HttpReply& reply) {
  // 429 and 503 are for limits and faults that are not here, 500 is for our own mistakes.
  if (!is_one_of(reply.status, {200, 201, 400, 403, 404, 405, 406, 409, 410, 413, 415, 422, 431}))
    found("status " + std::to_string(reply.status) + ": " + reply.body);
  for (const auto& [name, value] : reply.headers)
    if (value.find_first_of("\r\n") != std::string::npos) found("a header of two lines: " + name);
  if (reply.status < 400) return;
  const auto problem = nlohmann::json::parse(reply.body, nullptr, false);
  if (reply.content_type != "application/problem+json" || !problem.is_object() || problem["status"] != reply.status)
    found("not a problem document: " + reply.body);
}

/// What is shown of a stored body is that body, but for its hashed identifiers: those are others.
void check_published(const std::string& stored, const std::string& shown) {
  if (stored == shown) {
    const auto document = nlohmann::json::parse(stored);
    for (const auto& device : document["devices"])
      if (!device["uuid_hash"].is_null()) found("a GPU's identifier is shown as it was sent");
    if (!document["platform"]["instance_id_hash"].is_null()) found("an instance's identifier is shown as it was sent");
    return;
  }
  auto sent = nlohmann::json::parse(stored);
  auto seen = nlohmann::json::parse(shown);
  const auto hide = [](nlohmann::json& from, nlohmann::json& to) {
    if (!from.is_null() && from != to) from = to = "hidden";
  };
  if (sent["devices"].size() != seen["devices"].size()) found("another number of devices is stored");
  for (std::size_t i = 0; i < sent["devices"].size(); ++i)
    hide(sent["devices"][i]["uuid_hash"], seen["devices"][i]["uuid_hash"]);
  hide(sent["platform"]["instance_id_hash"], seen["platform"]["instance_id_hash"]);
  if (sent != seen) found("another body is stored");
}

/// A row of the table has six tags; what a run says must add none.
void check_page(const std::string& page) {
  constexpr std::ptrdiff_t kOtherTags = 18;
  constexpr std::ptrdiff_t kTagsOfRow = 6;
  std::ptrdiff_t rows = 0;
  for (std::size_t at = page.find("<tr>"); at != std::string::npos; at = page.find("<tr>", at + 1)) ++rows;
  if (std::count(page.begin(), page.end(), '<') != kOtherTags + rows * kTagsOfRow)
    found("a tag that is not ours: " + page);
}

void check_lines(const std::string& ndjson) {
  for (std::size_t at = 0; at < ndjson.size();) {
    const std::size_t end = ndjson.find('\n', at);
    if (end == std::string::npos || !nlohmann::json::accept(ndjson.begin() + static_cast<std::ptrdiff_t>(at),
                                                            ndjson.begin() + static_cast<std::ptrdiff_t>(end)))
      found("a line that is not JSON: " + ndjson);
    at = end + 1;
  }
}

/// What a spreadsheet may pass over before it finds a formula, written without looking at how the collector does it:
/// ASCII up to the space, and the two and three bytes of the blanks and format characters of the Basic Multilingual
/// Plane.
std::size_t after_blanks(std::string_view text) {
  using namespace std::string_view_literals;
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const std::string_view two = text.substr(at, 2), three = text.substr(at, 3);
    if (byte <= ' ' || byte == 0x7F) {
      at += 1;
    } else if ((byte == 0xC2 && two.size() == 2 && static_cast<unsigned char>(two[1]) <= 0xA0) || two == "\xC2\xAD"sv) {
      at += 2;
    } else if ((three >= "\xE2\x80\x80"sv && three <= "\xE2\x80\x8F"sv) ||
               (three >= "\xE2\x80\xA8"sv && three <= "\xE2\x80\xAF"sv) ||
               (three >= "\xE2\x81\x9F"sv && three <= "\xE2\x81\xAF"sv) || three == "\xE3\x80\x80"sv ||
               three == "\xEF\xBB\xBF"sv || three == "\xE1\x9A\x80"sv) {
      at += 3;
    } else {
      return at;
    }
  }
  return text.size();
}

/// Every cell is empty, a number, or a quoted text that no spreadsheet takes for a formula.
void check_csv(const std::string& csv) {
  bool quoted = false;
  for (std::size_t at = 0; at < csv.size(); ++at) {
    if (csv[at] == '"') quoted = !quoted;
    const bool begins = quoted && csv[at] == '"' && (at == 0 || csv[at - 1] == ',' || csv[at - 1] == '\n');
    if (begins) {
      const std::string_view cell = std::string_view(csv).substr(at + 1);
      const std::size_t seen = after_blanks(cell);
      if (seen < cell.size() && std::string_view("=+-@").find(cell[seen]) != std::string_view::npos)
        found("a formula: " + csv);
    }
    if (quoted && (static_cast<unsigned char>(csv[at]) < ' ' || csv[at] == 0x7F)) found("a control in a cell: " + csv);
  }
  if (quoted) found("a quote that does not end: " + csv);
}

}  // namespace

void found(std::string_view what) {
  std::fprintf(stderr, "FOUND: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

FuzzedCollector::FuzzedCollector()
    : pool_(test::memory_pool()),
      store_(*pool_),
      agent_(fixed_key('a')),
      collector_(fixed_key('c')),
      ingest_(store_, collector_, {true, {0, 0}}, [] { return kNowMs; }),
      keys_(store_, collector_, [] { return kNowMs; }),
      aggregates_(std::make_shared<const Aggregates>()),
      names_(*pool_->take(ConnectionPool::Access::write)),
      read_(store_, names_, space_, [this] { return aggregates_; }),
      floor_(*pool_, store_),
      public_log_(*pool_, collector_, [] { return kNowMs; }),
      log_routes_(public_log_, store_),
      routes_({ingest_, keys_, store_, read_, floor_.routes, log_routes_, [] {}, {0, 0}},
              [](std::string_view line) { found("the collector failed: " + std::string(line)); }) {}
FuzzedCollector::~FuzzedCollector() = default;

void FuzzedCollector::answer_bytes(std::string_view bytes) {
  const ServerLimits limits;
  http::request_parser<http::string_body> parser;
  parser.header_limit(limits.header_bytes);
  parser.body_limit(limits.body_bytes);
  parser.eager(true);
  boost::system::error_code error;
  while (!error && !parser.is_done() && !bytes.empty()) {
    const std::size_t taken = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    if (taken == 0) break;
    bytes.remove_prefix(taken);
  }
  if (!error && !parser.is_done()) return;  // the client stopped in the middle
  if (error) {
    if (const auto reply = reply_to_failed_read(error, limits)) check_reply(*reply);
    return;
  }
  answer_with_codings(
      to_request(parser.release()), limits.decoded_bytes,
      [this](const HttpRequest& request) { return answer_signed(request); }, [](int) {});
}

void FuzzedCollector::get(std::string_view target) {
  HttpRequest request{"GET", std::string(target.substr(0, target.find('?'))), {}, {}};
  if (request.path.size() < target.size()) request.query = target.substr(request.path.size() + 1);
  HttpReply reply = answer(request);
  const std::string body = whole_body(reply);
  if (reply.content_type == "application/json" && !nlohmann::json::accept(body)) found("not JSON: " + body);
  if (reply.content_type == "application/x-ndjson") check_lines(body);
  if (reply.content_type == "text/csv; charset=utf-8") check_csv(body);
}

void FuzzedCollector::fill() {
  constexpr int kRuns = 5;
  for (int number = 0; number < kRuns; ++number) {
    Result result = test::example_result();
    result.run_id.back() = static_cast<char>('0' + number);
    result.platform.region = number % 2 == 0 ? "<b>\"eu\"" : "=1+1";
    HttpRequest request{"POST", std::string(kResults), {{"content-type", "application/json"}}, canonical_json(result)};
    const HttpReply reply = answer_signed(std::move(request));
    if (reply.status != 201) found("a seed is not stored: " + reply.body);
    public_log_.append_waiting();
  }
}

HttpReply FuzzedCollector::answer(const HttpRequest& request) {
  HttpReply reply = routes_.answer(request);
  if (reply.make) reply = reply.make([] { return true; });
  check_reply(reply);
  return reply;
}

HttpReply FuzzedCollector::answer_signed(HttpRequest request) {
  const bool is_upload = request.method == "POST" && request.path == kResults;
  const std::size_t id_at = kResults.size() + 1;
  const bool is_deletion = request.method == "DELETE" && request.path.size() > id_at;
  if ((is_upload || is_deletion) && !request.headers.contains("gpuassay-signature")) {
    const std::string message =
        is_upload ? result_signing_message(request.body) : deletion_signing_message(request.path.substr(id_at));
    request.headers["gpuassay-key"] = base64(agent_.public_key());
    request.headers["gpuassay-signature"] = base64(agent_.sign(message));
  }
  HttpReply reply = answer(request);
  if (reply.status == 201) check_stored(request, reply);
  return reply;
}

/// What was acknowledged is there as it was sent, asked again it is answered the same, and nothing of it becomes part
/// of a page or an export that is not text.
void FuzzedCollector::check_stored(const HttpRequest& upload, const HttpReply& first) {
  const HttpReply again = answer(upload);
  if (again.status != 200 || again.body != first.body) found("a replay has another answer: " + again.body);
  const std::string run_id = nlohmann::json::parse(upload.body)["run_id"];
  std::string problem;
  if (!verified_receipt(first.body, run_id, upload.body, problem)) found(problem);
  check_published(upload.body, answer({"GET", "/v1/results/" + run_id, {}, {}}).body);
  check_page(answer({"GET", "/r/" + run_id, {}, {}}).body);
  get("/v1/export.csv");
  get("/v1/export.ndjson");
  get("/v1/results?simulated=true&quarantined=true");
  // The price join and the schema's library take longer than all the rest: for some, always the same ones.
  if (upload.body.size() % 4 == 0) {
    static const SchemaValidator library("result");
    const auto reasons = library.reasons(nlohmann::json::parse(upload.body));
    if (!reasons.empty()) found("the quick judge accepted what the library does not: " + reasons.front());
  }
  if (upload.body.size() % 16 == 0) {
    aggregates_ =
        std::make_shared<const Aggregates>(read_aggregates(*pool_->take(ConnectionPool::Access::read), kNowMs));
    get("/v1/offers");
  }
  forget_runs();
}

void FuzzedCollector::forget_runs() {
  pool_->take(ConnectionPool::Access::write)
      ->execute(
          "DELETE FROM run; DELETE FROM run_body; DELETE FROM signing_key; DELETE FROM log_entry WHERE leaf_index IS "
          "NULL");
}

}  // namespace gpuassay::fuzz
