// How are many different, signed uploads made of one result without paying for each whole body? The parts that differ
// come late in the document, so that hashing goes on from where the common beginning ends.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/signature.h"

namespace gpuassay::bench {

/// One request. Points into its UploadMaker.
struct SignedUpload {
  std::string run_id, region, header;
  std::string_view beginning, middle, end;  ///< of the body, around region and run_id
  [[nodiscard]] std::vector<std::string_view> pieces() const {
    return {header, beginning, region, middle, run_id, end};
  }
};

/// Safe to use from any thread.
class UploadMaker {
 public:
  /// `model` is a canonical result with @REGION@ and, later, @RUN_ID@ in the place of those. Throws std::runtime_error.
  UploadMaker(std::string model, std::size_t keys);

  /// The upload `number`: a run_id that no other has, one of 50 regions, one of the keys.
  [[nodiscard]] SignedUpload make(std::size_t number, const std::string& host) const;

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };
  [[nodiscard]] std::string hash(const SignedUpload& upload) const;

  std::string model_;
  std::string_view beginning_, middle_, end_;
  std::unique_ptr<EVP_MD_CTX, Free> hashed_beginning_;
  std::vector<KeyPair> keys_;
  std::size_t salt_;  // another one in each process
};

}  // namespace gpuassay::bench
