#include "collector/content_coding.h"

#include <gtest/gtest.h>

#include "tests/support/gzip_text.h"

namespace gpuassay {
namespace {

constexpr std::size_t kMostBytes = 1U << 16U;

using test::packed;
using test::unpacked;

std::string header_of(const HttpReply& reply, std::string_view name) {
  for (const auto& [key, value] : reply.headers)
    if (key == name) return value;
  return "none";
}

Coding preferred(std::string_view header) { return accepted_codings(header).preferred; }

TEST(AcceptedCodings, WithoutTheHeaderNothingIsPacked) {
  EXPECT_EQ(accepted_codings(std::nullopt).preferred, Coding::identity);
  EXPECT_EQ(preferred(""), Coding::identity);
}

TEST(AcceptedCodings, QualitiesDecide) {
  for (const char* const header :
       {"gzip", "GZIP", "x-gzip", "deflate, gzip;q=0.001", "*", "gzip;q=0.5", "br, *;q=0.1",
        "identity;q=0.5, gzip;q=0.5", "identity;q=0.2,gzip ; Q=0.8", "gzip;q=1.000", "\tgzip ", "identity;q=0, *"})
    EXPECT_EQ(preferred(header), Coding::gzip) << header;
  for (const char* const header :
       {"identity", "br", "gzip;q=0", "gzip;q=0, *", "identity, gzip;q=0.9", "*;q=0, identity", "gzip;q=2",
        "gzip;q=0.5x", "gzip;q=1.001", "gzip;q=0.0000", "gzip;q=-1", "gzip;q=", "gzipped", "gzip;q=0.000"})
    EXPECT_EQ(preferred(header), Coding::identity) << header;
}

TEST(AcceptedCodings, IdentityCanBeExcluded) {
  for (const char* const header : {"identity;q=0", "*;q=0", "br, *;q=0", "gzip;q=0, identity;q=0"})
    EXPECT_EQ(preferred(header), Coding::none_acceptable) << header;
  EXPECT_FALSE(accepted_codings("gzip, identity;q=0").may_be_plain);
  EXPECT_FALSE(accepted_codings("gzip, *;q=0").may_be_plain);
  EXPECT_TRUE(accepted_codings("gzip, identity;q=0.1, *;q=0").may_be_plain);
  EXPECT_TRUE(accepted_codings("gzip").may_be_plain);
}

HttpRequest request_with(const std::string& coding, std::string body) {
  return {"POST", "/", {{"content-encoding", coding}}, std::move(body)};
}

int refusal_of(const std::string& coding, std::string body) {
  HttpRequest request = request_with(coding, std::move(body));
  const auto reply = decode_body(request, kMostBytes);
  return reply ? reply->status : 0;
}

TEST(DecodeBody, GzipIsUnpackedAndNoLongerNamed) {
  for (const char* const coding : {"gzip", "GZip", "x-gzip", " gzip "}) {
    HttpRequest request = request_with(coding, packed("text"));
    EXPECT_FALSE(decode_body(request, kMostBytes)) << coding;
    EXPECT_EQ(request.body, "text");
    EXPECT_TRUE(request.headers.empty());
  }
  HttpRequest plain = request_with("identity", "text");
  EXPECT_FALSE(decode_body(plain, kMostBytes));
  EXPECT_EQ(plain.body, "text");
}

TEST(DecodeBody, RefusalsSayWhich) {
  EXPECT_EQ(refusal_of("gzip", "text"), 400);
  EXPECT_EQ(refusal_of("gzip", ""), 400);
  EXPECT_EQ(refusal_of("gzip", packed(std::string(kMostBytes, 'x'))), 0);
  EXPECT_EQ(refusal_of("gzip", packed(std::string(kMostBytes + 1, 'x'))), 413);
  for (const char* const coding : {"br", "deflate", "zstd", "gzip, gzip", "identity, gzip", ""})
    EXPECT_EQ(refusal_of(coding, packed("text")), 415) << coding;
  HttpRequest request = request_with("br", "");
  EXPECT_EQ(header_of(*decode_body(request, kMostBytes), "Accept-Encoding"), "gzip, identity");
}

HttpReply reply_of(std::size_t size) { return {200, "text/plain", std::string(size, 'x'), {}, {}}; }

TEST(EncodeReply, LongRepliesArePackedAndSaySo) {
  const HttpReply reply = encode_reply(reply_of(1025), accepted_codings("gzip"));
  EXPECT_EQ(header_of(reply, "Content-Encoding"), "gzip");
  EXPECT_EQ(header_of(reply, "Vary"), "Accept-Encoding");
  EXPECT_LT(reply.body.size(), 100U);
  EXPECT_EQ(unpacked(reply.body), std::string(1025, 'x'));
}

TEST(EncodeReply, CachesLearnThatItVaries) {
  const HttpReply plain = encode_reply(reply_of(1025), accepted_codings(std::nullopt));
  EXPECT_EQ(header_of(plain, "Content-Encoding"), "none");
  EXPECT_EQ(header_of(plain, "Vary"), "Accept-Encoding");
  EXPECT_EQ(plain.body.size(), 1025U);
  HttpReply varies = reply_of(1025);
  varies.headers.emplace_back("vary", "Origin");
  EXPECT_EQ(header_of(encode_reply(varies, {}), "vary"), "Origin, Accept-Encoding");
}

TEST(EncodeReply, ShortAndEmptyRepliesStayAsTheyAre) {
  EXPECT_EQ(encode_reply(reply_of(1024), accepted_codings("gzip")).body.size(), 1024U);
  EXPECT_TRUE(encode_reply(reply_of(1024), accepted_codings("gzip")).headers.empty());
  EXPECT_EQ(unpacked(encode_reply(reply_of(3), accepted_codings("gzip, identity;q=0")).body), "xxx");
  EXPECT_EQ(encode_reply(reply_of(0), accepted_codings("gzip, identity;q=0")).body, "");
}

TEST(EncodeReply, StreamsArePackedPieceByPiece) {
  std::string whole = "first,";
  int number = 0;
  HttpReply reply{200, "text/csv", whole, {}, {}};
  reply.next = [&] {
    if (++number > 2'000) return std::string();
    whole += std::to_string(number * 7919) + ",";
    return std::to_string(number * 7919) + ",";
  };
  reply = encode_reply(std::move(reply), accepted_codings("gzip"));
  EXPECT_EQ(header_of(reply, "Content-Encoding"), "gzip");
  EXPECT_EQ(number, 0);  // nothing is made before it can be sent
  std::string bytes = reply.body;
  for (std::string piece = reply.next(); !piece.empty(); piece = reply.next()) bytes += piece;
  EXPECT_EQ(unpacked(bytes), whole);
  EXPECT_EQ(reply.next(), "");
}

TEST(AnswerWithCodings, RefusesBeforeTheHandlerActs) {
  int asked = 0;
  std::vector<int> refused;
  const auto handler = [&](const HttpRequest& request) {
    ++asked;
    return HttpReply{200, "text/plain", request.body, {}};
  };
  const auto answer = [&](const HttpRequest& request) {
    return answer_with_codings(request, kMostBytes, handler, [&](int status) { refused.push_back(status); });
  };
  HttpRequest choosy{"POST", "/", {{"accept-encoding", "br, identity;q=0"}}, "text"};
  EXPECT_EQ(answer(choosy).status, 406);
  EXPECT_EQ(answer(request_with("gzip", "text")).status, 400);
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(refused, (std::vector<int>{406, 400}));
  EXPECT_EQ(answer(request_with("gzip", packed("text"))).body, "text");
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace gpuassay
