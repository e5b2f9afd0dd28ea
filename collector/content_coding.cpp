#include "collector/content_coding.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "collector/gzip.h"
#include "core/ascii.h"

namespace gpuassay {
namespace {

constexpr std::size_t kSmallestPackedBytes = 1U << 10U;  // below it, packing costs more than it saves
constexpr std::string_view kContentEncoding = "content-encoding";
constexpr int kMostQuality = 1000;

std::string_view without_spaces(std::string_view text) {
  constexpr std::string_view kSpaces = " \t";
  const auto first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

/// What comes before the first `separator`, which is taken off `text` with it.
std::string_view take_until(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return without_spaces(part);
}

/// "0.25" as 250 thousandths; 0 for what RFC 9110 section 12.4.2 does not allow.
int quality_of(std::string_view text) {
  constexpr std::size_t kLongest = 5;
  if (text.empty() || text.size() > kLongest || (text[0] != '0' && text[0] != '1')) return 0;
  if (text.size() > 1 && text[1] != '.') return 0;
  int quality = (text[0] - '0') * kMostQuality;
  int place = kMostQuality / 10;
  for (const char digit : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (digit < '0' || digit > '9') return 0;
    quality += (digit - '0') * place;
    place /= 10;
  }
  return quality <= kMostQuality ? quality : 0;
}

/// Of the parameters after a coding.
int quality_among(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view parameter = take_until(parameters, ';');
    if (lower_case(parameter.substr(0, 2)) == "q=") return quality_of(parameter.substr(2));
  }
  return kMostQuality;
}

bool is_gzip(std::string_view coding) { return coding == "gzip" || coding == "x-gzip"; }

std::optional<std::string_view> header(const HttpRequest& request, std::string_view name) {
  const auto found = request.headers.find(std::string(name));
  return found == request.headers.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

HttpReply unknown_coding() {
  HttpReply reply = problem_reply(415, "Unsupported content encoding", "Send the body as it is, or in gzip alone.");
  reply.headers.emplace_back("Accept-Encoding", "gzip, identity");
  return reply;
}

/// The pieces of `inner`, packed. Its state is shared, as functions are copied.
std::function<std::string()> packed_pieces(std::string first, std::function<std::string()> inner) {
  struct State {
    std::string first;
    std::function<std::string()> inner;
    GzipWriter writer = {};
    bool is_done = false;
  };
  const auto state = std::make_shared<State>(State{std::move(first), std::move(inner)});
  return [state] {
    std::string packed;
    if (!state->first.empty()) packed = state->writer.add(std::exchange(state->first, {}));
    while (packed.empty() && !state->is_done) {
      const std::string piece = state->inner();
      state->is_done = piece.empty();
      packed = state->is_done ? state->writer.finish() : state->writer.add(piece);
    }
    return packed;
  };
}

void add_vary(HttpReply& reply) {
  for (auto& [name, value] : reply.headers) {
    if (lower_case(name) != "vary") continue;
    value += ", Accept-Encoding";
    return;
  }
  reply.headers.emplace_back("Vary", "Accept-Encoding");
}

}  // namespace

AcceptedCodings accepted_codings(const std::optional<std::string_view>& accept_encoding) {
  if (!accept_encoding) return {};
  std::optional<int> gzip, identity, others;
  std::string_view rest = *accept_encoding;
  while (!rest.empty()) {
    std::string_view parameters = take_until(rest, ',');
    const std::string coding = lower_case(take_until(parameters, ';'));
    const int quality = quality_among(parameters);
    if (is_gzip(coding)) gzip = quality;
    if (coding == "identity") identity = quality;
    if (coding == "*") others = quality;
  }
  const int gzip_quality = gzip ? *gzip : others.value_or(0);
  // Named by nothing, identity is acceptable, and less so than whatever was named.
  const bool is_implied = !identity && !others;
  const int identity_quality = is_implied ? 0 : identity ? *identity : *others;
  AcceptedCodings accepted;
  accepted.may_be_plain = is_implied || identity_quality > 0;
  if (gzip_quality > 0 && gzip_quality >= identity_quality)
    accepted.preferred = Coding::gzip;
  else
    accepted.preferred = accepted.may_be_plain ? Coding::identity : Coding::none_acceptable;
  return accepted;
}

std::optional<HttpReply> decode_body(HttpRequest& request, std::size_t most_bytes) {
  const auto named = header(request, kContentEncoding);
  if (!named) return std::nullopt;
  const std::string coding = lower_case(without_spaces(*named));
  if (is_gzip(coding)) {
    std::string unpacked;
    const GunzipStatus status = gunzip(request.body, most_bytes, unpacked);
    if (status == GunzipStatus::too_large)
      return problem_reply(413, "Body too large", fmt::format("Unpacked, at most {} bytes.", most_bytes));
    if (status == GunzipStatus::broken)
      return problem_reply(400, "Not a gzip body", "The body is no single, whole and undamaged member of gzip.");
    request.body = std::move(unpacked);
  } else if (coding != "identity") {
    return unknown_coding();
  }
  request.headers.erase(std::string(kContentEncoding));
  return std::nullopt;
}

HttpReply encode_reply(HttpReply reply, const AcceptedCodings& accepted) {
  if (reply.make) {
    reply.make = [make = std::move(reply.make), accepted](const HttpReply::StillWanted& still_wanted) {
      return encode_reply(make(still_wanted), accepted);
    };
    return reply;
  }
  const bool is_encoded = std::any_of(reply.headers.begin(), reply.headers.end(),
                                      [](const auto& field) { return lower_case(field.first) == kContentEncoding; });
  const bool has_body = reply.next || !reply.body.empty();
  const bool is_worth_it = reply.next || reply.body.size() > kSmallestPackedBytes;
  if (is_encoded || !has_body || (!is_worth_it && accepted.may_be_plain)) return reply;
  add_vary(reply);
  if (accepted.preferred != Coding::gzip) return reply;
  reply.headers.emplace_back("Content-Encoding", "gzip");
  if (reply.next) {
    reply.next = packed_pieces(std::exchange(reply.body, {}), std::move(reply.next));
    return reply;
  }
  GzipWriter writer;
  std::string packed = writer.add(reply.body);
  packed += writer.finish();
  reply.body = std::move(packed);
  return reply;
}

HttpReply answer_with_codings(HttpRequest request, std::size_t most_bytes,
                              const std::function<HttpReply(const HttpRequest&)>& handler,
                              const std::function<void(int)>& refused) {
  const AcceptedCodings accepted = accepted_codings(header(request, "accept-encoding"));
  std::optional<HttpReply> refusal;
  // Said before the handler does anything: a stored upload must not be answered with a refusal.
  if (accepted.preferred == Coding::none_acceptable)
    refusal = problem_reply(406, "No acceptable content encoding", "Replies are sent as they are, or in gzip.");
  if (!refusal) refusal = decode_body(request, most_bytes);
  if (!refusal) return encode_reply(handler(request), accepted);
  refused(refusal->status);
  return *std::move(refusal);
}

}  // namespace gpuassay
