// The data directory: finished runs, one file each, and the journal of a run in progress. The files are the truth;
// there is no ledger. A file is either whole and synced under its name, or not there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/file_descriptor.h"

namespace gpuassay {

/// Below this much free space a run is printed, not saved.
inline constexpr std::uint64_t kMinFreeBytes = std::uint64_t{64} << 20;

/// `--data-dir`, else $XDG_DATA_HOME/gpuassay, else ~/.local/share/gpuassay, without HOME /var/lib/gpuassay.
/// A relative XDG_DATA_HOME is ignored, as its specification asks.
std::filesystem::path default_data_dir(const char* xdg_data_home, const char* home);

/// An append-only record of a run or a watch in progress: one line per finished case, written and synced as it ends.
/// Holds a lock while open, so that another process can tell a live journal from a killed run's.
class Journal {
 public:
  /// Appends `line` and a newline and syncs. Throws Error{not_saved}.
  void append(std::string_view line);

 private:
  friend class Spool;
  Journal(FileDescriptor file, std::string shown) : file_(std::move(file)), shown_(std::move(shown)) {}
  FileDescriptor file_;
  std::string shown_;
};

/// What a killed run left behind: its name and complete lines (a torn last line is dropped).
struct LeftJournal {
  std::string run_id;
  std::vector<std::string> lines;
};

/// The folders are 0700, files 0600; a symbolic link or a folder of another user in their place is refused. Every
/// failure is Error{not_saved} with a remedy.
class Spool {
 public:
  /// Opens `data_dir` and its folder `runs`, making them when missing.
  explicit Spool(const std::filesystem::path& data_dir);

  /// Writes `body` as runs/NAME: temporary file, synced, renamed, folder synced. Never replaces a file: the same
  /// bytes already there are fine, others are an error. Refused under kMinFreeBytes of free space.
  void save(const std::string& name, std::string_view body) const;

  /// runs/NAME whole; empty when it is not there. At most 16 MiB.
  [[nodiscard]] std::optional<std::string> read(const std::string& name) const;

  /// Writes `body` as NAME in the data directory itself, whole and synced, in the place of one that is there.
  void replace_setting(const std::string& name, std::string_view body) const;
  /// NAME in the data directory itself; empty when it is not there.
  [[nodiscard]] std::optional<std::string> read_setting(const std::string& name) const;

  /// Names in runs/ that end in `suffix` and have a UUID before it, sorted (UUIDv7: oldest first).
  [[nodiscard]] std::vector<std::string> list(std::string_view suffix) const;

  /// Starts the journal of `run_id`.
  [[nodiscard]] Journal start_journal(const std::string& run_id) const;
  /// Removes it; the run is saved by then.
  void remove_journal(const std::string& run_id) const;
  /// Journals whose process is gone, oldest first.
  [[nodiscard]] std::vector<LeftJournal> left_journals() const;
  /// Puts a damaged result aside as runs/RUN_ID.json.corrupt, so that it is kept but not looked at again.
  void set_result_aside(const std::string& run_id) const;
  /// Puts an unreadable journal aside as runs/RUN_ID.corrupt, so that it is kept but not looked at again.
  void set_journal_aside(const std::string& run_id) const;

  /// Removes temporary files of processes that are gone.
  void remove_stale_temporaries() const;

  /// Held by the one process that measures; throws Error{busy} when another one holds it.
  [[nodiscard]] FileDescriptor lock_for_run() const;

  /// Held by the one process that watches the machine; throws Error{busy} when another one does.
  [[nodiscard]] FileDescriptor lock_for_watch() const;
  /// Starts watch/WATCH_ID.jsonl, which stays: what a watch measured, one line each.
  [[nodiscard]] Journal start_watch(const std::string& watch_id) const;

  /// Where runs/NAME lies, for showing to the user.
  [[nodiscard]] std::filesystem::path path_of(const std::string& name) const { return data_dir_ / "runs" / name; }
  [[nodiscard]] const std::filesystem::path& data_dir() const { return data_dir_; }

 private:
  [[nodiscard]] std::vector<std::string> names_in_runs() const;
  [[nodiscard]] FileDescriptor lock(const char* name, const char* held_by) const;
  void set_aside(const std::string& name, const std::string& aside) const;

  std::filesystem::path data_dir_;
  FileDescriptor data_fd_;
  FileDescriptor runs_fd_;
};

}  // namespace gpuassay
