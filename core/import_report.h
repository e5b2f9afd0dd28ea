// What became of each line of an imported file?
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gpuassay {

/// Lines that were refused for one reason: how many, and where the first ones are.
struct RefusedLines {
  std::size_t count = 0;
  std::vector<std::string> places;  ///< of the first kPlacesKept ones: "line 3", "item 12"
};

/// Places kept for each reason; a file of a million lines must not give a report of a million lines.
inline constexpr std::size_t kPlacesKept = 8;

/// Every line of the file is accepted, quarantined or rejected.
class ImportReport {
 public:
  void accept() { ++accepted_; }
  /// A price, but not one to use: implausible, zero, contradictory.
  void quarantine(const std::string& place, const std::string& reason) { add(quarantined_, place, reason); }
  /// Not the price of an offer, or not readable.
  void reject(const std::string& place, const std::string& reason) { add(rejected_, place, reason); }
  /// A line accepted before turns out to contradict another one.
  void quarantine_accepted(const std::string& place, const std::string& reason) {
    --accepted_;
    quarantine(place, reason);
  }
  /// Something to look at that keeps nothing out.
  void warn(const std::string& message) { warnings_.push_back(message); }

  [[nodiscard]] std::size_t accepted() const { return accepted_; }
  [[nodiscard]] std::size_t quarantined() const { return count_of(quarantined_); }
  [[nodiscard]] std::size_t rejected() const { return count_of(rejected_); }
  [[nodiscard]] const std::map<std::string, RefusedLines>& quarantined_lines() const { return quarantined_; }
  [[nodiscard]] const std::map<std::string, RefusedLines>& rejected_lines() const { return rejected_; }
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

  /// For people: one line for each reason; ends with a line break when not empty.
  [[nodiscard]] std::string details() const;

 private:
  using Lines = std::map<std::string, RefusedLines>;
  static void add(Lines& lines, const std::string& place, const std::string& reason);
  static std::size_t count_of(const Lines& lines);

  std::size_t accepted_ = 0;
  Lines quarantined_, rejected_;
  std::vector<std::string> warnings_;
};

}  // namespace gpuassay
