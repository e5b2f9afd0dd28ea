#include "collector/export_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "core/error.h"

namespace gpuassay {
namespace {

/// Asked for at a time: so often the disk is looked at.
constexpr std::uint64_t kStepBytes = std::uint64_t{8} << 20U;
/// Uploads go on the same disk and must not be refused because somebody reads.
constexpr std::uint64_t kLeftFreeBytes = std::uint64_t{256} << 20U;

std::string folder_for_temporary_files() {
  const char* const named = std::getenv("TMPDIR");
  return named == nullptr || *named == '\0' ? "/tmp" : named;
}

int open_without_name(const std::string& folder) {
  constexpr mode_t kOwnerAlone = 0600;
  const int descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kOwnerAlone);
  if (descriptor >= 0) return descriptor;
  // Not every file system can do it, and each says so in its own way.
  std::string path = folder + "/export-XXXXXX";
  const int named = ::mkostemp(path.data(), O_CLOEXEC);
  if (named < 0) throw_errno(ErrorCode::database, "cannot make a file for the export in " + folder, errno);
  (void)::unlink(path.c_str());
  return named;
}

}  // namespace

ExportSpace::ExportSpace(std::string folder, std::uint64_t most_bytes)
    : folder_(folder.empty() ? folder_for_temporary_files() : std::move(folder)), most_bytes_(most_bytes) {}

bool ExportSpace::take(std::uint64_t bytes) {
  if (held_bytes_.fetch_add(bytes) + bytes <= most_bytes_) return true;
  held_bytes_ -= bytes;
  return false;
}

ExportFile::ExportFile(ExportSpace& space) : space_(space), file_(nullptr, std::fclose) {
  const int descriptor = open_without_name(space.folder());
  file_.reset(::fdopen(descriptor, "w+b"));
  if (file_) return;
  const int problem = errno;
  (void)::close(descriptor);
  throw_errno(ErrorCode::database, "cannot use a file for the export", problem);
}

ExportFile::~ExportFile() { space_.give_back(reserved_bytes_); }

void ExportFile::reserve(std::uint64_t bytes) {
  if (written_bytes_ + bytes <= reserved_bytes_) return;
  const std::uint64_t more = std::max(bytes, kStepBytes);
  // The first step is for the short answers, which cannot fill a disk.
  struct statvfs disk {};
  const bool is_full = reserved_bytes_ > 0 && ::fstatvfs(::fileno(file_.get()), &disk) == 0 &&
                       std::uint64_t{disk.f_bavail} * disk.f_frsize < kLeftFreeBytes + more;
  if (is_full || !space_.take(more))
    throw Error(ErrorCode::database,
                "an export needs more disk than there is for exports; ask for a part of the runs, or use "
                "`gpuassay-collector export`");
  reserved_bytes_ += more;
}

void ExportFile::write(std::string_view bytes) {
  reserve(bytes.size());
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size())
    throw_errno(ErrorCode::database, "cannot write the export", errno);
  written_bytes_ += bytes.size();
}

void ExportFile::rewind() {
  // Seeking writes what is left in the buffer.
  if (std::fseek(file_.get(), 0, SEEK_SET) != 0) throw_errno(ErrorCode::database, "cannot write the export", errno);
}

std::string ExportFile::read() {
  constexpr std::size_t kPieceBytes = 64U << 10U;
  std::string piece(kPieceBytes, '\0');
  piece.resize(std::fread(piece.data(), 1, piece.size(), file_.get()));
  if (std::ferror(file_.get()) != 0) throw_errno(ErrorCode::database, "cannot read the export", errno);
  return piece;
}

}  // namespace gpuassay
