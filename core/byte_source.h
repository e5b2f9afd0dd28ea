// Where do the bytes of an input come from, when it may be larger than memory?
#pragma once

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace gpuassay {

/// The bytes of a text or a file, from front to back, through a buffer of fixed size. A text must outlive its source.
class ByteSource {
 public:
  static ByteSource from_text(std::string_view text);
  /// Throws Error{unreadable_input} when the file cannot be opened.
  static ByteSource from_file(const std::string& path);

  /// Throws Error{unreadable_input} when reading fails.
  [[nodiscard]] bool at_end() { return rest_.empty() && !refill(); }
  /// The next byte; only when not at_end().
  [[nodiscard]] char front() const { return rest_.front(); }
  void pop() { rest_.remove_prefix(1); }
  /// The bytes that are at hand, at least one when not at_end(); pop_front() takes them.
  [[nodiscard]] std::string_view at_hand() const { return rest_; }
  void pop_front(std::size_t count) { rest_.remove_prefix(count); }

  /// Everything that is left, if that is at most `limit_bytes`; else throws Error{unreadable_input}.
  std::string read_all(std::size_t limit_bytes);
  /// The file's path; empty for a text.
  [[nodiscard]] const std::string& path() const { return path_; }

  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  ByteSource(ByteSource&&) noexcept = default;
  ByteSource& operator=(ByteSource&&) noexcept = default;
  ~ByteSource() = default;

 private:
  ByteSource() = default;
  bool refill();

  std::string path_;
  struct Close {
    void operator()(std::FILE* file) const noexcept { (void)std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
  std::string buffer_;  ///< on the heap however short, so that moving the source keeps `rest_` valid
  std::string_view rest_;
};

}  // namespace gpuassay
