#include "collector/attestation/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace gpuassay {
namespace {

constexpr unsigned kSpdmVersion = 0x11;  // 1.2 signs another text
constexpr unsigned kGetMeasurements = 0xe0, kMeasurements = 0x60;
constexpr unsigned kWantsSignature = 1;   // of the request's first parameter
constexpr unsigned kDmtfMeasurement = 1;  // of a block's specification field

/// Reads numbers in little-endian order from the front; after the first that is not there, everything is absent.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::size_t number(std::size_t bytes) {
    const std::string_view text = take(bytes);
    std::size_t value = 0;
    for (std::size_t at = text.size(); at > 0; --at) value = value << 8U | static_cast<unsigned char>(text[at - 1]);
    return value;
  }
  std::string_view take(std::size_t bytes) {
    if (bytes > rest_.size()) is_short_ = true;
    if (is_short_) return {};
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }
  [[nodiscard]] bool is_short() const { return is_short_; }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
  bool is_short_ = false;
};

ParsedReport no_report(std::string problem) { return {std::nullopt, std::move(problem)}; }

/// Version, code and two parameters begin every message.
std::optional<std::string> head_problem(Reader& reader, unsigned code, std::string_view message, bool is_request) {
  const std::size_t version = reader.number(1), found = reader.number(1), first = reader.number(1);
  (void)reader.number(1);
  if (reader.is_short()) return fmt::format("the report ends within the head of its {}", message);
  if (version != kSpdmVersion)
    return fmt::format("its {} has version {}.{}; 1.1 is known", message, version >> 4U, version & 0xfU);
  if (found != code) return fmt::format("its {} has the code 0x{:02x} instead of 0x{:02x}", message, found, code);
  if (is_request && (first & kWantsSignature) == 0) return "its request asked for no signature";
  return std::nullopt;
}

/// Every block says how long it is: together they are the record.
std::optional<std::string> record_problem(std::string_view record, std::size_t blocks) {
  Reader reader(record);
  for (std::size_t block = 0; block < blocks; ++block) {
    (void)reader.number(1);  // its index
    const std::size_t specification = reader.number(1);
    (void)reader.take(reader.number(2));
    if (reader.is_short()) return fmt::format("its measurements end within number {}", block + 1);
    if (specification != kDmtfMeasurement) return fmt::format("its measurement {} is of another kind", block + 1);
  }
  if (reader.left() > 0) return fmt::format("{} bytes follow its measurements", reader.left());
  return std::nullopt;
}

}  // namespace

ParsedReport parse_attestation_report(std::string_view bytes) {
  constexpr std::size_t kSlotBytes = 1, kRecordLengthBytes = 3, kOpaqueLengthBytes = 2;
  if (bytes.size() > kMostReportBytes)
    return no_report(fmt::format("the report has {} bytes; {} are taken", bytes.size(), kMostReportBytes));
  Reader reader(bytes);
  AttestationReport report;
  if (auto problem = head_problem(reader, kGetMeasurements, "request", true)) return no_report(*std::move(problem));
  const std::string_view nonce = reader.take(report.nonce.size());
  std::copy(nonce.begin(), nonce.end(), report.nonce.begin());
  (void)reader.take(kSlotBytes);
  if (auto problem = head_problem(reader, kMeasurements, "answer", false)) return no_report(*std::move(problem));
  report.measurements = reader.number(1);
  const std::string_view record = reader.take(reader.number(kRecordLengthBytes));
  (void)reader.take(report.nonce.size());  // the device's own, which makes two answers to one request differ
  (void)reader.take(reader.number(kOpaqueLengthBytes));
  report.signed_bytes = bytes.substr(0, bytes.size() - reader.left());
  report.signature = reader.take(kReportSignatureBytes);
  if (reader.is_short()) return no_report("the report is shorter than its parts say");
  if (reader.left() > 0) return no_report(fmt::format("{} bytes follow the report's signature", reader.left()));
  if (auto problem = record_problem(record, report.measurements)) return no_report(*std::move(problem));
  return {report, {}};
}

}  // namespace gpuassay
