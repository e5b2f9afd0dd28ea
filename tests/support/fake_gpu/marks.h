// What outlives a process on the imitated machine? A lost device stays lost and counted memory errors stay counted.
#pragma once

#include <set>
#include <string>

namespace gpuassay::fake {

/// Marks of devices: files of the folder GPUASSAY_FAKE_STATE, which with_fake_gpu makes; without it they are this
/// process' own.
class Marks {
 public:
  [[nodiscard]] bool has(const std::string& name, int ordinal) const;
  void set(const std::string& name, int ordinal);
  /// Forgets this process' own; files stay.
  void clear() { own_.clear(); }

 private:
  std::set<std::string> own_;
};

}  // namespace gpuassay::fake
