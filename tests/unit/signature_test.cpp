#include "core/signature.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/receipt.h"

namespace gpuassay {
namespace {

TEST(Signature, Sha256OfKnownTexts) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Signature, Base64BothWays) {
  EXPECT_EQ(base64(std::string_view("")), "");
  EXPECT_EQ(base64(std::string_view("f")), "Zg==");
  EXPECT_EQ(base64(std::string_view("foobar")), "Zm9vYmFy");
  EXPECT_EQ(from_base64("Zm9vYg=="), "foob");
  EXPECT_EQ(from_base64(""), "");
  for (const char* const text :
       {"Zg", "Zg=", "Zg===", "Z", "Zh==", "Zm9v\n", " Zm9v", "Zm9-", "Zm9v=", "====", "Zg==Zg=="})
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
}

// RFC 8032 section 7.1, test 2.
TEST(Signature, Ed25519MatchesThePublishedVector) {
  const auto seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
  std::string bytes;
  for (std::size_t i = 0; i < 64; i += 2)
    bytes += static_cast<char>(std::stoi(std::string(seed).substr(i, 2), nullptr, 16));
  const auto pair = KeyPair::from_file_content("gpuassay-ed25519-v1 " + base64(std::string_view(bytes)) + "\n");
  const auto text_of = [](const auto& array) {
    return hex({reinterpret_cast<const char*>(array.data()), array.size()});
  };
  EXPECT_EQ(text_of(pair.public_key()), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  EXPECT_EQ(text_of(pair.sign("\x72")),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

TEST(Signature, VerifiesOnlyTheSignedMessageAndKey) {
  const auto pair = KeyPair::generate();
  const auto signature = pair.sign("message");
  EXPECT_TRUE(verify_signature(pair.public_key(), "message", signature));
  EXPECT_FALSE(verify_signature(pair.public_key(), "messagf", signature));
  EXPECT_FALSE(verify_signature(KeyPair::generate().public_key(), "message", signature));
  auto damaged = signature;
  damaged[10] = static_cast<unsigned char>(damaged[10] ^ 1U);
  EXPECT_FALSE(verify_signature(pair.public_key(), "message", damaged));
  EXPECT_FALSE(verify_signature(PublicKey{}, "message", Signature{}));
}

TEST(Signature, FileContentRestoresThePair) {
  const auto pair = KeyPair::generate();
  const auto restored = KeyPair::from_file_content(pair.file_content());
  EXPECT_EQ(restored.public_key(), pair.public_key());
  EXPECT_EQ(restored.sign("x"), pair.sign("x"));
}

TEST(Signature, DamagedKeyFilesAreRefused) {
  const std::string good = KeyPair::generate().file_content();
  EXPECT_THROW(KeyPair::from_file_content(""), Error);
  for (std::size_t length = 0; length + 1 < good.size(); ++length)
    EXPECT_THROW(KeyPair::from_file_content(good.substr(0, length)), Error) << length;
  EXPECT_THROW(KeyPair::from_file_content(good + "x"), Error);
}

TEST(Signature, MessageForAResultIsPrefixAndDigest) {
  EXPECT_EQ(result_signing_message("abc"),
            "gpuassay-result-v1\nba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Receipt, IsCanonicalAndVerifies) {
  const auto collector = KeyPair::generate();
  const auto text = signed_receipt("run-1", "body", "2026-01-01T00:00:00.000Z", collector);
  EXPECT_EQ(text, signed_receipt("run-1", "body", "2026-01-01T00:00:00.000Z", collector));
  EXPECT_EQ(text.find(' '), std::string::npos);
  std::string problem;
  const auto receipt = verified_receipt(text, "run-1", "body", problem);
  ASSERT_TRUE(receipt) << problem;
  EXPECT_EQ(receipt->collector_key, collector.public_key());
  EXPECT_EQ(receipt->received_at, "2026-01-01T00:00:00.000Z");
}

TEST(Receipt, EveryDeviationIsNamed) {
  const auto text = signed_receipt("run-1", "body", "2026-01-01T00:00:00.000Z", KeyPair::generate());
  const auto problem_of = [](const std::string& answer, std::string_view run_id, std::string_view body) {
    std::string problem;
    EXPECT_FALSE(verified_receipt(answer, run_id, body, problem));
    return problem;
  };
  EXPECT_EQ(problem_of(text, "run-2", "body"), "the receipt is for another run");
  EXPECT_EQ(problem_of(text, "run-1", "other"), "the receipt is for another body");
  EXPECT_EQ(problem_of("<html>welcome</html>", "run-1", "body"), "the answer is not a receipt");
  EXPECT_EQ(problem_of("[]", "run-1", "body"), "the answer is not a receipt");
  EXPECT_EQ(problem_of("{}", "run-1", "body"), "the answer is not a receipt");
  EXPECT_EQ(problem_of(R"({"kind":"gpuassay-receipt-v1","signature":1,"collector_key":[]})", "run-1", "body"),
            "the receipt has no readable signature");
  std::string forged = text;
  forged.replace(forged.find("2026"), 4, "2027");
  EXPECT_EQ(problem_of(forged, "run-1", "body"), "the receipt's signature does not verify");
}

TEST(Signature, WhatIsSignedNamesTheActionAndTheRun) {
  EXPECT_EQ(deletion_signing_message("run-1"), "gpuassay-delete-v1\nrun-1");
  EXPECT_NE(deletion_signing_message("run-1"), deletion_signing_message("run-2"));
  // A body cannot be chosen so that its signature is one for a deletion.
  EXPECT_EQ(result_signing_message("run-1").find("gpuassay-result-v1\n"), 0U);
}

TEST(Tombstone, SaysWhichRunWasDeletedAndByWhom) {
  const KeyPair collector = KeyPair::generate();
  const std::string text = signed_tombstone("run-1", "2026-01-01T00:00:00.000Z", collector);
  std::string problem;
  const auto tombstone = verified_tombstone(text, "run-1", problem);
  ASSERT_TRUE(tombstone) << problem;
  EXPECT_EQ(tombstone->run_id, "run-1");
  EXPECT_EQ(tombstone->deleted_at, "2026-01-01T00:00:00.000Z");
  EXPECT_EQ(tombstone->collector_key, collector.public_key());
}

TEST(Tombstone, EveryDeviationIsNamed) {
  const KeyPair collector = KeyPair::generate();
  const auto problem_of = [](const std::string& answer, std::string_view run_id) {
    std::string problem;
    EXPECT_FALSE(verified_tombstone(answer, run_id, problem));
    return problem;
  };
  const std::string text = signed_tombstone("run-1", "2026-01-01T00:00:00.000Z", collector);
  EXPECT_EQ(problem_of(text, "run-2"), "the proof of deletion is for another run");
  EXPECT_EQ(problem_of("", "run-1"), "the answer is not a proof of deletion");
  std::string forged = text;
  forged.replace(forged.find("2026"), 4, "2027");
  EXPECT_EQ(problem_of(forged, "run-1"), "the proof of deletion's signature does not verify");
  // The receipt of an upload and the proof of a deletion never stand for each other.
  EXPECT_EQ(problem_of(signed_receipt("run-1", "", "t", collector), "run-1"), "the answer is not a proof of deletion");
  std::string problem;
  EXPECT_FALSE(verified_receipt(text, "run-1", "", problem));
  EXPECT_EQ(problem, "the answer is not a receipt");
}

TEST(Signature, IdentifiersAreHashedUnderTheKey) {
  const KeyPair mine = KeyPair::generate(), other = KeyPair::generate();
  const std::string hash = mine.identifier_hash("gpu_uuid", "GPU-1234");
  EXPECT_EQ(hash.size(), 64U);
  EXPECT_EQ(hash, KeyPair::from_file_content(mine.file_content()).identifier_hash("gpu_uuid", "GPU-1234"));
  EXPECT_NE(hash, other.identifier_hash("gpu_uuid", "GPU-1234"));
  EXPECT_NE(hash, mine.identifier_hash("instance_id", "GPU-1234"));
  EXPECT_NE(hash, mine.identifier_hash("gpu_uuid", "GPU-1235"));
}

TEST(Checkpoint, SaysWhatTheLogIsAndWhoSaysSo) {
  const KeyPair collector = KeyPair::generate();
  const Digest root = merkle_leaf_hash("a leaf");
  const std::string text = signed_checkpoint({1, root, "2026-01-01T00:00:00.000Z", {}}, collector);
  EXPECT_TRUE(text.starts_with(R"({"collector_key":")")) << text;
  EXPECT_NE(text.find(R"("kind":"gpuassay-checkpoint-v1","made_at":"2026-01-01T00:00:00.000Z","root_hash":")"),
            std::string::npos);
  EXPECT_TRUE(text.ends_with(R"(","tree_size":1})")) << text;
  std::string problem;
  const auto checkpoint = verified_checkpoint(text, problem);
  ASSERT_TRUE(checkpoint) << problem;
  EXPECT_EQ(checkpoint->tree_size, 1U);
  EXPECT_EQ(checkpoint->root_hash, root);
  EXPECT_EQ(checkpoint->made_at, "2026-01-01T00:00:00.000Z");
  EXPECT_EQ(checkpoint->collector_key, collector.public_key());

  std::string changed = text;
  changed.replace(changed.find("tree_size\":1"), 12, "tree_size\":2");
  EXPECT_FALSE(verified_checkpoint(changed, problem));
  EXPECT_EQ(problem, "the checkpoint's signature does not verify");
  EXPECT_FALSE(verified_checkpoint(signed_tombstone("run-1", "2026-01-01T00:00:00.000Z", collector), problem));
  EXPECT_EQ(problem, "the answer is not a checkpoint");
}

TEST(Receipt, IsGenuineWithoutItsBody) {
  const KeyPair collector = KeyPair::generate();
  const std::string text = signed_receipt("run-1", "body", "2026-01-01T00:00:00.000Z", collector);
  std::string problem;
  const auto receipt = genuine_receipt(text, problem);
  ASSERT_TRUE(receipt) << problem;
  EXPECT_EQ(receipt->run_id, "run-1");
  EXPECT_EQ(receipt->body_sha256, sha256_hex("body"));
  std::string changed = text;
  changed.replace(changed.find("run-1"), 5, "run-2");
  EXPECT_FALSE(genuine_receipt(changed, problem));
  EXPECT_EQ(problem, "the receipt's signature does not verify");
}

TEST(Signature, RandomBytesAreOthersEachTime) {
  EXPECT_EQ(random_bytes(32).size(), 32U);
  EXPECT_NE(random_bytes(32), random_bytes(32));
}

}  // namespace
}  // namespace gpuassay
