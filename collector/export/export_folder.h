// How does a folder come to hold the new export, all of it or not at all?
#pragma once

#include <string>
#include <string_view>

namespace gpuassay {

inline constexpr const char* kManifestName = "manifest.json";

/// The export in the making: a folder beside the target, which is exchanged with it at the end. Whatever happens
/// before, the target is as it was.
class ExportFolder {
 public:
  /// Throws Error{usage} when `target` is there and neither empty nor an export without anything else in it, and
  /// Error{busy} while another program makes the same export. What a killed one left behind is removed.
  explicit ExportFolder(const std::string& target);
  ~ExportFolder();
  ExportFolder(const ExportFolder&) = delete;
  ExportFolder& operator=(const ExportFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return unfinished_; }
  /// Writes a file whole. Throws Error{not_saved}.
  void write_file(const std::string& name, std::string_view content) const;
  /// Makes it durable and puts it in the target's place.
  void publish();

 private:
  void lock();
  void exchange() const;

  std::string target_, unfinished_;
  int lock_ = -1;
};

}  // namespace gpuassay
