// What does a piece of code ask of the disk, and what is left when one of those calls fails, or the power does?
//
// disk_calls.cpp takes the place of write(), fsync(), rename() and their kin in the program that it is linked into;
// outside of record_disk_calls() and in_a_child_that_ends_at() they do what they always do.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

namespace gpuassay::test {

struct DiskCall {
  enum class Kind { make_folder, create, write, sync, rename, link, unlink };
  Kind kind = Kind::write;
  std::filesystem::path path;  ///< of the file or folder; for rename and link the former name
  std::filesystem::path to;    ///< for rename and link
};

/// The calls that `action` makes, in order.
std::vector<DiskCall> record_disk_calls(const std::function<void()>& action);

/// The calls before the `end_at`-th (from 0), made in a child process that ends instead of making that one; `ended` is
/// false when `action` came to its end before.
struct CutShort {
  std::vector<DiskCall> calls;
  bool ended = false;
};
CutShort in_a_child_that_ends_at(std::size_t end_at, const std::function<void()>& action);

/// `action` while its `fail_at`-th call (from 0) fails with `error_number`, as all writes after it for ENOSPC.
void with_failing_disk_call(std::size_t fail_at, int error_number, const std::function<void()>& action);

/// What a disk may have kept of calls that were never synced.
enum class PowerLoss {
  nothing_unsynced,      ///< neither contents nor names
  names_without_content  ///< names in folders, but files that were not synced are empty
};

/// Changes the files to what the power's loss after these calls may leave.
void lose_power(const std::vector<DiskCall>& calls, PowerLoss kind);

}  // namespace gpuassay::test
