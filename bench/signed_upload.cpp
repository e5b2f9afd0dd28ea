#include "bench/signed_upload.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <random>
#include <stdexcept>

namespace gpuassay::bench {
namespace {

constexpr std::string_view kRegion = "@REGION@";
constexpr std::string_view kRunId = "@RUN_ID@";
constexpr std::size_t kRegions = 50;

/// UUIDv7; `salt` and `number` instead of chance.
std::string run_id_of(std::size_t salt, std::size_t number) {
  using namespace std::chrono;
  const auto ms = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  const auto time = static_cast<unsigned long long>(ms);
  return fmt::format("{:08x}-{:04x}-7{:03x}-8{:03x}-{:012x}", time >> 16U, time & 0xFFFFU, salt & 0xFFFU,
                     (salt >> 12U) & 0xFFFU, number);
}

}  // namespace

UploadMaker::UploadMaker(std::string model, std::size_t keys)
    : model_(std::move(model)), hashed_beginning_(EVP_MD_CTX_new()), salt_(std::random_device()()) {
  const std::size_t region = model_.find(kRegion);
  const std::size_t run_id = model_.find(kRunId);
  if (region == std::string::npos || run_id == std::string::npos || run_id < region)
    throw std::runtime_error("the model has no @REGION@ followed by a @RUN_ID@");
  const std::string_view text(model_);
  beginning_ = text.substr(0, region);
  middle_ = text.substr(region + kRegion.size(), run_id - region - kRegion.size());
  end_ = text.substr(run_id + kRunId.size());
  EVP_DigestInit_ex(hashed_beginning_.get(), EVP_sha256(), nullptr);
  EVP_DigestUpdate(hashed_beginning_.get(), beginning_.data(), beginning_.size());
  for (std::size_t made = 0; made < std::max<std::size_t>(1, keys); ++made) keys_.push_back(KeyPair::generate());
}

std::string UploadMaker::hash(const SignedUpload& upload) const {
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  EVP_MD_CTX_copy_ex(context.get(), hashed_beginning_.get());
  for (const std::string_view piece : {std::string_view(upload.region), middle_, std::string_view(upload.run_id), end_})
    EVP_DigestUpdate(context.get(), piece.data(), piece.size());
  std::array<unsigned char, 32> digest{};
  EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
  return hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

SignedUpload UploadMaker::make(std::size_t number, const std::string& host) const {
  SignedUpload upload{
      run_id_of(salt_, number), fmt::format("bench-{:02}", number % kRegions), {}, beginning_, middle_, end_};
  const KeyPair& key = keys_[number % keys_.size()];
  const std::size_t size_bytes =
      beginning_.size() + upload.region.size() + middle_.size() + upload.run_id.size() + end_.size();
  upload.header = fmt::format(
      "POST /v1/results HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n"
      "Gpuassay-Key: {}\r\nGpuassay-Signature: {}\r\n\r\n",
      host, size_bytes, base64(key.public_key()), base64(key.sign("gpuassay-result-v1\n" + hash(upload))));
  return upload;
}

}  // namespace gpuassay::bench
