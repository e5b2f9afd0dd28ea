#include "tests/fuzz/request_mutator.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "tests/support/gzip_text.h"

extern "C" std::size_t LLVMFuzzerMutate(unsigned char* data, std::size_t size, std::size_t most);

namespace gpuassay::fuzz {
namespace {

using nlohmann::json;

constexpr std::string_view kHeaderEnd = "\r\n\r\n";
constexpr std::string_view kLength = "\r\nContent-Length: ";
constexpr std::string_view kPacked = "\r\nContent-Encoding: gzip";

/// Values that programs stumble over.
json odd_value(std::mt19937& random) {
  static const std::array<json, 30> kOdd{nullptr,
                                         true,
                                         false,
                                         0,
                                         -1,
                                         1,
                                         1e-320,
                                         -0.0,
                                         1e308,
                                         4294967296,
                                         INT64_MAX,
                                         INT64_MIN,
                                         UINT64_MAX,
                                         0.1,
                                         86400,
                                         "",
                                         "<script>alert(1)</script>",
                                         "=1+1",
                                         "'; DROP TABLE run; --",
                                         "\xC2\xA0=1",
                                         "a\nb",
                                         "\"",
                                         "cuda",
                                         "gemm",
                                         "ok",
                                         "2026-02-30T00:00:00.000Z",
                                         "9999-12-31T23:59:59.999Z",
                                         std::string(257, 'x'),
                                         json::array(),
                                         json::object()};
  return kOdd.at(random() % kOdd.size());
}

/// Every place of the document, as it would be changed.
void collect(json& value, std::vector<json*>& places) {
  places.push_back(&value);
  for (json& part : value) {
    if (part.is_structured())
      collect(part, places);
    else
      places.push_back(&part);
  }
}

void change_bytes(json& value) {
  constexpr std::size_t kRoom = 300;
  std::string text = value.get<std::string>();
  const std::size_t had = std::min(text.size(), kRoom);
  text.resize(kRoom);
  text.resize(LLVMFuzzerMutate(reinterpret_cast<unsigned char*>(text.data()), had, kRoom));
  value = text;
}

void change_number(json& value, std::mt19937& random) {
  constexpr std::array kFactors{-1.0, 0.5, 0.999, 1.001, 2.0, 10.0, 1e-9, 1e9};
  if (value.is_number_integer() && random() % 2 == 0)
    value = static_cast<std::int64_t>(static_cast<std::uint64_t>(value.get<std::int64_t>()) + random() % 3 - 1);
  else
    value = value.get<double>() * kFactors.at(random() % kFactors.size());
}

void change(json& document, std::mt19937& random) {
  std::vector<json*> places;
  collect(document, places);
  json& place = *places.at(random() % places.size());
  switch (random() % 7) {
    case 0: place = odd_value(random); break;
    case 1: place = json(*places.at(random() % places.size())); break;
    case 2:
      if (place.is_array() && !place.empty()) place.push_back(json(place[random() % place.size()]));
      break;
    case 3:
      if (place.is_structured() && !place.empty())
        place.erase(std::next(place.begin(), static_cast<std::ptrdiff_t>(random() % place.size())));
      break;
    case 4:
      if (place.is_object()) place["x"] = odd_value(random);
      break;
    default:
      if (place.is_string()) change_bytes(place);
      if (place.is_number()) change_number(place, random);
  }
}

/// The header with the length of its new body.
std::string with_length(const std::string& header, std::size_t length) {
  const std::size_t at = header.find(kLength);
  if (at == std::string::npos) return header;
  const std::size_t digits = at + kLength.size();
  const std::size_t end = std::min(header.find('\r', digits), header.size());
  return header.substr(0, digits) + std::to_string(length) + header.substr(end);
}

/// Empty when the request has no JSON.
std::string with_changed_json(const std::string& request, std::mt19937& random) {
  const std::size_t end = request.find(kHeaderEnd);
  if (end == std::string::npos) return {};
  std::string header = request.substr(0, end + kHeaderEnd.size());
  std::string body = request.substr(header.size());
  const bool is_packed = header.find(kPacked) != std::string::npos;
  json document = json::parse(is_packed ? test::unpacked(body) : body, nullptr, false);
  if (document.is_discarded()) return {};
  change(document, random);
  body = document.dump(-1, ' ', false, json::error_handler_t::ignore);
  if (is_packed) body = test::packed(body);
  return with_length(header, body.size()) + body;
}

}  // namespace

std::size_t mutate_request(unsigned char* data, std::size_t size, std::size_t most, unsigned int seed) {
  std::mt19937 random(seed);
  if (random() % 4 != 0) {
    const std::string request(reinterpret_cast<const char*>(data), size);
    const std::string changed = with_changed_json(request, random);
    if (!changed.empty() && changed.size() <= most) {
      std::copy(changed.begin(), changed.end(), data);
      return changed.size();
    }
  }
  return LLVMFuzzerMutate(data, size, most);
}

}  // namespace gpuassay::fuzz
