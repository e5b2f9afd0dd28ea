// How do rows become Parquet? The program `duckdb` reads them from a pipe; nothing of it is linked.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>

namespace gpuassay {

/// Folder in the folder of an export for what is not part of it: DuckDB's own files and what others are made of.
inline constexpr const char* kScratch = "scratch";

/// Where DuckDB is, and how much it may take.
class DuckDb {
 public:
  /// `program` is a path or a name that is looked for in PATH. Throws Error{library_missing} with what to install when
  /// it cannot be started or is older than what the export needs.
  explicit DuckDb(const std::string& program);

  [[nodiscard]] const std::string& program() const { return program_; }
  /// "v1.4.4".
  [[nodiscard]] const std::string& version() const { return version_; }

 private:
  std::string program_, version_;
};

/// One child that runs statements and ends. While it runs, it reads what write() sends as the file /dev/stdin. It ends
/// with this process, however that ends.
class DuckDbChild {
 public:
  /// Starts in `folder`, so that names of files in `sql` are relative to it.
  DuckDbChild(const DuckDb& duckdb, const std::string& folder, const std::string& sql);
  ~DuckDbChild();
  DuckDbChild(const DuckDbChild&) = delete;
  DuckDbChild& operator=(const DuckDbChild&) = delete;

  /// Throws Error{not_saved} with DuckDB's words when it has ended already.
  void write(std::string_view bytes);
  /// Ends its input and waits; what it printed. Throws Error{not_saved} when it failed or was killed.
  std::string finish();

 private:
  struct Close {
    void operator()(std::FILE* file) const { (void)std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Close>;

  void flush();
  int wait();
  [[noreturn]] void throw_failure(int status);

  pid_t pid_ = -1;
  int input_ = -1;
  File output_, errors_;
  std::string pending_;
};

}  // namespace gpuassay
