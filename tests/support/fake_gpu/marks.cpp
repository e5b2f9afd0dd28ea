#include "tests/support/fake_gpu/marks.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace gpuassay::fake {
namespace {

std::string key(const std::string& name, int ordinal) { return name + "." + std::to_string(ordinal); }

/// Empty without the folder.
std::string file_of(const std::string& mark) {
  const char* folder = std::getenv("GPUASSAY_FAKE_STATE");
  return folder == nullptr || *folder == '\0' ? std::string() : std::string(folder) + "/" + mark;
}

}  // namespace

bool Marks::has(const std::string& name, int ordinal) const {
  const std::string mark = key(name, ordinal), file = file_of(mark);
  if (own_.contains(mark)) return true;
  std::error_code error;
  return !file.empty() && std::filesystem::exists(file, error);
}

void Marks::set(const std::string& name, int ordinal) {
  const std::string mark = key(name, ordinal), file = file_of(mark);
  if (own_.insert(mark).second && !file.empty()) std::ofstream(file).put('1');
}

}  // namespace gpuassay::fake
