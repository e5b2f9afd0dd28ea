#include "tests/support/scratch_root.h"

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace gpuassay::test {
namespace {

namespace fs = std::filesystem;

fs::path below(const fs::path& root, std::string_view absolute_path) {
  fs::path path = root / fs::path(absolute_path).relative_path();
  fs::create_directories(path.parent_path());
  return path;
}

}  // namespace

ScratchRoot::ScratchRoot() {
  std::string name = (fs::temp_directory_path() / "gpuassay_root_XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory like " + name);
  path_ = name;
}

ScratchRoot::~ScratchRoot() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void ScratchRoot::write(std::string_view absolute_path, std::string_view text) const {
  std::ofstream file(below(path_, absolute_path), std::ios::binary);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + std::string(absolute_path));
}

void ScratchRoot::link(std::string_view absolute_path, std::string_view target) const {
  fs::create_symlink(target, below(path_, absolute_path));
}

void ScratchRoot::copy_from(const fs::path& source) const { fs::copy(source, path_, fs::copy_options::recursive); }

}  // namespace gpuassay::test
