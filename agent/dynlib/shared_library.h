// Where is a run-time library, and what does it export? Opens shared objects by name, never at link time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuassay {

/// Directories that come before the system loader's own search.
struct LibrarySearch {
  std::vector<std::string> override_directories;

  /// Splits a colon-separated list; empty entries are dropped.
  static LibrarySearch from_list(std::string_view colon_list);
  /// The list in the environment variable GPUASSAY_LIBRARY_PATH; empty when it is not set.
  static LibrarySearch from_environment();
};

/// What happens to the code of a library when its SharedLibrary is destroyed.
enum class Unload {
  on_close,  ///< it is unmapped
  never,     ///< it stays: the library may have started threads that still execute its code
};

/// Who else in the process finds the functions of an opened library.
enum class Visibility {
  local,   ///< only those who hold it
  global,  ///< every library opened later, too
};

/// The loader's or a library's message without folder names: they do not belong into a result.
/// "/opt/x/libm.so.6: invalid ELF header" becomes "libm.so.6: invalid ELF header".
std::string without_folders(std::string_view message);

/// One opened shared object. Move-only; closes in the destructor.
class SharedLibrary {
 public:
  /// Tries `soname` in each override directory, then in the system's search path.
  /// A file that exists in an override directory but cannot be loaded is an error, not a reason to look further.
  /// Empty when no such library exists; throws Error{library_missing} when one exists but does not load.
  static std::optional<SharedLibrary> find(const LibrarySearch& search, const std::string& soname,
                                           Unload unload = Unload::on_close);

  /// Like find, but absence throws Error{library_missing}: "<soname> ...: <loader's reason>; <remedy>".
  static SharedLibrary open(const LibrarySearch& search, const std::string& soname, const std::string& remedy,
                            Unload unload = Unload::on_close);

  /// Opens one file. `path` is absolute, or `soname` itself for the loader's default; `path_kind` says where it lies.
  /// Throws Error{library_missing}, never naming the path, when it is absent or does not load.
  static SharedLibrary open_file(const std::string& path, const std::string& soname, const std::string& path_kind,
                                 Unload unload = Unload::on_close, Visibility visibility = Visibility::local);

  SharedLibrary(SharedLibrary&& other) noexcept;
  SharedLibrary& operator=(SharedLibrary&& other) noexcept;
  SharedLibrary(const SharedLibrary&) = delete;
  SharedLibrary& operator=(const SharedLibrary&) = delete;
  ~SharedLibrary();

  /// The function exported as `name`, empty when there is none. `Function` is a function pointer type.
  template <class Function>
  [[nodiscard]] std::optional<Function> symbol(const std::string& name) const {
    void* address = address_of(name);
    if (address == nullptr) return std::nullopt;
    return reinterpret_cast<Function>(address);
  }

  /// Like symbol, but absence throws Error{library_missing} naming library and symbol.
  template <class Function>
  [[nodiscard]] Function required_symbol(const std::string& name) const {
    const auto found = symbol<Function>(name);
    if (!found) throw_missing_symbol(name);
    return *found;
  }

  [[nodiscard]] const std::string& soname() const { return soname_; }
  /// Where it lies, as in the result document ("override", "system", ...); the path itself is never reported.
  [[nodiscard]] const std::string& path_kind() const { return path_kind_; }

 private:
  SharedLibrary(void* handle, std::string soname, std::string path_kind);
  [[nodiscard]] void* address_of(const std::string& name) const;
  [[noreturn]] void throw_missing_symbol(const std::string& name) const;

  void* handle_ = nullptr;
  std::string soname_, path_kind_;
};

}  // namespace gpuassay
